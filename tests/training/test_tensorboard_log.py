"""The log for TensorBoard, as TensorBoard reads it."""

from __future__ import annotations

import sys

import pytest
from command import run
from synthetic import SMALL, image_set

from napari_denoise_ae.errors import (
    DenoiseAEWarning,
    MissingDependencyError,
    OutputError,
)
from napari_denoise_ae.training import tensorboard_log
from napari_denoise_ae.training.api import train

SETTINGS = {"network_options": SMALL, "batch_size": 8, "device": "cpu"}
NAMES = ("train_loss", "val_loss", "val_psnr", "learning_rate")


def read(folder):
    """Return the epochs and values of each scalar, and the pictures."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(folder), {"images": 0, "scalars": 0})
    log.Reload()
    names = log.Tags()["scalars"]
    scalars = {name: [(e.step, e.value) for e in log.Scalars(name)] for name in names}
    return scalars, {name: log.Images(name) for name in log.Tags()["images"]}


def test_each_epoch_and_the_gallery_are_logged(tmp_path):
    pytest.importorskip("tensorboard")
    given = {"output": tmp_path / "mine.pt", "progress": False, **SETTINGS}
    given["log_dir"] = tmp_path / "logs"
    settings = {"schedule": "constant", "warm_up": 7, "learning_rate": 0.01}
    train(image_set(), epochs=2, **given, **settings)
    result = train(image_set(), epochs=3, resume=True, **given)
    scalars, images = read(tmp_path / "logs" / "mine")
    assert set(scalars) == set(NAMES)
    for name in NAMES[:-1]:
        expected = [(each.epoch, getattr(each, name)) for each in result.history]
        assert scalars[name] == [(n, pytest.approx(value)) for n, value in expected]
    rates = [value for _, value in scalars["learning_rate"]]
    assert rates == [pytest.approx(rate) for rate in (0.00625, 0.01, 0.01)]
    gallery = images["gallery"][-1]
    assert gallery.step == result.best_epoch.epoch
    assert gallery.width > 100
    # A new run hides the old one.
    train(image_set(), epochs=1, overwrite=True, **given)
    scalars, _ = read(tmp_path / "logs" / "mine")
    assert [epoch for epoch, _ in scalars["val_loss"]] == [1]


def test_without_tensorboard_nothing_is_trained(cifar10, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    output = tmp_path / "mine.pt"
    logs = ["--log-dir", tmp_path / "logs"]
    assert run("train", "--data", cifar10, "--output", output, *logs) == 2
    assert "pip install 'napari-denoise-ae[tensorboard]'" in capsys.readouterr().err
    assert not output.exists()
    with pytest.raises(MissingDependencyError):
        train(image_set(), output=output, log_dir=tmp_path / "logs", **SETTINGS)


def test_a_log_that_cannot_be_written_ends_no_run(tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    given = {"output": tmp_path / "mine.pt", "progress": False, **SETTINGS}
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Cannot write"):
        train(image_set(), log_dir=tmp_path / "file", epochs=1, **given)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tensorboard_log.TensorBoardLog, "_scalars", fail)
    with pytest.warns(DenoiseAEWarning, match="continues without a log"):
        result = train(image_set(), log_dir=tmp_path / "logs", epochs=1, **given)
    assert result.files.gallery.exists()
