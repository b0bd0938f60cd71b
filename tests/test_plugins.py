"""Networks, noises and readers of the package in docs/extend.md, as if installed."""

from __future__ import annotations

import re
import sys
import tomllib
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from command import run
from synthetic import make_record, smooth_photo

from napari_denoise_ae import add_noise, denoise, plugins
from napari_denoise_ae.errors import (
    CheckpointError,
    DenoiseAEWarning,
    InvalidInputError,
)
from napari_denoise_ae.io.source import is_image, open_image, readable_suffixes
from napari_denoise_ae.models.checkpoint import Checkpoint
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.config import TrainingConfig
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.networks.registry import (
    build_network,
    network_class,
    network_names,
)
from napari_denoise_ae.models.summary import read_summary
from napari_denoise_ae.noise.spec import parse_noise
from napari_denoise_ae.noise.synthetic import noise_models

# Untrained networks do not fit the noise.
pytestmark = pytest.mark.filterwarnings("ignore:The noise in this image")
PAGE = Path(__file__).parents[1] / "docs" / "extend.md"
NOISY = np.rint(255 * smooth_photo(32, 64, 1)[..., 0]).astype(np.uint8)


def forget() -> None:
    plugins.added.cache_clear()
    plugins.load.cache_clear()


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a module with entry points, each "name = object" by its group."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(module: str, code: str, points: dict[str, dict[str, str]]) -> None:
        (tmp_path / f"{module}.py").write_text(code, "utf-8")
        folder = tmp_path / f"{module}-0.1.dist-info"
        folder.mkdir()
        name = module.replace("_", "-")
        (folder / "METADATA").write_text(f"Name: {name}\nVersion: 0.1\n", "utf-8")
        lines = [
            f"[{group}]\n" + "\n".join(f"{k} = {v}" for k, v in each.items())
            for group, each in points.items()
        ]
        (folder / "entry_points.txt").write_text("\n".join(lines), "utf-8")
        forget()

    yield install
    forget()
    for name in ("extra_parts", "broken_parts", "wrong_parts"):
        sys.modules.pop(name, None)


@pytest.fixture
def extra(install):
    """Install the package of the page."""
    project, code = (
        PAGE.read_text("utf-8").split(f"```{kind}\n")[1].split("```")[0]
        for kind in ("toml", "python")
    )
    install("extra_parts", code, tomllib.loads(project)["project"]["entry-points"])


def test_names_are_known_before_anything_is_imported(extra):
    assert network_names() == ["conv", "residual", "unet", "plain"]
    assert ".raw8" in readable_suffixes()
    assert is_image(Path("scan.RAW8"))
    assert TrainingConfig(network="plain").network == "plain"
    assert parse_noise("gaussian:0.1").name == "gaussian"
    assert "extra_parts" not in sys.modules


def test_noise_and_reader_work_in_the_shell(extra, tmp_path, capsys):
    NOISY.tofile(tmp_path / "scan.raw8")
    given = ["--model", "conv", "--add-noise", "stripes:0.1", "--device", "cpu"]
    output = tmp_path / "out.tif"
    assert run("denoise", tmp_path / "scan.raw8", output, *given) == 0
    assert "striped noise, sigma 0.1 of the range" in capsys.readouterr().out
    with pytest.raises(InvalidInputError, match="no series to choose from"):
        open_image(tmp_path / "scan.raw8", series=1)
    noise, clean = "stripes:0..0.1,unclipped", np.zeros((32, 64, 3))
    rows = add_noise(clean, noise, rng=0, intensity_range=(0, 1))
    assert np.ptp(rows, axis=1).max() == 0 < np.ptp(rows)
    assert list(noise_models())[-1] == "stripes"
    with pytest.raises(InvalidInputError, match=r"stripes:SIGMA"):
        parse_noise("perlin:1")


