from __future__ import annotations

import shutil
from contextlib import suppress

import pytest
import torch
from PIL import Image
from synthetic import SMALL, image_set
from tqdm import tqdm

import napari_denoise_ae
from napari_denoise_ae import evaluate
from napari_denoise_ae.errors import (
    CheckpointError,
    DatasetError,
    DenoiseAEWarning,
    DeviceError,
    InvalidInputError,
    OutputError,
)
from napari_denoise_ae.evaluation.score import ScoringProgress
from napari_denoise_ae.io.download import DownloadProgress
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.training import api as scripting
from napari_denoise_ae.training import run as runs
from napari_denoise_ae.training import saved
from napari_denoise_ae.training.api import describe_epoch, train
from napari_denoise_ae.training.results import (
    BatchResult,
    EpochResult,
    TrainingResult,
)
from napari_denoise_ae.training.saved import SavedTraining
from napari_denoise_ae.training.trainer import Trainer

SETTINGS = {"network_options": SMALL, "batch_size": 8, "epochs": 2, "device": "cpu"}


@pytest.fixture
def output(tmp_path):
    return tmp_path / "model.pt"


def test_training_on_images_in_memory(output):
    result = train(image_set(), output=output, progress=False, **SETTINGS)
    assert isinstance(result, TrainingResult)
    assert result.stop_reason == "all epochs are done"
    assert [epoch.epoch for epoch in result.history] == [1, 2]
    assert result.files.checkpoint == output
    record = load_checkpoint(output).record
    assert record.config.preset == "conv"
    assert record.config.noise == "gaussian:0.5"


def test_training_on_cifar10(cifar10, output):
    result = train(cifar10, output=str(output), progress=False, **SETTINGS)
    record = result.checkpoint.record
    assert (record.dataset, record.n_train, record.n_val) == (
        "CIFAR-10 training set",
        72,
        8,
    )


def test_the_test_set_is_scored_at_the_end(cifar10, output):
    """The same figures as evaluate gives of the checkpoint."""
    settings = SETTINGS | {"n_test": 20}
    result = train(cifar10, output=output, progress=False, **settings)
    noisy, denoised = result.test_scores
    assert (noisy.method, noisy.n, denoised.n) == ("noisy", 20, 20)
    expected = evaluate(cifar10, model=output, device="cpu")[:2]
    assert [score.psnr_mean for score in expected] == pytest.approx(
        [noisy.psnr_mean, denoised.psnr_mean], abs=1e-4
    )
    assert [score.ssim_mean for score in expected] == pytest.approx(
        [noisy.ssim_mean, denoised.ssim_mean], abs=1e-4
    )


def test_a_gallery_shows_noisy_denoised_and_clean(cifar10, output):
    result = train(cifar10, output=output, progress=False, **SETTINGS)
    with Image.open(result.files.gallery) as picture:
        # Eight columns, three rows.
        assert 2 < picture.width / picture.height < 3


def test_images_in_memory_have_a_gallery_and_no_test_set(output):
    result = train(image_set(), output=output, progress=False, **SETTINGS)
    assert result.test_scores == ()
    assert result.files.gallery.stat().st_size > 5000


def test_images_in_memory_may_be_gray(output):
    settings = SETTINGS | {"network_options": SMALL | {"in_channels": 1}}
    images = image_set(channels=1)
    result = train(images, output=output, progress=False, **settings)
    assert result.files.gallery.exists()


def test_test_images_that_have_gone_do_not_lose_the_training(
    cifar10, output, monkeypatch
):
    original = SavedTraining.write_end

    def write_end(self) -> None:
        original(self)
        shutil.rmtree(cifar10)

    monkeypatch.setattr(SavedTraining, "write_end", write_end)
    with pytest.warns(DenoiseAEWarning, match="trained and saved.*cifar-10-batches"):
        result = train(cifar10, output=output, progress=False, **SETTINGS)
    assert result.stop_reason == "all epochs are done"
    assert result.test_scores == ()
    assert load_checkpoint(output).record.epochs_run == 2


