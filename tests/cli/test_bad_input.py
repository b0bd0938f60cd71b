"""Mistakes of the user: one clear error, exit status 2, no half-written file."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import pytest
from command import expect_error, state_of

# The command prints warnings itself; they must not become errors in tests.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)


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
    Mistake("denoise photo.png out.png --dtype float32", ("PNG", "TIFF", "float32")),
    Mistake("denoise photo.png out.JPG --dtype float32", ("JPG", "OME-Zarr")),
    denoise("--frames 9", "frames", "from 0 to 8"),
    denoise("--frames 2", "axis T or Z", "are YX"),
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
    Mistake("denoise photo.png out", ("must end in",)),
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
    train("--output run.pt", "already exists"),
    train("--output new.pt --resume", "nothing to resume"),
    Mistake("train", ("exactly one of data, images", "none was given")),
    train("--images photo.png", "exactly one of", "got data and images"),
    train("--axes YX", "axes and channel are for your own images"),
    Mistake("train --images photo.png --download", ("download is for CIFAR-10",)),
    Mistake("train --config missing.toml", ("Cannot read missing.toml",)),
    train("--config photo.png", "photo.png is not valid TOML"),
    train("--data nothing", "nothing/cifar-10-batches-py", "--download"),
    train("--data tiny_images --download", "tiny_images holds images", "--images"),
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
    evaluate("--pair gray.tif gray.tif --measured", "--measured", "no effect"),
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
    compare(
        "good.pt run.pt --data data --json run.pt", "run.pt", "also reads or writes"
    ),
    Mistake("evaluate --data data --model good.pt --json good.pt", ("replace",)),
]


@pytest.mark.parametrize(
    "mistake", MISTAKES, ids=lambda mistake: mistake.command.replace(LONG, "a...")
)
def test_mistake_is_one_error_line_and_writes_no_file(mistake, folder, capsys):
    error = expect_error(mistake.command, folder, capsys)
    for words in mistake.words:
        assert words in error


@pytest.mark.parametrize(
    "command",
    [
        "denoise text.png out.png",
        "denoise photo.png out.png --model malicious.pt",
        "train --data data --epochs 0",
        "info truncated.pt",
    ],
)
def test_mistake_in_a_process_of_its_own(command, folder):
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
