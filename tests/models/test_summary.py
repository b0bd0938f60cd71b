"""What is known of a model without its weights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save_file
from synthetic import make_record, random_checkpoint
from test_imports import HEAVY, modules_after

from napari_denoise_ae.errors import CheckpointError, DenoiseAEWarning
from napari_denoise_ae.models.builtin import builtin_models
from napari_denoise_ae.models.checkpoint_file import (
    checkpoint_content,
    save_checkpoint,
)
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.safetensors_file import KEY
from napari_denoise_ae.models.summary import read_summary, summarize

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", builtin_models())
def test_the_header_says_the_same_as_the_loaded_model(name):
    summary = read_summary(name)
    checkpoint = load_checkpoint(name)
    parameters = checkpoint.build(torch.device("cpu")).parameters()
    assert summary == summarize(checkpoint)
    assert summary.n_parameters == sum(each.numel() for each in parameters)
    assert summary.option("in_channels") == checkpoint.outline().in_channels


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_a_file_is_summarized_whatever_its_format(tmp_path, suffix):
    checkpoint = random_checkpoint(record=make_record())
    path = tmp_path / f"a{suffix}"
    save_checkpoint(checkpoint, path)
    summary = read_summary(path)
    assert summary.name == f"a{suffix}"
    assert summary.record == checkpoint.record
    assert summary.n_parameters == summarize(checkpoint).n_parameters


def test_info_on_a_built_in_model_imports_no_heavy_module():
    code = """
import contextlib, io
from napari_denoise_ae.cli.main import main
with contextlib.redirect_stdout(io.StringIO()) as printed:
    main(["info", "gray"])
assert "1,191,008 parameters" in printed.getvalue()
"""
    assert not modules_after(code) & HEAVY


def test_a_file_of_weights_alone_is_loaded(tmp_path):
    weights = dict(random_checkpoint(base_channels=32).state_dict)
    save_file(weights, tmp_path / "a.safetensors")
    with pytest.warns(DenoiseAEWarning, match="unknown"):
        assert read_summary(tmp_path / "a.safetensors").record is None


def save_with(path: Path, **changes) -> Path:
    """Write a checkpoint with parts of its description replaced."""
    content = checkpoint_content(random_checkpoint()) | changes
    weights = content.pop("state_dict")
    save_file(weights, path, {KEY: json.dumps(content)})
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": "unet9"}, "unet9"),
        ({"network": [1]}, "cannot be built"),
        ({"network_options": {"depth": 3}}, "depth"),
        ({"network_options": {"in_channels": "x" * 30}}, "in_channels"),
        ({"network_options": None}, "cannot be built"),
        ({"record": {"config": 1}}, "training record"),
        ({"record": 5}, "training record"),
        ({"format": "other"}, "'other'"),
    ],
)
def test_an_unusable_description_is_refused(tmp_path, changes, message):
    path = save_with(tmp_path / "a.safetensors", **changes)
    with pytest.raises(CheckpointError, match=message):
        read_summary(path)