def test_a_network_is_saved_and_loaded_by_its_name(extra, tmp_path):
    options = {"in_channels": 1, "width": 4}
    weights = build_network("plain", options).state_dict()
    record = make_record(config=replace(TrainingConfig(), network="plain"))
    path = tmp_path / "mine.safetensors"
    save_checkpoint(Checkpoint("mine", "plain", options, weights, record), path)
    forget()
    sys.modules.pop("extra_parts")
    loaded = load_checkpoint(path)
    assert loaded.record.config.network == "plain"
    result = denoise(NOISY, model=path, device="cpu")
    assert result.shape == NOISY.shape
    summary = read_summary(path)
    assert (summary.network, summary.option("width")) == ("plain", 4)
    with pytest.raises(InvalidInputError, match="has no option depth"):
        build_network("plain", {"depth": 2})
    with pytest.raises(InvalidInputError, match="cannot be built with"):
        build_network("plain", {"width": "wide"})
    # Elsewhere, the package is not installed.
    sys.path.pop(0)
    forget()
    with pytest.raises(CheckpointError, match="'plain'"):
        load_checkpoint(path)


@pytest.mark.parametrize("name", ["os", "os:system", "extra_parts:Plain", "../x", ""])
def test_a_checkpoint_imports_nothing_that_is_not_registered(extra, name, tmp_path):
    path = tmp_path / "bad.pt"
    record = make_record()
    good = Checkpoint("bad", "conv", {}, build_network("conv", {}).state_dict(), record)
    save_checkpoint(good, path)
    content = torch.load(path, weights_only=True)
    torch.save(content | {"network": name}, path)
    with pytest.raises(CheckpointError, match="Unknown network"):
        load_checkpoint(path)
    assert "extra_parts" not in sys.modules