def test_ctrl_c_while_the_test_set_is_scored_loses_nothing_else(
    cifar10, output, monkeypatch
):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "score_test_set", interrupted)
    result = train(cifar10, output=output, progress=False, **SETTINGS)
    assert result.stop_reason == "all epochs are done"
    assert result.test_scores == ()
    assert result.files.gallery.exists()


def test_a_run_goes_on_with_the_images_that_it_began_with(cifar10, output):
    settings = SETTINGS | {"n_test": 20}
    train(cifar10, output=output, progress=False, **settings)
    more = {"output": output, "progress": False, "resume": True}
    result = train(cifar10, epochs=3, **more)
    assert result.test_scores[0].n == 20
    with pytest.raises(InvalidInputError, match="n_test was 20"):
        train(cifar10, epochs=4, n_test=24, **more)


def test_the_gallery_of_another_run_is_not_left(cifar10, output, monkeypatch):
    result = train(cifar10, output=output, progress=False, **SETTINGS)

    def fail(*_: object, **__: object) -> None:
        raise DatasetError("gone")

    monkeypatch.setattr("napari_denoise_ae.training.gallery.load_test_images", fail)
    with pytest.warns(DenoiseAEWarning, match="gone"):
        train(cifar10, output=output, progress=False, overwrite=True, **SETTINGS)
    assert not result.files.gallery.exists()


def test_it_is_what_the_package_offers():
    assert napari_denoise_ae.train is train


def test_a_progress_bar_tells_epoch_batch_losses_and_time_left(output, capsys):
    train(image_set(), output=output, **SETTINGS)
    shown = capsys.readouterr().err
    assert "epoch   1/2" in shown
    assert "val_loss" in shown
    assert "left" in shown


def test_the_bar_is_drawn_with_batch_epoch_and_losses(output, capsys, monkeypatch):
    def draw_always(**options):
        return tqdm(**options | {"mininterval": 0, "miniters": 1})

    monkeypatch.setattr(scripting, "tqdm", draw_always)
    train(image_set(), output=output, **SETTINGS)
    shown = capsys.readouterr().err
    assert "epoch 1/2, batch 3/5" in shown
    assert "epoch 2/2, batch 5/5" in shown
    assert "loss 0." in shown
    assert "val_loss 0." in shown


def test_bars_of_the_download_and_of_scoring(capsys, monkeypatch):
    def draw_always(**options):
        return tqdm(**options | {"mininterval": 0, "miniters": 1})

    monkeypatch.setattr(scripting, "tqdm", draw_always)
    bars = scripting.ProgressBars(visible=True)
    for step in (DownloadProgress(85 * 10**6, 170 * 10**6), ScoringProgress(5, 20)):
        bars.show(step)
        bars.close()
    shown = capsys.readouterr().err
    assert "CIFAR-10:  50%" in shown
    assert "85.0M/170M" in shown
    assert "test:  25%" in shown
    assert "5/20" in shown


def test_without_progress_nothing_is_printed(output, capsys):
    train(image_set(), output=output, progress=False, **SETTINGS)
    assert capsys.readouterr() == ("", "")


def test_a_run_is_resumed(output):
    train(image_set(), output=output, progress=False, **SETTINGS)
    more = {"output": output, "device": "cpu", "progress": False, "resume": True}
    result = train(image_set(), epochs=3, **more)
    assert len(result.history) == 3
    assert result.checkpoint.record.config.network_options == SMALL
    with pytest.raises(InvalidInputError, match="over"):
        train(image_set(), preset="conv", **more)


def test_a_run_is_replaced_only_if_asked(output):
    train(image_set(), output=output, progress=False, **SETTINGS)
    with pytest.raises(OutputError, match="is there already"):
        train(image_set(), output=output, progress=False, **SETTINGS)
    train(image_set(), output=output, progress=False, overwrite=True, **SETTINGS)


