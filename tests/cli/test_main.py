from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from synthetic import make_record, random_checkpoint, small_config, smooth_photo

from napari_denoise_ae import __version__
from napari_denoise_ae.cli import other
from napari_denoise_ae.cli.main import main
from napari_denoise_ae.denoising.api import denoise
from napari_denoise_ae.evaluation.baselines import BASELINES
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.training_state import load_training_state
from napari_denoise_ae.training import saved
from napari_denoise_ae.training.results import BatchResult
from napari_denoise_ae.training.trainer import Trainer

# The command prints warnings itself; here they shall not become errors.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)

SMALL_RUN = ["--network-option", "base_channels=4", "--batch-size", "16"]
RUNNER = [sys.executable, str(Path(__file__).parents[1] / "fake_cifar10.py")]


@pytest.fixture
def photo() -> np.ndarray:
    return np.rint(255 * smooth_photo(48, 40)).astype(np.uint8)


@pytest.fixture
def png(tmp_path, photo) -> Path:
    Image.fromarray(photo).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def read(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


# --- denoise ---------------------------------------------------------------


def test_denoise_does_what_denoise_does(png, photo, model_file, tmp_path, capsys):
    assert run("denoise", png, tmp_path / "out.png", "--model", model_file) == 0
    with pytest.warns(match="less noisy"):
        expected = denoise(photo, model=model_file)
    np.testing.assert_array_equal(read(tmp_path / "out.png"), expected)
    printed = capsys.readouterr()
    for part in ("48 x 40 x 3 (YXS), uint8", "0 to 255", str(model_file), "out.png"):
        assert part in printed.out
    assert "much less noisy" in printed.err
    assert "PSNR" not in printed.out


def test_the_built_in_model_that_suits_the_image_is_the_default(png, tmp_path, capsys):
    assert run("denoise", png, tmp_path / "out.png") == 0
    assert "model      rgb" in capsys.readouterr().out


def test_add_noise_writes_a_preview_and_prints_figures(
    png, photo, model_file, tmp_path, capsys
):
    status = run(
        *("denoise", png, tmp_path / "out.png", "--model", model_file),
        *("--add-noise", "gaussian:0.1", "--seed", 7, "--figure", tmp_path / "f.png"),
    )
    assert status == 0
    noisy = read(tmp_path / "out_noisy.png").astype(float)
    assert (noisy - photo).std() == pytest.approx(25.5, rel=0.1)
    printed = capsys.readouterr().out
    for part in ("PSNR / dB", "SSIM", "noisy", "denoised", "gain", "seed 7", "f.png"):
        assert part in printed
    assert read(tmp_path / "f.png").shape[1] > 600


def test_the_seed_decides_the_noise(png, model_file, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        output = tmp_path / f"{name}.png"
        given = ["--model", model_file, "--add-noise", "gaussian:0.3", "--seed", seed]
        assert run("denoise", png, output, *given) == 0
    first, again, other = (read(tmp_path / f"{name}_noisy.png") for name in "abc")
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_reference_gives_figures_for_an_input_that_is_noisy(
    png, photo, model_file, tmp_path, capsys
):
    noisy = np.clip(photo + np.random.default_rng(0).normal(0, 40, photo.shape), 0, 255)
    Image.fromarray(noisy.astype(np.uint8)).save(tmp_path / "noisy.png")
    given = ["--model", model_file, "--reference", png, "--figure", tmp_path / "f.png"]
    assert run("denoise", tmp_path / "noisy.png", tmp_path / "out.png", *given) == 0
    printed = capsys.readouterr().out
    assert "PSNR / dB" in printed
    assert "data range 0 to 255" in printed
    assert not (tmp_path / "out_noisy.png").exists()


def test_a_16_bit_tiff_stack_keeps_axes_calibration_and_dtype(
    model_file, tmp_path, capsys
):
    stack = np.random.default_rng(0).integers(100, 4000, (3, 20, 24), dtype=np.uint16)
    tifffile.imwrite(
        tmp_path / "in.tif",
        stack,
        imagej=True,
        resolution=(5, 5),
        metadata={"axes": "ZYX", "unit": "um", "spacing": 2.0},
    )
    given = ["--model", model_file, "--figure", tmp_path / "f.png"]
    assert run("denoise", tmp_path / "in.tif", tmp_path / "out.tif", *given) == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as tiff:
        assert (tiff.series[0].axes, tiff.series[0].dtype) == ("ZYX", np.uint16)
        assert tiff.series[0].shape == stack.shape
        assert tiff.imagej_metadata["unit"] == "um"
        assert tiff.imagej_metadata["spacing"] == 2.0
        assert "denoised with" in tiff.imagej_metadata["Info"]
    printed = capsys.readouterr()
    assert f"{stack.min()} to {stack.max()} mapped" in printed.out
    assert "is gray" in printed.err


def test_axes_intensity_range_and_tile_size_can_be_given(model_file, tmp_path, capsys):
    image = np.random.default_rng(0).random((20, 24, 2)).astype(np.float32)
    tifffile.imwrite(tmp_path / "in.tif", image, metadata=None)
    given = ["--model", model_file, "--axes", "yxc", "--intensity-range", "0,2"]
    outputs = [tmp_path / "a.tif", tmp_path / "b.tif"]
    for output, size in zip(outputs, (8, 512), strict=True):
        status = run(
            "denoise", tmp_path / "in.tif", output, *given, "--tile-size", size
        )
        assert status == 0
    assert "0 to 2 mapped" in capsys.readouterr().out
    np.testing.assert_allclose(*(tifffile.imread(path) for path in outputs), atol=1e-6)


def test_a_range_may_begin_below_zero(model_file, tmp_path, capsys):
    image = np.random.default_rng(0).normal(size=(20, 24)).astype(np.float32)
    tifffile.imwrite(tmp_path / "in.tif", image)
    given = ["--model", model_file, "--intensity-range", "-5,5"]
    assert run("denoise", tmp_path / "in.tif", tmp_path / "out.tif", *given) == 0
    assert "-5 to 5 mapped" in capsys.readouterr().out


def test_png_with_alpha_keeps_it(model_file, tmp_path, photo):
    alpha = np.arange(48 * 40, dtype=np.uint8).reshape(48, 40, 1)
    Image.fromarray(np.concatenate([photo, alpha], axis=-1)).save(tmp_path / "in.png")
    given = ["--model", model_file]
    assert run("denoise", tmp_path / "in.png", tmp_path / "out.png", *given) == 0
    np.testing.assert_array_equal(read(tmp_path / "out.png")[..., 3:], alpha)


def test_one_format_into_another(model_file, tmp_path, png):
    for name in ("out.jpg", "out.tif", "out.png"):
        assert run("denoise", png, tmp_path / name, "--model", model_file) == 0
    difference = read(tmp_path / "out.jpg").astype(int) - read(tmp_path / "out.png")
    assert np.abs(difference).mean() < 5
    np.testing.assert_array_equal(
        read(tmp_path / "out.tif"), read(tmp_path / "out.png")
    )


# --- demo ------------------------------------------------------------------


def test_the_demo_prints_a_table_and_draws_three_images(tmp_path, capsys):
    assert run("demo", "--output", tmp_path) == 0
    printed = capsys.readouterr()
    for part in ("astronaut", "PSNR / dB", "rgb", "demo.png", "sigma 0.1"):
        assert part in printed.out
    assert printed.err == ""
    assert read(tmp_path / "demo.png").shape[1] > 3 * 300
    assert [path.name for path in tmp_path.iterdir()] == ["demo.png"]


def test_the_demo_adds_the_noise_that_a_model_is_for(model_file, tmp_path, capsys):
    assert run("demo", "--output", tmp_path, "--model", model_file) == 0
    assert "sigma 0.5" in capsys.readouterr().out


@pytest.mark.filterwarnings("default")
def test_the_demo_of_a_model_without_a_record_is_refused(tmp_path, capsys):
    import torch

    weights = dict(random_checkpoint(base_channels=32).state_dict)
    torch.save(weights, tmp_path / "plain.pth")
    assert run("demo", "--output", tmp_path, "--model", tmp_path / "plain.pth") == 2
    assert "has no training record" in capsys.readouterr().err
    assert not (tmp_path / "demo.png").exists()


def test_the_demo_says_where_a_viewer_is_missing(tmp_path, capsys, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert run("demo", "--output", tmp_path, "--viewer") == 2
    assert "The viewer needs" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# --- train -----------------------------------------------------------------


def train(cifar10: Path, output: Path, *more: object) -> int:
    return run("train", "--data", cifar10, "--output", output, *SMALL_RUN, *more)


def test_train_writes_its_files_and_says_where(cifar10, tmp_path, capsys):
    output = tmp_path / "model.pt"
    assert train(cifar10, output, "--epochs", 2, "--device", "cpu") == 0
    printed = capsys.readouterr()
    for part in (
        "cpu (requested)",
        "72 images to train, 8 to validate",
        "sigma 0.5",
        "all epochs are done",
        "model.pt",
        "model.history.csv",
        "model.curves.png",
        "model.gallery.png",
        "mean of 24 test images",
    ):
        assert part in printed.out
    assert "epoch   2/2" in printed.err
    names = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert names == {
        "model.pt",
        "model.resume",
        "model.history.csv",
        "model.curves.png",
        "model.gallery.png",
    }


def test_every_setting_is_an_option(cifar10, tmp_path):
    output = tmp_path / "model.pt"
    given = {
        "preset": "conv",
        "noise": "gaussian:0.2,unclipped",
        "loss": "l1",
        "optimizer": "adamw",
        "learning_rate": 0.005,
        "epochs": 2,
        "patience": 7,
        "min_delta": 0.001,
        "val_fraction": 0.25,
        "augmentation": "flip",
        "seed": 3,
    }
    options = [
        part
        for name, value in given.items()
        for part in (f"--{name.replace('_', '-')}", value)
    ]
    assert train(cifar10, output, *options, "--no-mixed-precision") == 0
    config = load_checkpoint(output).record.config
    assert {name: getattr(config, name) for name in given} == given
    assert (config.batch_size, config.mixed_precision) == (16, False)
    assert config.network_options == {"base_channels": 4}


def test_patience_above_epochs_is_allowed_and_said(cifar10, tmp_path, capsys):
    output = tmp_path / "model.pt"
    assert train(cifar10, output, "--epochs", 1, "--patience", 5) == 0
    printed = capsys.readouterr()
    assert "patience" in printed.out + printed.err


def test_a_run_is_neither_replaced_nor_lost(cifar10, tmp_path, capsys):
    output = tmp_path / "model.pt"
    assert train(cifar10, output, "--epochs", 1) == 0
    before = output.read_bytes()
    assert train(cifar10, output, "--epochs", 1) == 2
    assert "is there already" in capsys.readouterr().err
    assert output.read_bytes() == before
    assert train(cifar10, output, "--epochs", 2, "--overwrite") == 0
    assert load_checkpoint(output).record.epochs_run == 2


def test_resume_after_the_end_says_it_is_over_and_how_to_go_on(
    cifar10, tmp_path, capsys
):
    output = tmp_path / "model.pt"
    assert train(cifar10, output, "--epochs", 1) == 0
    given = ["train", "--data", cifar10, "--output", output, "--resume"]
    assert run(*given) == 2
    assert "over: all epochs are done. Give it more epochs" in capsys.readouterr().err
    assert run(*given, "--epochs", 3, "--patience", 9) == 0
    assert load_checkpoint(output).record.epochs_run == 3


@pytest.mark.parametrize("epochs", [0, 2])
def test_ctrl_c(cifar10, tmp_path, capsys, monkeypatch, epochs):
    original = Trainer.run

    def interrupted(self, stop=None):
        for result in original(self):
            if isinstance(result, BatchResult) and result.epoch > epochs:
                raise KeyboardInterrupt
            yield result

    monkeypatch.setattr(Trainer, "run", interrupted)
    output = tmp_path / "model.pt"
    status = train(cifar10, output)
    printed = capsys.readouterr()
    if epochs == 0:
        assert status == 130
        assert "interrupted: no epoch was finished" in printed.err
        assert not output.exists()
    else:
        assert status == 0
        assert "interrupted after epoch 2" in printed.out
        assert str(output) in printed.out
        assert load_checkpoint(output).record.epochs_run == 2


def test_late_ctrl_c_says_what_is_kept(cifar10, tmp_path, capsys, monkeypatch):
    """While the curves are drawn, the checkpoint is written already."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(saved, "save_loss_curves", interrupted)
    output = tmp_path / "model.pt"
    assert train(cifar10, output, "--epochs", 1) == 0
    printed = capsys.readouterr()
    assert f"checkpoint  {output}" in printed.out
    assert "curves" not in printed.out
    assert load_checkpoint(output).record.epochs_run == 1


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_sigint_keeps_the_best_epoch_and_says_where(cifar10, tmp_path):
    output = tmp_path / "model.pt"
    arguments = ["train", "--data", cifar10, "--output", output, *SMALL_RUN]
    more = ["--epochs", "100000", "--patience", "100000", "--device", "cpu"]
    process = subprocess.Popen(
        [*RUNNER, str(cifar10), *map(str, arguments), *more],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not output.with_suffix(".resume").exists():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        printed, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert "interrupted after epoch" in printed
    assert f"checkpoint  {output}" in printed
    assert "Traceback" not in errors
    state = load_training_state(output.with_suffix(".resume"))
    # Interrupted between two files of an epoch, the state is one epoch behind.
    epochs_run = load_checkpoint(output).record.epochs_run
    assert epochs_run - len(state.history) in (0, 1)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


# --- evaluate and info -----------------------------------------------------


def test_evaluate_on_cifar10(cifar10, model_file, tmp_path, capsys):
    file = tmp_path / "scores.json"
    given = ["--limit", 2, "--noise", "gaussian:0.25", "--json", file]
    assert run("evaluate", "--data", cifar10, "--model", model_file, *given) == 0
    records = json.loads(file.read_text())
    methods = ["noisy", model_file.name, *BASELINES]
    assert [record["method"] for record in records] == methods
    assert {record["n"] for record in records} == {2}
    assert {record["noise"] for record in records} == {"gaussian:0.25"}
    printed = capsys.readouterr().out
    assert all(method in printed for method in methods)
    assert f"{records[0]['psnr_mean']:.2f}" in printed


def test_evaluate_says_which_images_it_takes_and_why(cifar10, tmp_path, capsys):
    record = make_record(dataset="CIFAR-10 training set", config=small_config(n_test=4))
    file = tmp_path / "four.pt"
    save_checkpoint(random_checkpoint(record=record), file)
    assert run("evaluate", "--data", cifar10, "--model", file) == 0
    printed = capsys.readouterr().out
    assert "4, all test images of CIFAR-10 that four.pt was not trained on" in printed
    assert "noise   gaussian:0.5\n" in printed
    assert run("evaluate", "--data", cifar10, "--model", file, "--limit", 3) == 0
    assert "3, the first of 4 test images" in capsys.readouterr().out


def test_evaluate_warns_of_noise_that_the_model_is_not_for(cifar10, model_file, capsys):
    given = ["--limit", 5, "--noise", "gaussian:0.05"]
    assert run("evaluate", "--data", cifar10, "--model", model_file, *given) == 0
    assert "These images look much less noisy" in capsys.readouterr().err


def test_compare_puts_models_side_by_side(cifar10, model_file, tmp_path, capsys):
    other = tmp_path / "other" / "model.pt"
    other.parent.mkdir()
    other.write_bytes(model_file.read_bytes())
    figure, file = tmp_path / "figure.png", tmp_path / "scores.json"
    given = ["--data", cifar10, "--limit", 2, "--figure", figure, "--json", file]
    assert run("compare", model_file, other, "conv", *given) == 0
    records = json.loads(file.read_text())
    names = [f"{model_file.parent.name}/model.pt", "other/model.pt", "conv"]
    methods = ["noisy", *names, *BASELINES]
    assert [record["method"] for record in records] == methods
    assert {record["n"] for record in records} == {2}
    printed = capsys.readouterr().out
    for part in (*methods, "PSNR", "SSIM", "parameters", "186,371", str(figure)):
        assert part in printed
    assert read(figure).shape[1] > 5 * 250


def test_compare_on_a_folder_without_baselines(
    model_file, tmp_path, png, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "images"
    folder.mkdir()
    png.rename(folder / "a.png")
    Image.fromarray(np.arange(900, dtype=np.uint8).reshape(20, 45)).save(
        folder / "b.png"
    )
    assert run("compare", model_file, "--images", folder, "--no-baselines") == 0
    printed = capsys.readouterr().out
    assert "images  2, all in" in printed
    assert "wavelet" not in printed
    assert read(tmp_path / "comparison.png").std() > 5


def test_evaluate_on_a_folder(model_file, tmp_path, png, capsys):
    folder = tmp_path / "images"
    folder.mkdir()
    png.rename(folder / "a.png")
    given = ["--images", folder, "--model", model_file, "--noise", "gaussian:0.1"]
    assert run("evaluate", *given) == 0
    assert "images  1, all in" in capsys.readouterr().out


@pytest.fixture
def pair(tmp_path) -> list[Path]:
    reference = (4000 * smooth_photo(40, 32, 1)[..., 0]).astype(np.uint16)
    noisy = reference + np.random.default_rng(0).integers(0, 200, (3, 40, 32))
    paths = [tmp_path / "noisy.tif", tmp_path / "reference.tif"]
    tifffile.imwrite(paths[0], noisy.astype(np.uint16), photometric="minisblack")
    tifffile.imwrite(paths[1], reference)
    return paths


@pytest.mark.parametrize(
    "data_range", [None, "0,4095", "P0.1,P99.9", "p0,p100", "0,P99", " -5,4095"]
)
def test_evaluate_on_a_real_pair(pair, model_file, tmp_path, data_range):
    file = tmp_path / "scores.json"
    more = [] if data_range is None else ["--data-range", data_range]
    given = ["--pair", *pair, "--model", model_file, "--json", file, *more]
    assert run("evaluate", *given) == 0
    records = json.loads(file.read_text())
    assert {(record["n"], record["noise"]) for record in records} == {(3, "real")}


def test_the_data_range_moves_the_figures(pair, model_file, tmp_path):
    file = tmp_path / "scores.json"
    figures = []
    for data_range in ("0,4000", "0,40000"):
        given = ["--pair", *pair, "--model", model_file, "--json", file]
        assert run("evaluate", *given, "--data-range", data_range) == 0
        figures.append(json.loads(file.read_text())[0]["psnr_mean"])
    assert figures[1] == pytest.approx(figures[0] + 20)


def test_info_describes_a_file_or_a_built_in_model(model_file, capsys):
    assert run("info", model_file) == 0
    assert "base_channels=4" in capsys.readouterr().out
    assert run("info", "conv") == 0
    assert "186,371 parameters" in capsys.readouterr().out


# --- the command itself ----------------------------------------------------


@pytest.mark.parametrize(
    "command", [[], ["denoise"], ["train"], ["evaluate"], ["compare"], ["demo"]]
)
def test_help_is_there(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([*command, "--help"])
    assert "usage: napari-denoise-ae" in capsys.readouterr().out


def test_the_version_is_there(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out.strip() == __version__


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["paint"],
        ["denoise", "a.png"],
        [
            "denoise",
            "a.png",
            "b.png",
            "--add-noise",
            "gaussian:1",
            "--reference",
            "c.png",
        ],
        ["denoise", "a.png", "b.png", "--intensity-range", "5"],
        ["denoise", "a.png", "b.png", "--intensity-range", "1,2,3"],
        ["denoise", "a.png", "b.png", "--tile-size", "big"],
        ["train"],
        ["train", "--data", "d", "--loss", "l3"],
        ["train", "--data", "d", "--epochs", "many"],
        ["train", "--data", "d", "--network-option", "base_channels"],
        ["train", "--data", "d", "--network-option", "base_channels=wide"],
        ["train", "--data", "d", "--network-option", "base_channels=[1]"],
        ["evaluate"],
        ["evaluate", "--data", "d", "--images", "i"],
        ["evaluate", "--pair", "a.tif"],
        ["evaluate", "--data", "d", "--limit", "few"],
        ["compare", "--data", "d"],
        ["compare", "conv"],
        ["compare", "conv", "--data", "d", "--images", "i"],
        ["info"],
    ],
    ids=" ".join,
)
def test_wrong_arguments_end_with_status_2_and_the_usage(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main(command)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_an_interrupt_anywhere_ends_with_status_130(monkeypatch, capsys):
    def interrupt(_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(other, "_info", interrupt)
    assert run("info", "conv") == 130
    # What is kept depends on the command: nothing is claimed here.
    assert capsys.readouterr().err == "interrupted\n"


def test_it_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "napari_denoise_ae", "info", "conv"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "186,371" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="a pipe of POSIX")
def test_a_reader_that_goes_away_is_no_traceback():
    """As in ``napari-denoise-ae info conv | head -1``."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "napari_denoise_ae", "info", "conv"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert "Traceback" not in done.stderr
    assert "BrokenPipeError" not in done.stderr
