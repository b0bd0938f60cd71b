from __future__ import annotations

from pathlib import Path

import pytest

from napari_denoise_ae.errors import CheckpointError, InvalidInputError, OutputError
from napari_denoise_ae.training.run_files import RunFiles, default_checkpoint


@pytest.fixture
def files(tmp_path) -> RunFiles:
    return RunFiles(tmp_path / "model.pt")


def test_files_share_the_name_of_the_checkpoint(files):
    assert [path.name for path in files.paths] == [
        "model.pt",
        "model.resume",
        "model.run.toml",
        "model.history.csv",
        "model.curves.png",
        "model.gallery.png",
    ]


def test_existing_checkpoint_is_rejected_without_overwrite(files):
    files.require_usable(resume=False, overwrite=False)
    files.checkpoint.write_text("another run")
    with pytest.raises(OutputError, match=r"already exists.*resume.*overwrite"):
        files.require_usable(resume=False, overwrite=False)
    files.require_usable(resume=False, overwrite=True)


def test_resume_without_a_state_is_rejected(files):
    with pytest.raises(CheckpointError, match=r"nothing to resume.*model\.resume"):
        files.require_usable(resume=True, overwrite=False)


def test_resume_and_overwrite_exclude_each_other(files):
    with pytest.raises(InvalidInputError, match="either resume or overwrite"):
        files.require_usable(resume=True, overwrite=True)


@pytest.mark.parametrize("name", ["model", "model.pth", "model.csv", ".pt", ""])
def test_checkpoint_name_must_have_a_known_suffix(tmp_path, name):
    files = RunFiles(tmp_path / name)
    with pytest.raises(InvalidInputError, match=r"must end in \.safetensors or \.pt"):
        files.require_usable(resume=False, overwrite=False)


@pytest.mark.parametrize("other", ["model.pt", "model.safetensors"])
def test_a_run_in_the_other_format_is_not_replaced(tmp_path, other):
    """Both would share the file to resume from."""
    (tmp_path / other).write_bytes(b"")
    files = RunFiles(tmp_path / "model.safetensors")
    with pytest.raises(OutputError, match=f"{other} already exists"):
        files.require_usable(resume=False, overwrite=False)


@pytest.mark.parametrize(
    ("preset", "suffix"),
    [
        ("conv", ".pt"),
        ("residual", ".pt"),
        ("gray", ".safetensors"),
        ("rgb", ".safetensors"),
        (None, ".safetensors"),
    ],
)
def test_the_teaching_presets_write_files_of_torch(preset, suffix):
    assert default_checkpoint(preset) == Path(f"best_denoising_model{suffix}")


def test_missing_folder_is_rejected(tmp_path):
    files = RunFiles(tmp_path / "missing" / "model.pt")
    with pytest.raises(OutputError, match="does not exist"):
        files.require_usable(resume=False, overwrite=False)
