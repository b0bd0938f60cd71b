"""The content of a checkpoint file is checked."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest
import torch
from synthetic import CPU, equal_weights, make_record, random_checkpoint

from napari_denoise_ae.errors import CheckpointError, DenoiseAEWarning, OutputError
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.describe import describe_model
from napari_denoise_ae.models.description import FORMAT_VERSION
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.summary import summarize

if TYPE_CHECKING:
    from pathlib import Path


def default_weights() -> dict[str, torch.Tensor]:
    return dict(random_checkpoint(base_channels=32).state_dict)


def content_of(path: Path) -> dict:
    return torch.load(path, weights_only=True)


@pytest.fixture
def rewrite(model_file):
    """Rewrite the model file with parts of its content replaced."""

    def write(**changes) -> Path:
        torch.save(content_of(model_file) | changes, model_file)
        return model_file

    return write


def test_file_contains_only_tensors_and_plain_values(model_file):
    content = content_of(model_file)
    plain = (str, int, float, bool, dict, list, tuple, type(None))
    assert all(isinstance(value, plain) for value in content.values())
    assert all(isinstance(value, plain) for value in content["record"].values())
    assert content["format_version"] == FORMAT_VERSION


def test_saving_to_a_missing_folder_raises(tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        save_checkpoint(random_checkpoint(), tmp_path / "missing" / "a.pt")


def test_newer_format_version_is_rejected_with_advice(rewrite):
    with pytest.raises(CheckpointError, match=r"format version 2.*Update"):
        load_checkpoint(rewrite(format_version=2))


def test_other_format_is_rejected(rewrite):
    with pytest.raises(CheckpointError, match="'lightning'"):
        load_checkpoint(rewrite(format="lightning"))


@pytest.mark.parametrize("key", ["network", "network_options", "state_dict", "record"])
def test_missing_entry_is_named(model_file, key):
    content = content_of(model_file)
    del content[key]
    torch.save(content, model_file)
    with pytest.raises(CheckpointError, match=f"'{key}' is missing"):
        load_checkpoint(model_file)


def weights_with(key: str, value: object) -> dict:
    return dict(random_checkpoint().state_dict) | {key: value}


FIRST = "encoder.0.weight"

FIRST_SHAPE = (4, 3, 3, 3)


@pytest.mark.parametrize(
    "changes",
    [
        {"network": "unet9"},
        {"network": None},
        {"network": ["conv"]},
        {"network_options": None},
        {"network_options": [4]},
        {"network_options": {"depth": 3}},
        {"network_options": {"base_channels": -4}},
        {"network_options": {"base_channels": 8}},
        {"network_options": {"base_channels": 10**15}},
        {"network_options": {1: 2}},
        {"state_dict": None},
        {"state_dict": {}},
        {"state_dict": {FIRST: torch.zeros(4, 3, 3, 3)}},
        {"state_dict": weights_with("more", torch.zeros(1))},
        {"record": 3},
        {"record": {}},
    ],
    ids="-".join,
)
def test_invalid_entry_is_rejected(rewrite, changes):
    path = rewrite(**changes)
    with pytest.raises(CheckpointError, match=r"model\.pt cannot be used"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    "value",
    [
        None,
        1.0,
        torch.zeros(4, 3, 3),
        torch.zeros(4, 3, 3, 4),
        torch.full(FIRST_SHAPE, torch.nan),
        torch.full(FIRST_SHAPE, torch.inf),
        torch.zeros(FIRST_SHAPE, dtype=torch.int32),
        torch.zeros(FIRST_SHAPE, dtype=torch.complex64),
        torch.zeros(FIRST_SHAPE, device="meta"),
    ],
    ids=[
        "none",
        "number",
        "too few dimensions",
        "too large",
        "nan",
        "infinite",
        "integers",
        "complex",
        "meta device",
    ],
)
def test_invalid_weight_is_rejected(rewrite, value):
    path = rewrite(state_dict=weights_with(FIRST, value))
    with pytest.raises(
        CheckpointError, match=r"model\.pt (cannot be used|contains more)"
    ):
        load_checkpoint(path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_other_precision_are_rejected_or_converted(rewrite, dtype):
    weights = random_checkpoint().state_dict
    path = rewrite(state_dict={key: value.to(dtype) for key, value in weights.items()})
    loaded = None
    with suppress(CheckpointError):
        loaded = load_checkpoint(path)
    image = torch.zeros(1, 3, 8, 8)
    assert loaded is None or loaded.build(CPU.device)(image).dtype == torch.float32


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("config", None),
        ("config", "text"),
        ("config", {}),
        ("config", {"epochs": -1}),
        ("config", {"noise": 5}),
        ("config", {"network_options": "ab"}),
        ("config", {"sigma": 0.1}),
        ("dataset", 5),
        ("epochs_run", "3"),
        ("val_loss", None),
        ("val_loss", 10**400),
        ("noise_estimate", None),
        ("noise_estimate", 5),
        ("noise_estimate", (0.1, 0.2)),
        ("noise_estimate", ("a", "b", "c")),
        ("stride", 8.5),
        ("date", 2026),
    ],
)
def test_invalid_record_field_is_rejected(rewrite, key, value):
    path = rewrite(record=asdict(make_record()) | {key: value})
    if (key, value) == ("config", {}):
        # Valid, because every setting has a default.
        assert load_checkpoint(path).record.config.preset == "conv"
        return
    with pytest.raises(CheckpointError, match=r"model\.pt cannot be used"):
        load_checkpoint(path)


@pytest.mark.parametrize("change", ["more", "less"])
def test_record_with_unexpected_fields_is_rejected(rewrite, change):
    record = asdict(make_record())
    if change == "more":
        record["color"] = "blue"
    else:
        del record["date"]
    with pytest.raises(CheckpointError, match="unexpected fields"):
        load_checkpoint(rewrite(record=record))


@pytest.mark.parametrize("names", ["own", "module.", "another script's"])
def test_bare_state_dict_loads_with_a_warning(tmp_path, names):
    weights = default_weights()
    if names == "module.":
        renamed = {f"module.{key}": value for key, value in weights.items()}
    elif names == "another script's":
        renamed = {f"layer{i}": value for i, value in enumerate(weights.values())}
    else:
        renamed = weights
    torch.save(renamed, tmp_path / "plain.pth")
    with pytest.warns(DenoiseAEWarning, match=r"plain\.pth .*are unknown") as caught:
        checkpoint = load_checkpoint(tmp_path / "plain.pth")
    assert caught[0].filename == __file__
    assert checkpoint.record is None
    assert equal_weights(checkpoint.state_dict, weights)
    lines = describe_model(summarize(checkpoint))
    assert any("unknown" in line for line in lines)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"weight": torch.zeros(3)},
        {"weight": None},
        {1: 2},
        dict(list(default_weights().items())[:-1]),
    ],
    ids=["empty", "one tensor", "none", "numbers", "one missing"],
)
def test_weights_of_an_unknown_network_are_rejected(tmp_path, content):
    torch.save(content, tmp_path / "plain.pth")
    with pytest.raises(CheckpointError, match=r"plain\.pth does not contain"):
        load_checkpoint(tmp_path / "plain.pth")


def test_the_order_of_named_weights_does_not_matter(tmp_path):
    weights = default_weights()
    torch.save(dict(reversed(weights.items())), tmp_path / "plain.pth")
    with pytest.warns(DenoiseAEWarning, match="no training record"):
        loaded = load_checkpoint(tmp_path / "plain.pth")
    assert list(loaded.state_dict) == list(weights)


def test_bare_state_dict_with_nan_is_rejected(tmp_path):
    weights = default_weights() | {FIRST: torch.full((32, 3, 3, 3), torch.nan)}
    torch.save(weights, tmp_path / "plain.pth")
    with pytest.raises(CheckpointError, match="not finite"):
        load_checkpoint(tmp_path / "plain.pth")
