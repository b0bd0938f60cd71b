from __future__ import annotations

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from synthetic import SMALL, equal_weights, image_set, smooth_images

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.models.presets import PRESETS
from napari_denoise_ae.training.api import train
from napari_denoise_ae.training.job import TrainingJob
from napari_denoise_ae.training.run_config import (
    IN_MEMORY,
    make_job,
    read_run_config,
    run_config_text,
)

SETTINGS = {"network_options": SMALL, "batch_size": 8, "epochs": 2, "seed": 3}


def written(folder, **arguments):
    """Write the file of a job, and return its path and the job."""
    job = TrainingJob(output=folder / "model.pt", **arguments)
    config = job.config_for(job.preset or "conv", job.settings)
    job.files.run_config.write_text(run_config_text(job, config), "utf-8")
    return job.files.run_config, job


@pytest.fixture
def hand_written(tmp_path):
    """Write a file with some contents, and return its path."""

    def write(text: str, name: str = "mine.run.toml"):
        (tmp_path / name).write_text(text, "utf-8")
        return tmp_path / name

    return write


# --- repeating a run -------------------------------------------------------


def test_run_is_repeated_exactly(cifar10, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = train("data", output="first.pt", progress=False, **SETTINGS)
    # The paths in the file are absolute.
    monkeypatch.chdir(cifar10)
    config = first.files.run_config.absolute()
    assert not config.exists()
    config = tmp_path / "first.run.toml"
    again = train(config=config, output=tmp_path / "again.pt", progress=False)
    assert equal_weights(first.checkpoint.state_dict, again.checkpoint.state_dict)
    assert first.checkpoint.record.config == again.checkpoint.record.config
    text = config.read_text("utf-8").replace("first.run.toml", "again.run.toml")
    assert again.files.run_config.read_text("utf-8") == text


def test_without_an_output_the_run_itself_is_meant(cifar10, tmp_path):
    output = tmp_path / "first.pt"
    train(cifar10, output=output, progress=False, **SETTINGS)
    job = make_job(tmp_path / "first.run.toml", {})
    assert job.files.checkpoint == output
    # So the file is enough to resume the run.
    train(config=tmp_path / "first.run.toml", resume=True, epochs=3, progress=False)
    assert load_checkpoint(output).record.epochs_run == 3
    settings = tomllib.loads((tmp_path / "first.run.toml").read_text())["settings"]
    assert settings["epochs"] == 3


@pytest.mark.parametrize("preset", PRESETS)
def test_every_setting_is_kept(tmp_path, preset):
    settings = {"min_delta": 1e-7, "zoom": 1.5}
    config, job = written(tmp_path, data="data", preset=preset, settings=settings)
    repeated = make_job(config, {})
    expected = job.config_for(preset, settings)
    assert repeated.config_for(preset, repeated.settings) == expected
    assert repeated.preset == preset
    assert repeated.device == "auto"


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("data", "data"),
        ("images", ["a.tif", "photos/*.png"]),
        ("pairs", ("noisy", ["c.tif", "d.tif"])),
        ("repeats", "stack.tif"),
        ("adapt", "stack.tif"),
        ("noise2void", "stack.tif"),
    ],
)
@pytest.mark.parametrize("start", ["gray", "auto"])
def test_images_are_named_by_absolute_paths(tmp_path, monkeypatch, kind, given, start):
    monkeypatch.chdir(tmp_path)
    about = {} if kind == "data" else {"axes": "TYX", "channel": 1}
    options = about | {"start_from": start, "device": "cpu"}
    config, _ = written(tmp_path, **{kind: given}, **options)
    monkeypatch.chdir("/")

    def absolute(names):
        if isinstance(names, str):
            return str(tmp_path / names)
        return [absolute(name) for name in names]

    job = make_job(config, {})
    assert getattr(job, kind) == absolute(given)
    assert {name: getattr(job, name) for name in options} == options


def test_resuming_keeps_what_it_does_not_repeat(tmp_path):
    written(tmp_path, images="a.tif", start_from="gray", axes="TYX")
    config, _ = written(tmp_path, images="a.tif", resume=True, settings={"epochs": 7})
    job = make_job(config, {})
    assert (job.start_from, job.axes, job.settings["epochs"]) == ("gray", "TYX", 7)