def test_a_broken_package_is_one_sentence_and_left_out(extra, install):
    install(
        "broken_parts",
        "class NoNoise:\n    name = 'fog'\n",
        {
            plugins.NETWORKS: {"gone": "broken_parts:Gone", "conv": "broken_parts:X"},
            plugins.NOISES: {"fog": "broken_parts:NoNoise"},
            plugins.READERS: {"odd": "no_such_module:open"},
        },
    )
    with (
        pytest.warns(DenoiseAEWarning, match="network 'gone' of the package broken-"),
        pytest.raises(InvalidInputError, match="Unknown network 'gone'"),
    ):
        network_class("gone")
    with pytest.warns(
        DenoiseAEWarning, match="broken_parts:NoNoise is not a valid noise"
    ):
        assert list(noise_models())[-1] == "stripes"
    with (
        pytest.warns(DenoiseAEWarning, match="ModuleNotFoundError: No module named"),
        pytest.raises(InvalidInputError, match="Cannot infer the format"),
    ):
        open_image(Path("a.odd"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Said once; and a name of this package stays its own.
        assert "fog" not in noise_models()
        assert network_class("conv").__name__ == "ConvAutoencoder"


WRONG = """
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import torch

from extra_parts import Plain, Stripes, open_raw8
from napari_denoise_ae.io.stored import StoredImage
from napari_denoise_ae.noise.base import amount_metadata

IMAGE = np.zeros((32, 32), np.uint8)
RESULTS = {
    "nothing": None,
    "array": IMAGE,
    "noarray": StoredImage(array=[1, 2]),
    "axes": StoredImage(array=IMAGE, axes=2),
    "chunks": StoredImage(array=IMAGE, chunks=(8,)),
    "scale": StoredImage(array=IMAGE, scale={"X": -1}),
    "pixels": StoredImage(array=SimpleNamespace(shape=(32, 32), dtype=np.uint8)),
}


class Row:
    shape, dtype = (32, 32), np.dtype(np.uint8)

    def __getitem__(self, index):
        return IMAGE[0]


def open_wrong(path):
    if path.stem == "raises":
        raise KeyError("header")
    return StoredImage(array=Row()) if path.stem == "row" else RESULTS[path.stem]


class NoStride(Plain):
    stride = None


class Raising(Plain):
    def forward(self, noisy):
        raise KeyError("weights")


class Larger(Plain):
    def forward(self, noisy):
        return noisy.repeat(1, 1, 2, 2)


class Nothing(Plain):
    def forward(self, noisy):
        return None


@dataclass(frozen=True, slots=True)
class Fog(Stripes):
    name = "fog"

    def apply(self, clean, generator, *, channel_axis=1):
        if self.sigma > 0.5:
            raise KeyError("haze")
        return clean[:1, 1:] if self.sigma > 0.1 else None


@dataclass(frozen=True, slots=True)
class Unmade(Stripes):
    name = "unmade"

    sigma: float = field(metadata={"unit": "px"})
"""


@pytest.fixture
def wrong(extra, install):
    """Install readers, networks and noises that fail in use."""
    networks = ("NoStride", "Raising", "Larger", "Nothing")
    points = {
        plugins.NETWORKS: {each.lower(): f"wrong_parts:{each}" for each in networks},
        plugins.NOISES: {"fog": "wrong_parts:Fog", "unmade": "wrong_parts:Unmade"},
        plugins.READERS: {"bad": "wrong_parts:open_wrong"},
    }
    install("wrong_parts", WRONG, points)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("raises", "KeyError: 'header'. The file is damaged, or"),
        ("nothing", "returned an object of type NoneType instead of a StoredImage"),
        ("array", "returned an object of type ndarray instead of a StoredImage"),
        ("noarray", "an array of type list, without shape or dtype"),
        ("axes", "returned an invalid StoredImage, axes=2. Update"),
        ("chunks", "returned an invalid StoredImage, chunks=(8,). Update"),
        ("scale", "returned an invalid StoredImage, scale={'X': -1}. Update"),
        ("pixels", "TypeError: 'types.SimpleNamespace' object is not subscriptable"),
        ("row", "pixels of shape (32,) and dtype uint8, where (32, 32) and uint8"),
    ],
)
def test_a_reader_that_fails_is_one_error(wrong, name, reason, tmp_path, capsys):
    (tmp_path / f"{name}.bad").touch()
    given = ["--model", "conv", "--device", "cpu"]
    assert run("denoise", tmp_path / f"{name}.bad", tmp_path / "a.tif", *given) == 2
    shown = capsys.readouterr().err
    assert "the reader 'bad' of the package wrong-parts" in shown
    assert reason in shown
    assert len(shown.splitlines()) == 1


@pytest.mark.parametrize(
    ("noise", "reason"),
    [
        ("fog:0.1", "wrong_parts:Fog failed: it returned an object of type NoneType"),
        ("0.5*gaussian:0.1|0.5*fog:0.2", "Fog failed: it returned a tensor of shape"),
        ("gaussian:0.1+fog:1", "wrong_parts:Fog failed: KeyError: 'haze'. Update"),
        ("unmade:1", "wrong_parts:Unmade failed: KeyError: 'lowest'. Update"),
    ],
)
def test_a_noise_that_fails_is_one_error(wrong, noise, reason):
    with pytest.raises(InvalidInputError, match=re.escape(reason)):
        add_noise(NOISY, noise)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        ("nostride", "its stride must be an integer of at least 1, got None"),
        ("raising", "wrong_parts:Raising failed: KeyError: 'weights'. Update"),
        ("larger", "Larger failed: it returned (1, 1, 128, 128) instead of a tensor"),
        ("nothing", "Nothing failed: it returned an object of type NoneType instead"),
    ],
)
def test_a_network_that_fails_is_one_error(wrong, network, reason):
    options = {"in_channels": 1, "width": 4}
    weights = build_network("plain", options).state_dict()
    record = make_record(config=replace(TrainingConfig(), network=network))
    checkpoint = Checkpoint("mine", network, options, weights, record)
    with pytest.raises(InvalidInputError, match=re.escape(reason)):
        denoise(NOISY, model=checkpoint, device="cpu")
