"""The subcommand ``export``."""

from __future__ import annotations

import sys

import pytest
from command import run

from napari_denoise_ae.models.export import bioimageio_file, onnx_file
from napari_denoise_ae.models.export.bioimageio_file import BioimageioExport
from napari_denoise_ae.models.export.onnx_file import OnnxExport


def test_export_refuses_other_suffixes(tmp_path, capsys):
    assert run("export", "conv", tmp_path / "conv.tflite") == 2
    assert "must end in .onnx, or in .zip" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_author_and_license_are_for_packages(tmp_path, capsys):
    assert run("export", "conv", tmp_path / "conv.onnx", "--author", "Ada") == 2
    assert "are for bioimage.io packages (.zip)" in capsys.readouterr().err


def test_export_makes_a_package_of_a_zip(tmp_path, capsys, monkeypatch):
    def export_bioimageio(model, path, **given):
        return BioimageioExport(f"{model} {given}", path, ("a", "b"))

    monkeypatch.setattr(bioimageio_file, "export_bioimageio", export_bioimageio)
    options = ("--author", "Ada", "--author", "Bob", "--license", "MIT")
    assert run("export", "conv", tmp_path / "conv.zip", *options) == 0
    assert capsys.readouterr().out.splitlines() == [
        "model     conv {'authors': ['Ada', 'Bob'], 'license': 'MIT'}",
        "tests     all 2 of bioimageio.core passed",
        f"exported  {tmp_path / 'conv.zip'}",
    ]


@pytest.mark.parametrize("missing", ["onnx", "onnxscript", "onnxruntime"])
def test_export_names_the_package_that_is_missing(
    missing, tmp_path, capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, missing, None)
    assert run("export", "conv", tmp_path / "conv.onnx") == 2
    message = capsys.readouterr().err
    assert "An ONNX file needs the package onnx" in message
    assert "pip install 'napari-denoise-ae[onnx]'" in message
    assert list(tmp_path.iterdir()) == []


def test_export_reports_inputs_and_difference(tmp_path, capsys, monkeypatch):
    def export_onnx(model, path, *, standalone):
        return OnnxExport(model, path, {"image": f"standalone {standalone}"}, 1e-7)

    monkeypatch.setattr(onnx_file, "export_onnx", export_onnx)
    assert run("export", "conv", tmp_path / "conv.onnx", "--standalone") == 0
    assert capsys.readouterr().out.splitlines() == [
        "model       conv",
        "image       standalone True",
        "difference  1.0e-07 of the range from torch's result",
        f"exported    {tmp_path / 'conv.onnx'}",
    ]