def test_after_overwriting_resume_never_goes_on_with_the_old_run(output, monkeypatch):
    """Killed while it replaced another run, before its first state was written."""
    train(image_set(), output=output, progress=False, **SETTINGS | {"seed": 1})

    def killed(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(saved, "save_training_state", killed)
    new = SETTINGS | {"seed": 2, "epochs": 3}
    with pytest.raises(SystemExit):
        train(image_set(), output=output, progress=False, overwrite=True, **new)
    monkeypatch.undo()
    assert load_checkpoint(output).record.config.seed == 2
    resumed = None
    with suppress(CheckpointError):
        resumed = train(
            image_set(), output=output, progress=False, resume=True, epochs=3
        )
    assert resumed is None or resumed.checkpoint.record.config.seed == 2


def interrupt_after(monkeypatch, *, epochs: int) -> None:
    """Press Ctrl-C in the first batch after so many epochs."""
    original = Trainer.run

    def interrupted(self, stop=None):
        for result in original(self):
            if isinstance(result, BatchResult) and result.epoch > epochs:
                raise KeyboardInterrupt
            yield result

    monkeypatch.setattr(Trainer, "run", interrupted)


def test_ctrl_c_keeps_the_best_epoch_so_far(output, monkeypatch):
    interrupt_after(monkeypatch, epochs=2)
    settings = SETTINGS | {"epochs": 5, "patience": 5}
    result = train(image_set(), output=output, progress=False, **settings)
    assert result.stop_reason == "interrupted after epoch 2"
    assert len(result.history) == 2
    assert load_checkpoint(output).record.epochs_run == 2
    assert result.files.curves.exists()
    assert result.files.gallery.exists()
    assert result.test_scores == ()
    monkeypatch.undo()
    resumed = train(image_set(), output=output, progress=False, resume=True)
    assert len(resumed.history) == 5


@pytest.mark.parametrize("times", [1, 2])
def test_late_ctrl_c_returns_what_was_reached(output, monkeypatch, times):
    """The first while the curves are drawn; the second gives them up."""
    save, left = saved.save_loss_curves, iter(range(times))

    def interrupted(*arguments: object) -> None:
        if next(left, None) is not None:
            raise KeyboardInterrupt
        save(*arguments)

    monkeypatch.setattr(saved, "save_loss_curves", interrupted)
    result = train(image_set(), output=output, progress=False, **SETTINGS)
    assert result.stop_reason == "all epochs are done"
    assert load_checkpoint(output).record.epochs_run == 2
    assert result.files.curves.exists() == (times == 1)
    assert result.files.gallery.exists() == (times == 1)


def test_ctrl_c_in_the_first_epoch_leaves_nothing(output, monkeypatch):
    interrupt_after(monkeypatch, epochs=0)
    with pytest.raises(KeyboardInterrupt):
        train(image_set(), output=output, progress=False, **SETTINGS)
    assert list(output.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"preset": "unet9"}, InvalidInputError),
        ({"epochs": 0}, InvalidInputError),
        ({"val_fraction": 1.0}, InvalidInputError),
        ({"noise": "gaussian:-1"}, InvalidInputError),
        ({"sigma": 0.5}, InvalidInputError),
        ({"device": "tpu"}, DeviceError),
        ({"output": "model.pth"}, InvalidInputError),
        ({"output": "missing/model.pt"}, OutputError),
    ],
    ids=str,
)
def test_a_mistake_is_found_before_the_data_is_looked_for(
    settings, error, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        train(tmp_path / "nowhere", progress=False, **settings)
    assert list(tmp_path.iterdir()) == []


def test_missing_data_that_cannot_be_fetched_is_an_error(output, monkeypatch):
    import pooch
    import requests

    def offline(*_: object, **__: object) -> None:
        raise requests.ConnectionError

    monkeypatch.setattr(pooch, "retrieve", offline)
    with pytest.raises(DatasetError, match=r"Download https.*cifar"):
        train(output.parent / "data", output=output, progress=False)


def test_an_epoch_is_described_in_one_line():
    result = EpochResult(7, 0.0123, 0.0234, 19.876, True, 12.3)
    line = describe_epoch(result, 50)
    for part in ("7/50", "0.01230", "0.02340", "19.88 dB", "12.3 s", "best"):
        assert part in line


def test_the_loss_of_a_batch_can_be_read():
    assert float(BatchResult(1, 1, 1, torch.tensor(0.5)).loss) == 0.5
