"""Archives are checked before anything in them is unpickled."""

from __future__ import annotations

import subprocess
import sys
import warnings
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hostile_files import HOSTILE, pickle_of
from synthetic import random_checkpoint

from napari_denoise_ae.errors import CheckpointError
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.torch_archive import require_safe_archive

if TYPE_CHECKING:
    from pathlib import Path

# Largest growth of the memory of a process that refuses a file.
_MEGABYTES = 200


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_one_short_sentence(tmp_path, name):
    path = HOSTILE[name](tmp_path / "a.pt")
    assert path.stat().st_size < 2**20
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux does")
def test_hostile_files_take_no_memory(tmp_path):
    files = [
        str(write(tmp_path / f"{i}.pt")) for i, write in enumerate(HOSTILE.values())
    ]
    code = (
        "import resource, sys\n"
        "from napari_denoise_ae import load_checkpoint\n"
        "from napari_denoise_ae.errors import CheckpointError\n"
        "load_checkpoint('conv')\n"
        "used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before = used()\n"
        "for file in sys.argv[1:]:\n"
        "    try:\n"
        "        load_checkpoint(file)\n"
        "    except CheckpointError:\n"
        "        print(used() - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *files], capture_output=True, text=True, check=True
    )
    growth = [int(line) for line in done.stdout.split()]
    assert len(growth) == len(files)
    assert max(growth) < _MEGABYTES


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_pickle_is_refused_or_loads(model_file, tmp_path, seed):
    """The archive is valid, so that each change reaches the parser."""
    rng = np.random.default_rng(seed)
    original = pickle_of(model_file)
    for _ in range(50):
        pickled = bytearray(original)
        for position in rng.integers(len(pickled), size=rng.integers(1, 6)):
            pickled[position] = rng.integers(256)
        path = _with_pickle(model_file, tmp_path / "changed.pt", bytes(pickled))
        with suppress(CheckpointError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            load_checkpoint(path)


def _with_pickle(source: Path, target: Path, pickled: bytes) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            is_pickle = name.endswith("/data.pkl")
            new.writestr(name, pickled if is_pickle else old.read(name))
    return target


def test_a_changed_directory_of_the_archive_is_refused_or_loads(model_file, tmp_path):
    """Among the changes are entries that claim to be encrypted."""
    content = model_file.read_bytes()
    start = content.index(b"PK\x01\x02")
    path = tmp_path / "changed.pt"
    for change in (0x01, 0xFF):
        for offset in range(start, start + 150):
            damaged = bytearray(content)
            damaged[offset] ^= change
            path.write_bytes(damaged)
            with suppress(CheckpointError):
                load_checkpoint(path)


def test_repeated_entries_are_refused(model_file):
    with (
        zipfile.ZipFile(model_file, "a") as archive,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        archive.writestr(archive.namelist()[0], b"N.")
    with pytest.raises(CheckpointError, match="repeats data"):
        load_checkpoint(model_file)


def test_what_torch_saves_of_networks_and_optimizers_is_accepted(tmp_path):
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.zeros(1, 1, 5, 5)).sum().backward()
    optimizer.step()
    path = tmp_path / "a.pt"
    for content in (
        network.state_dict(),
        dict(network.named_parameters()),
        optimizer.state_dict(),
        {name: each.half() for name, each in network.state_dict().items()},
        {"a": torch.zeros(()), "shared": [network.state_dict()] * 2, "n": 10**12},
    ):
        torch.save(content, path)
        require_safe_archive(path)


def test_a_tensor_on_another_device_is_accepted(tmp_path):
    """As far as this machine can tell: only the name of the device differs."""
    torch.save(dict(random_checkpoint(base_channels=32).state_dict), tmp_path / "a.pt")
    pickled = pickle_of(tmp_path / "a.pt")
    moved = pickled.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
    assert moved != pickled
    path = _with_pickle(tmp_path / "a.pt", tmp_path / "moved.pt", moved)
    with pytest.warns(UserWarning, match="no training record"):
        assert load_checkpoint(path).network == "conv"