def test_resuming_needs_only_the_output(cifar10, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train(cifar10, progress=False, **SETTINGS)
    result = train(resume=True, epochs=3, progress=False)
    assert len(result.history) == 3
    with pytest.raises(InvalidInputError, match="none was given"):
        train(output="other.pt", resume=True, progress=False)


# --- in memory -------------------------------------------------------------


def test_images_in_memory_must_be_passed_again(tmp_path):
    output = tmp_path / "model.pt"
    first = train(image_set(), output=output, progress=False, **SETTINGS)
    config = first.files.run_config
    with pytest.raises(InvalidInputError, match="cannot name data, which was in mem"):
        train(config=config, overwrite=True, progress=False)
    again = train(image_set(), config=config, overwrite=True, progress=False)
    assert equal_weights(first.checkpoint.state_dict, again.checkpoint.state_dict)


@pytest.mark.parametrize("images", [np.zeros((9, 9)), ["a.tif", np.zeros((9, 9))]])
def test_arrays_must_be_passed_again(tmp_path, images):
    config, _ = written(tmp_path, images=images, axes="YX")
    with pytest.raises(InvalidInputError, match="cannot name images"):
        make_job(config, {})
    job = make_job(config, {"images": np.zeros((3, 9, 9))})
    # The axes belonged to the other images.
    assert job.axes is None


def test_the_names_of_arrays_are_kept(tmp_path):
    pairs = ({"noisy": np.zeros((9, 9))}, {"clean": "clean.tif"})
    config, _ = written(tmp_path, pairs=pairs)
    saved = read_run_config(config)["pairs"]
    clean = str(Path("clean.tif").absolute())
    assert saved == [{"noisy": IN_MEMORY}, {"clean": clean}]
    with pytest.raises(InvalidInputError, match="cannot name pairs"):
        make_job(config, {})
    assert make_job(config, {"pairs": pairs}).pairs == pairs


def test_files_with_names_are_repeated(tmp_path):
    files = {"a": tmp_path / "a.tif", "b": "b.tif"}
    config, _ = written(tmp_path, images=files)
    absolute = {name: str(Path(file).absolute()) for name, file in files.items()}
    assert make_job(config, {}).images == absolute


def test_model_in_memory_must_be_passed_again(tmp_path):
    model = load_checkpoint("gray")
    config, _ = written(tmp_path, images="a.tif", start_from=model)
    with pytest.raises(InvalidInputError, match="cannot name start_from"):
        make_job(config, {})
    assert make_job(config, {"start_from": model}).start_from is model


# --- files written by hand -------------------------------------------------


def test_arguments_override_the_file(hand_written):
    config = hand_written('images = "a.tif"\naxes = "YX"\n[settings]\nepochs = 4\n')
    given = {"settings": {"epochs": 9}, "axes": None, "output": "other.pt"}
    job = make_job(config, given)
    assert (job.settings["epochs"], job.axes, job.output) == (9, "YX", "other.pt")
    other = make_job(config, {"repeats": "b.tif", "settings": {}})
    assert (other.images, other.repeats, other.axes) == (None, "b.tif", None)


def test_relative_paths_start_from_the_folder_of_the_file(hand_written, tmp_path):
    config = hand_written('images = ["a.tif"]\nstart_from = "b.pt"\n', "mine.toml")
    job = make_job(config, {})
    assert job.images == [str(tmp_path / "a.tif")]
    assert job.start_from == str(tmp_path / "b.pt")
    assert job.output == tmp_path / "mine.safetensors"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("images = ", "not valid TOML"),
        ("x = " + "[" * 5000, "not valid TOML"),
        ('imges = "a.tif"', "unknown key imges. Known keys: data, images"),
        ("images = 5", "images must be a path or a list of paths, got 5"),
        ('images = ["a.tif", 5]', "images must be a path or a list"),
        ('data = "d"\nchannel = true', "channel must be an integer, got True"),
        ('data = "d"\ndevice = 5', "device must be a string, got 5"),
        ('data = "d"\nsettings = 5', "settings must be a table, got 5"),
        ('data = "d"\n[settings]\nepochs = "many"', "mine.run.toml: epochs must be"),
        ('data = "d"\n[settings]\nspeed = 5', "Unknown setting speed"),
        ('data = "d"\n[settings]\npreset = "gray"', "preset must stand outside"),
        ('data = "d"\npreset = "unet9"', "mine.run.toml: Unknown preset 'unet9'"),
        ('data = "d"\nimages = "a.tif"', "exactly one of .* got data and images"),
        ("[settings]\nepochs = 5", "exactly one of .* none was given"),
    ],
)
def test_invalid_files_are_rejected(hand_written, text, message):
    with pytest.raises(InvalidInputError, match=message):
        make_job(hand_written(text), {})


def test_files_that_cannot_be_read_are_rejected(tmp_path):
    with pytest.raises(InvalidInputError, match=r"Cannot read .*: No such file"):
        make_job(tmp_path / "missing.run.toml", {})
    (tmp_path / "binary.run.toml").write_bytes(bytes(range(256)))
    with pytest.raises(InvalidInputError, match="not valid TOML"):
        make_job(tmp_path / "binary.run.toml", {})


@pytest.mark.parametrize("kind", ["pairs", "repeats", "adapt", "noise2void"])
def test_noise_is_not_added_to_noisy_images(hand_written, kind):
    given = {kind: "a.tif", "settings": {"noise": "gaussian:0.1"}}
    with pytest.raises(InvalidInputError, match=f"that of {kind} is measured"):
        make_job(None, given)
    # A file contains all settings, even those without effect.
    config = hand_written(f'{kind} = "a.tif"\n[settings]\nnoise = "gaussian:0.1"\n')
    assert make_job(config, {}).kind == kind


def test_a_preset_without_effect_is_rejected(tmp_path):
    config, _ = written(tmp_path, data="data", preset="residual")
    with pytest.raises(InvalidInputError, match="contains all settings"):
        make_job(config, {"preset": "gray"})
    assert make_job(config, {"preset": "residual"}).preset == "residual"


def test_images_of_ones_own_are_trained_on_again(tmp_path):
    images = smooth_images(4, side=32, channels=1)[..., 0]
    options = {"photometric": "minisblack", "metadata": {"axes": "ZYX"}}
    tifffile.imwrite(tmp_path / "stack.tif", images, **options)
    first = train(
        images=tmp_path / "stack.tif",
        output=tmp_path / "first.pt",
        preset="conv",
        progress=False,
        patch_size=16,
        batches_per_epoch=2,
        **SETTINGS | {"network_options": SMALL | {"in_channels": 1}},
    )
    again = train(
        config=first.files.run_config, output=tmp_path / "again.pt", progress=False
    )
    assert equal_weights(first.checkpoint.state_dict, again.checkpoint.state_dict)
    assert not math.isnan(again.best_epoch.val_loss)
