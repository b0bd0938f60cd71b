"""Every mistake: one clear error, exit status 2, no traceback, nothing half-written."""

from __future__ import annotations

import errno
import os
import pickle
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from synthetic import make_record, random_checkpoint, small_config, smooth_photo

from napari_denoise_ae.cli.main import main
from napari_denoise_ae.models.checkpoint_file import save_checkpoint

# The command prints warnings itself; here they shall not become errors.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)

PHOTO = np.rint(255 * smooth_photo(40, 36)).astype(np.uint8)
GRAY = smooth_photo(40, 36, 1)[..., 0].astype(np.float32)


class WritesAFile:
    """A malicious pickle: loading it writes a file."""

    def __reduce__(self):
        return (Path.write_text, (Path("proof"), "run"))


def tiff(path: Path, image: np.ndarray) -> None:
    tifffile.imwrite(path, image, photometric="minisblack")


@pytest.fixture(scope="module")
def examples(tmp_path_factory) -> dict[str, bytes]:
    """Files to make mistakes with, by name."""
    folder = tmp_path_factory.mktemp("examples")
    Image.fromarray(PHOTO).save(folder / "photo.png")
    Image.fromarray(PHOTO).save(folder / "clean.png")
    Image.fromarray(PHOTO[:20]).save(folder / "half.png")
    Image.fromarray(PHOTO).convert("LA").save(folder / "two.png")
    Image.fromarray(PHOTO[:8, :8]).save(folder / "tiny.png")
    tiff(folder / "gray.tif", GRAY)
    tiff(folder / "flat.tif", np.full_like(GRAY, 5))
    tiff(folder / "stack.tif", np.stack([GRAY] * 5))
    for name, value in (("inf", np.inf), ("minus_inf", -np.inf), ("nan", np.nan)):
        image = GRAY.copy()
        image[3 if "inf" in name else ...] = value
        tiff(folder / f"{name}.tif", image)
    tiff(folder / "complex.tif", GRAY.astype(np.complex64))
    tiff(folder / "bool.tif", GRAY > 0.5)
    tiff(folder / "five.tif", np.moveaxis(np.stack([GRAY] * 5), 0, -1))
    (folder / "text.png").write_text("This is no image.\n")
    (folder / "text.tif").write_text("This is no image.\n")
    (folder / "empty.png").write_bytes(b"")
    (folder / "empty.tif").write_bytes(b"")
    for name in ("photo.png", "gray.tif", "stack.tif"):
        content = (folder / name).read_bytes()
        (folder / f"truncated_{name}").write_bytes(content[: len(content) // 2])
    good = random_checkpoint(record=make_record())
    save_checkpoint(good, folder / "good.pt")
    save_checkpoint(random_checkpoint(in_channels=5), folder / "five.pt")
    for name, settings in (("few", {"n_test": 6}), ("mild", {"noise": "gaussian:0.1"})):
        record = make_record(
            dataset="CIFAR-10 training set", config=small_config(**settings)
        )
        save_checkpoint(random_checkpoint(record=record), folder / f"{name}.pt")
    content = torch.load(folder / "good.pt", weights_only=True)
    torch.save(content | {"format_version": 2}, folder / "newer.pt")
    torch.save({"layer.weight": torch.zeros(3, 4)}, folder / "other.pt")
    torch.save(content | {"record": WritesAFile()}, folder / "malicious.pt")
    (folder / "malicious.pkl").write_bytes(pickle.dumps(WritesAFile()))
    good_bytes = (folder / "good.pt").read_bytes()
    (folder / "truncated.pt").write_bytes(good_bytes[: len(good_bytes) // 2])
    (folder / "text.pt").write_text("This is no checkpoint.\n")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def folder(tmp_path, examples, cifar10, monkeypatch) -> Path:
    """The current folder: the examples, CIFAR-10 in ``data``, an empty folder."""
    for name, content in examples.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "nothing").mkdir()
    (tmp_path / "bad_images").mkdir()
    (tmp_path / "bad_images" / "a.png").write_bytes(examples["text.png"])
    (tmp_path / "tiny_images").mkdir()
    (tmp_path / "tiny_images" / "a.png").write_bytes(examples["tiny.png"])
    (tmp_path / "run.pt").write_bytes(examples["good.pt"])
    (tmp_path / "bad_run.pt").write_bytes(examples["good.pt"])
    (tmp_path / "bad_run.resume").write_bytes(examples["good.pt"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@dataclass(frozen=True)
class Mistake:
    """A command line and words that its error must have."""

    command: str
    words: tuple[str, ...]


def denoise(options: str, *words: str, source: str = "photo.png") -> Mistake:
    return Mistake(f"denoise {source} out.tif {options}", words)


def train(options: str, *words: str) -> Mistake:
    return Mistake(
        f"train --data data --network-option base_channels=4 {options}", words
    )


def evaluate(options: str, *words: str) -> Mistake:
    return Mistake(f"evaluate {options} --json scores.json --model good.pt", words)


def compare(options: str, *words: str) -> Mistake:
    return Mistake(f"compare {options}", words)


LONG = "a" * 300
MISTAKES = [
    # Images that cannot be read, or are none.
    denoise("", "missing.png", "does not exist", source="missing.png"),
    denoise("", "There are no images at nothing", ".png", source="nothing"),
    denoise("", "text.png", "damaged", source="text.png"),
    denoise("", "text.tif", "damaged", source="text.tif"),
    denoise("", "empty.png", "damaged", source="empty.png"),
    denoise("", "empty.tif", "damaged", source="empty.tif"),
    denoise("", "truncated_photo.png", "damaged", source="truncated_photo.png"),
    denoise("", "truncated_gray.tif", "damaged", source="truncated_gray.tif"),
    denoise("", "truncated_stack.tif", "damaged", source="truncated_stack.tif"),
    denoise("", "infinite", source="inf.tif"),
    denoise("", "infinite", source="minus_inf.tif"),
    denoise("", "nothing but NaN", source="nan.tif"),
    denoise("", "complex64", source="complex.tif"),
    denoise("", "bool", "Masks", source="bool.tif"),
    denoise("", "axes", "(40, 36, 2)", source="two.png"),
    denoise("--model five.pt", "five.pt"),
    denoise("", "Cannot read", source=f"{LONG}.png"),
    # Settings of denoising.
    denoise("--axes YXQ", "axes", "YXQ"),
    denoise("--axes YX", "axes", "2 dimensions"),
    denoise("--axes SYX", "3 or 4 samples"),
    denoise("--add-noise gaussian:-0.1", "above 0", "-0.1"),
    denoise("--add-noise gaussian:0", "above 0"),
    denoise("--add-noise gaussian:nan", "above 0"),
    denoise("--add-noise perlin:1", "perlin:1", "gaussian"),
    denoise("--add-noise gaussian:0.1 --seed -1", "seed must be", "-1"),
    denoise("--add-noise gaussian:0.1", "intensity", source="flat.tif"),
    denoise("--intensity-range 5,5", "intensity_range"),
    denoise("--intensity-range 9,1", "intensity_range"),
    denoise("--intensity-range nan,1", "intensity_range"),
    denoise("--tile-size 0", "tile_size"),
    denoise("--tile-size -5", "tile_size"),
    denoise("--device cuda:99", "cuda:99", "cpu"),
    denoise("--device tpu", "tpu", "auto, cpu, cuda"),
    denoise("--reference half.png", "half.png", "(40, 36, 3)"),
    denoise("--reference missing.png", "missing.png", "does not exist"),
    denoise("--figure figure.jpg", "figure.jpg", ".png"),
    denoise("--figure missing/figure.png", "missing", "does not exist"),
    denoise("--figure photo.png", "replace the input"),
    Mistake("denoise photo.png out.png --figure out.png", ("out.png",)),
    Mistake("denoise photo.png clean.png --reference clean.png", ("clean.png",)),
    Mistake(
        "denoise photo.png out.png --add-noise gaussian:1 --figure out_noisy.png",
        ("out_noisy.png",),
    ),
    # Models.
    denoise("--model missing.pt", "missing.pt", "conv"),
    denoise("--model unet9", "unet9", "conv"),
    denoise("--model nothing", "nothing", "conv"),
    denoise(f"--model {LONG}", "There is no model"),
    denoise("--model text.pt", "text.pt", "not a checkpoint"),
    denoise("--model photo.png", "photo.png", "not a checkpoint"),
    denoise("--model truncated.pt", "truncated.pt", "not a checkpoint"),
    denoise("--model other.pt", "other.pt", "weights of any network"),
    denoise("--model newer.pt", "newer.pt", "format version", "Update"),
    denoise("--model malicious.pt", "malicious.pt", "could run a program"),
    denoise("--model malicious.pkl", "malicious.pkl", "not a checkpoint"),
    Mistake("info missing.pt", ("missing.pt",)),
    Mistake("info truncated.pt", ("truncated.pt",)),
    Mistake("info malicious.pt", ("malicious.pt",)),
    Mistake("demo --model missing.pt", ("missing.pt",)),
    # Places to write to.
    Mistake("denoise photo.png missing/out.png", ("missing does not exist",)),
    Mistake("denoise photo.png photo.png", ("replace the input",)),
    Mistake("denoise photo.png ./nothing/../photo.png", ("replace the input",)),
    Mistake("denoise photo.png out.bmp", ("out.bmp", ".png")),
    Mistake("denoise photo.png nothing", ("must end in",)),
    Mistake("denoise gray.tif out.png", ("float32", ".tif")),
    Mistake("denoise stack.tif out.jpg --axes ZYX", ("float32", ".tif")),
    Mistake(f"denoise photo.png {LONG}.png", ("File name too long",)),
    Mistake(f"denoise photo.png out.png --figure {LONG}.png", ("File name too long",)),
    Mistake("demo --output missing", ("missing does not exist",)),
    Mistake("demo --output photo.png", ("Not a directory",)),
    Mistake("demo --device tpu", ("tpu",)),
    # Training.
    train("--epochs 0", "epochs", "at least 1"),
    train("--epochs -1", "epochs", "at least 1"),
    train("--batch-size 0", "batch_size"),
    train("--patience 0", "patience"),
    train("--seed -1", "seed"),
    train("--learning-rate 0", "learning_rate"),
    train("--learning-rate nan", "learning_rate"),
    train("--min-delta -1", "min_delta"),
    train("--val-fraction 0", "val_fraction"),
    train("--val-fraction 1", "val_fraction"),
    train("--val-fraction 0.001", "val_fraction", "80 images"),
    train("--noise gaussian:-0.5", "above 0"),
    train("--noise nonsense", "nonsense"),
    train("--preset unet9", "unet9", "conv"),
    train("--device cuda:99", "cuda:99"),
    train("--network-option base_channels=0", "base_channels"),
    train("--network-option depth=3", "depth", "base_channels"),
    train("--network-option base_channels=60000", "memory"),
    train("--output model.pth", ".pt"),
    train("--output missing/model.pt", "missing does not exist"),
    train("--output run.pt", "is there already"),
    train("--output new.pt --resume", "nothing to resume"),
    train("--output bad_run.pt --resume", "bad_run.resume"),
    train("--output new.pt --resume --overwrite", "either resume or overwrite"),
    # Evaluation.
    evaluate("--data nothing", "cifar-10-batches-py", "https://"),
    evaluate("--data data --limit 0", "limit"),
    evaluate("--data data --limit -3", "limit"),
    evaluate("--data data --noise gaussian:-1", "above 0"),
    evaluate("--data data --device tpu", "tpu"),
    evaluate("--images missing", "missing", "not a folder"),
    evaluate("--images nothing", "nothing", "no images"),
    evaluate("--images bad_images", "a.png", "damaged"),
    evaluate("--images tiny_images", "at least 16 pixels"),
    Mistake(
        "evaluate --pair gray.tif truth.json --json truth.json --model good.pt",
        ("replace", "truth.json"),
    ),
    compare("good.pt --images tiny_images --figure tiny_images/a.png", "tiny_images"),
    compare("good.pt --images .", "comparison.png", "also reads or writes"),
    compare("good.pt --data data --figure one.png --json one.png", "one.png"),
    train("--network-option base_channels=2000000000", "base_channels", "65,536"),
    train(f"--preset residual --network-option latent_dim={2**63 - 1}", "latent_dim"),
    evaluate("--pair gray.tif missing.tif", "missing.tif", "does not exist"),
    evaluate("--pair gray.tif photo.png", "(40, 36)", "(40, 36, 3)"),
    evaluate("--pair gray.tif flat.tif", "constant"),
    evaluate("--pair gray.tif inf.tif", "infinite"),
    evaluate("--pair nan.tif gray.tif", "NaN"),
    evaluate("--pair complex.tif gray.tif", "complex64"),
    evaluate("--pair gray.tif bool.tif", "bool"),
    evaluate("--pair gray.tif gray.tif --data-range 5", "LOW,HIGH"),
    evaluate("--pair gray.tif gray.tif --data-range P101,P5", "percentiles"),
    evaluate("--pair gray.tif gray.tif --data-range P,P", "percentiles"),
    evaluate("--pair gray.tif gray.tif --data-range 9,1", "9", "1"),
    Mistake(
        "evaluate --data data --json missing/scores.json", ("missing does not exist",)
    ),
    Mistake("evaluate --data data --json nothing", ("nothing", "folder")),
    Mistake("evaluate --data data --model malicious.pt", ("malicious.pt",)),
    evaluate("--data data --limit 25", "limit", "at most 24"),
    Mistake("evaluate --data data --model few.pt --limit 7", ("at most 6", "few.pt")),
    evaluate("--images photos --data-range 0,1", "--data-range", "--pair"),
    evaluate("--pair gray.tif gray.tif --limit 3", "--limit", "no effect"),
    Mistake("evaluate --data data --model five.pt", ("5 channels",)),
    # Comparing.
    compare("good.pt missing.pt --data data", "missing.pt"),
    compare("good.pt malicious.pt --data data", "malicious.pt"),
    compare("good.pt text.pt --data data", "text.pt", "not a checkpoint"),
    compare("good.pt five.pt --data data", "five.pt", "5 channels"),
    compare("good.pt --data nothing", "cifar-10-batches-py", "https://"),
    compare("good.pt --images nothing", "nothing", "no images"),
    compare("good.pt --images bad_images", "a.png", "damaged"),
    compare("good.pt --data data --limit 0", "limit"),
    compare("good.pt few.pt --data data --limit 7", "at most 6", "few.pt"),
    compare("good.pt mild.pt --data data", "gaussian:0.5", "mild.pt: gaussian:0.1"),
    compare("good.pt --data data --noise perlin:1", "perlin:1"),
    compare("good.pt --data data --seed -1", "seed"),
    compare("good.pt --data data --device tpu", "tpu"),
    compare("good.pt --data data --figure figure.jpg", "figure.jpg", ".png"),
    compare("good.pt --data data --figure missing/f.png", "missing does not exist"),
    compare("good.pt --data data --figure nothing", ".png"),
    compare("good.pt --data data --json nothing", "nothing", "folder"),
    compare("good.pt --data data --json f.png --figure f.png", "replace", "f.png"),
    compare("good.pt run.pt --data data --json run.pt", "run.pt", "also reads or writes"),
    Mistake("evaluate --data data --model good.pt --json good.pt", ("replace",)),
]


def state_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def expect_an_error(command: str, folder: Path, capsys) -> str:
    """Run a command that must fail; return what it says."""
    before = state_of(folder)
    status = main(command.split())
    printed = capsys.readouterr()
    assert status == 2, printed
    *warned, error = printed.err.strip().splitlines()
    assert error.startswith("error: ")
    assert all(line.startswith("warning: ") for line in warned)
    assert "Traceback" not in printed.err
    assert state_of(folder) == before
    return error


@pytest.mark.parametrize(
    "mistake", MISTAKES, ids=lambda mistake: mistake.command.replace(LONG, "a...")
)
def test_a_mistake(mistake, folder, capsys):
    error = expect_an_error(mistake.command, folder, capsys)
    for words in mistake.words:
        assert words in error


WRITING = [
    "denoise photo.png out.png --model good.pt --add-noise gaussian:0.1 --figure f.png",
    "denoise gray.tif out.tif --model good.pt",
    "denoise photo.png out.jpg --model good.pt",
    "demo",
    "train --data data --epochs 1 --network-option base_channels=4",
    "evaluate --images photos --model good.pt --json scores.json",
    "compare good.pt --images photos --no-baselines",
]


@pytest.mark.parametrize("command", WRITING)
def test_a_full_disk(command, folder, capsys, monkeypatch):
    (folder / "photos").mkdir()
    (folder / "photos" / "a.png").write_bytes((folder / "photo.png").read_bytes())

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    before = state_of(folder)
    assert main(command.split()) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert "No space left on device" in error
    assert "free disk space" in error
    assert state_of(folder) == before


@pytest.mark.parametrize("command", WRITING)
def test_a_folder_that_cannot_be_written_to(command, folder, capsys, monkeypatch):
    """Refused before the work; root may write anywhere, so the refusal is made."""
    (folder / "photos").mkdir()

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(tempfile, "TemporaryFile", deny)
    error = expect_an_error(command, folder, capsys)
    assert "Permission denied" in error


def test_offline(folder, capsys, monkeypatch):
    import pooch
    import requests

    def offline(*_: object, **__: object) -> None:
        raise requests.ConnectionError

    monkeypatch.setattr(pooch, "retrieve", offline)
    error = expect_an_error("train --data nothing", folder, capsys)
    assert "https://www.cs.toronto.edu" in error
    assert "nothing/cifar-10-batches-py" in error


@pytest.mark.parametrize(
    "command",
    [
        "denoise text.png out.png",
        "denoise photo.png out.png --model malicious.pt",
        "train --data data --epochs 0",
        "info truncated.pt",
    ],
)
def test_in_a_process_of_its_own(command, folder):
    before = state_of(folder)
    done = subprocess.run(
        [sys.executable, "-m", "napari_denoise_ae", *command.split()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert state_of(folder) == before
