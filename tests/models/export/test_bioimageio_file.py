"""Packages pass the test of bioimageio.core, which another environment installs."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from synthetic import equal_weights, make_record, random_checkpoint

from napari_denoise_ae import load_checkpoint
from napari_denoise_ae.errors import (
    InvalidInputError,
    MissingDependencyError,
    OutputError,
)
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.export import bioimageio_file
from napari_denoise_ae.models.export.bioimageio_file import export_bioimageio

OPTIONS = {"in_channels": 1, "base_channels": 4, "correlation": True}


@pytest.fixture
def saved(tmp_path):
    """Return the file of a small model."""
    checkpoint = random_checkpoint(network="unet", record=make_record(), **OPTIONS)
    save_checkpoint(checkpoint, tmp_path / "mine.safetensors")
    return tmp_path / "mine.safetensors"


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(bioimageio_file, "require_onnx", lambda: None)
    monkeypatch.setitem(sys.modules, "bioimageio.core", None)
    with pytest.raises(MissingDependencyError, match=r"napari-denoise-ae\[bioimageio"):
        export_bioimageio("conv", tmp_path / "conv.zip")


@pytest.mark.parametrize("given", [{}, {"authors": ["A"]}, {"license": "MIT"}])
def test_other_models_need_an_author_and_a_license(saved, tmp_path, given):
    with pytest.raises(InvalidInputError, match="Give both"):
        export_bioimageio(saved, tmp_path / "mine.zip", **given)
    assert not (tmp_path / "mine.zip").exists()


# bioimageio.spec leaves files open.
@pytest.mark.filterwarnings("ignore")
def test_a_package_passes_the_test_of_bioimageio(saved, tmp_path, capsys, monkeypatch):
    core = pytest.importorskip("bioimageio.core")
    mine = {"authors": ["Ada Lovelace"], "license": "CC-BY-4.0"}
    with pytest.raises(InvalidInputError, match=r"bioimageio\.spec refuses"):
        export_bioimageio(saved, tmp_path / "a.zip", **mine | {"license": "none"})
    report = export_bioimageio(saved, tmp_path / "mine.zip", **mine)
    # For ONNX and state_dict: one result, and three sizes by two batches.
    runs = [name for name in report.passed if name.startswith("Run")]
    assert len(runs) == 2 * 3 * 2
    assert len(report.passed) >= len(runs) + 2
    assert capsys.readouterr() == ("", "")
    description = core.load_model_description(report.path)
    assert [each.name for each in description.authors] == ["Ada Lovelace"]
    assert str(description.license) == "CC-BY-4.0"
    assert [each.id for each in description.inputs] == ["image", "sigma", "correlation"]
    again, model = load_checkpoint(report.path), load_checkpoint(saved)
    assert (again.network, again.record) == (model.network, model.record)
    assert equal_weights(again.state_dict, model.state_dict)
    case = bioimageio_file.make_test_case

    def wrong_case(*arguments):
        made = case(*arguments)
        np.add(made.denoised, 20.0, out=made.denoised)
        return made

    monkeypatch.setattr(bioimageio_file, "make_test_case", wrong_case)
    with pytest.raises(OutputError, match=r"fails the test .*: Reproduce"):
        export_bioimageio(saved, tmp_path / "wrong.zip", **mine)
    assert not (tmp_path / "wrong.zip").exists()
    assert not (tmp_path / "a.zip").exists()
