from __future__ import annotations

import pytest

from napari_denoise_ae.errors import CheckpointError, InvalidInputError, OutputError
from napari_denoise_ae.training.run_files import RunFiles


@pytest.fixture
def files(tmp_path) -> RunFiles:
    return RunFiles(tmp_path / "model.pt")


def test_files_lie_beside_the_checkpoint(files):
    names = [files.checkpoint, files.state, files.history, files.curves]
    assert [path.name for path in names] == [
        "model.pt",
        "model.resume",
        "model.history.csv",
        "model.curves.png",
    ]


def test_a_new_run_needs_a_place_of_its_own(files):
    files.require_usable(resume=False, overwrite=False)
    files.checkpoint.write_text("another run")
    with pytest.raises(OutputError, match=r"is there already.*resume.*overwrite"):
        files.require_usable(resume=False, overwrite=False)
    files.require_usable(resume=False, overwrite=True)


def test_nothing_to_resume_is_an_error(files):
    with pytest.raises(CheckpointError, match=r"nothing to resume.*model\.resume"):
        files.require_usable(resume=True, overwrite=False)


def test_resume_and_overwrite_exclude_each_other(files):
    with pytest.raises(InvalidInputError, match="either resume or overwrite"):
        files.require_usable(resume=True, overwrite=True)


@pytest.mark.parametrize("name", ["model", "model.pth", "model.csv", ".pt", ""])
def test_a_checkpoint_must_end_in_pt(tmp_path, name):
    files = RunFiles(tmp_path / name)
    with pytest.raises(InvalidInputError, match=r"must end in \.pt"):
        files.require_usable(resume=False, overwrite=False)


def test_a_folder_that_does_not_exist_is_found_before_the_run(tmp_path):
    files = RunFiles(tmp_path / "missing" / "model.pt")
    with pytest.raises(OutputError, match="does not exist"):
        files.require_usable(resume=False, overwrite=False)
