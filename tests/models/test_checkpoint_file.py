from __future__ import annotations

import errno
import os
import pickle
import zipfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from synthetic import CPU, equal_weights, make_record, random_checkpoint

from napari_denoise_ae.errors import CheckpointError, DenoiseAEWarning, OutputError
from napari_denoise_ae.models.checkpoint_file import FORMAT_VERSION, save_checkpoint
from napari_denoise_ae.models.describe import describe_checkpoint
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.networks.registry import build_network


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


def test_existing_file_survives_a_full_disk(model_file, monkeypatch):
    before = model_file.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        save_checkpoint(random_checkpoint(seed=1), model_file)
    assert model_file.read_bytes() == before
    assert list(model_file.parent.iterdir()) == [model_file]


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX resource limits")
def test_disk_that_fills_up_while_writing_raises(model_file):
    """A limit on file size stands in for a full disk."""
    import resource
    import signal

    before = model_file.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OutputError, match="Cannot write"):
            save_checkpoint(random_checkpoint(base_channels=16), model_file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert model_file.read_bytes() == before
    assert list(model_file.parent.iterdir()) == [model_file]


@pytest.mark.parametrize("fraction", [0, 0.01, 0.5, 0.9, 0.999])
def test_truncated_file_is_rejected(model_file, fraction):
    content = model_file.read_bytes()
    model_file.write_bytes(content[: int(fraction * len(content))])
    with pytest.raises(CheckpointError, match=r"model\.pt is not a checkpoint"):
        load_checkpoint(model_file)


@pytest.mark.parametrize("seed", range(30))
def test_damaged_file_is_rejected_or_loads_with_usable_weights(model_file, seed):
    rng = np.random.default_rng(seed)
    content = bytearray(model_file.read_bytes())
    start = 0 if seed % 2 else len(content) - 3000
    for position in rng.integers(start, start + 3000, 3):
        content[position] = rng.integers(256)
    model_file.write_bytes(content)
    loaded = None
    with suppress(CheckpointError):
        loaded = load_checkpoint(model_file)
    image = torch.zeros(1, 3, 8, 8)
    assert loaded is None or loaded.build(CPU.device)(image).shape == image.shape


def test_text_file_is_rejected(tmp_path):
    (tmp_path / "a.pt").write_text("weights")
    with pytest.raises(CheckpointError, match=r"a\.pt is not a checkpoint"):
        load_checkpoint(tmp_path / "a.pt")


def test_unrelated_zip_file_is_rejected(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(CheckpointError, match=r"a\.pt cannot be used"):
        load_checkpoint(tmp_path / "a.pt")


@pytest.mark.parametrize("content", [[1, 2], torch.zeros(3), "text", 5, None])
def test_file_without_a_dict_is_rejected(tmp_path, content):
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="not a dict"):
        load_checkpoint(tmp_path / "a.pt")


class WritesAFile:
    """Act like a malicious pickle: run a function when loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.write_text, (self.path, "run"))


@pytest.mark.parametrize("place", ["alone", "in a record", "as a weight"])
def test_malicious_pickle_is_rejected_without_running_it(rewrite, tmp_path, place):
    proof = tmp_path / "proof"
    evil = WritesAFile(proof)
    assert pickle.loads(pickle.dumps(evil)) == 3
    assert proof.exists()
    proof.unlink()
    if place == "alone":
        path = tmp_path / "evil.pt"
        torch.save(evil, path)
    elif place == "in a record":
        path = rewrite(record=asdict(make_record()) | {"date": evil})
    else:
        path = rewrite(state_dict=default_weights() | {"encoder.0.weight": evil})
    with pytest.raises(CheckpointError, match="could run a program"):
        load_checkpoint(path)
    assert not proof.exists()


def test_plain_pickle_is_rejected_without_running_it(tmp_path):
    proof = tmp_path / "proof"
    (tmp_path / "evil.pt").write_bytes(pickle.dumps(WritesAFile(proof)))
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        load_checkpoint(tmp_path / "evil.pt")
    assert not proof.exists()


def test_pickled_network_is_rejected_with_advice(tmp_path):
    torch.save(build_network("conv", {}), tmp_path / "network.pt")
    with pytest.raises(CheckpointError, match="Save the network's state_dict instead"):
        load_checkpoint(tmp_path / "network.pt")


def test_zip_bomb_is_rejected(tmp_path):
    path = tmp_path / "bomb.pt"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("zeros", "w", force_zip64=True) as entry,
    ):
        for _ in range(65):
            entry.write(bytes(2**24))
    with pytest.raises(CheckpointError, match="unpacks to 1040 MB"):
        load_checkpoint(path)


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
    with pytest.raises(CheckpointError, match=r"model\.pt cannot be used"):
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
    lines = describe_checkpoint(checkpoint)
    assert any("unknown" in line for line in lines)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"weight": torch.zeros(3)},
        {"weight": None},
        {1: 2},
        dict(list(default_weights().items())[:-1]),
        dict(reversed(default_weights().items())),
    ],
    ids=["empty", "one tensor", "none", "numbers", "one missing", "another order"],
)
def test_weights_of_an_unknown_network_are_rejected(tmp_path, content):
    torch.save(content, tmp_path / "plain.pth")
    with pytest.raises(CheckpointError, match=r"plain\.pth does not contain"):
        load_checkpoint(tmp_path / "plain.pth")


def test_bare_state_dict_with_nan_is_rejected(tmp_path):
    weights = default_weights() | {FIRST: torch.full((32, 3, 3, 3), torch.nan)}
    torch.save(weights, tmp_path / "plain.pth")
    with pytest.raises(CheckpointError, match="not finite"):
        load_checkpoint(tmp_path / "plain.pth")
