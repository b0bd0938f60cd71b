from __future__ import annotations

import shutil
from contextlib import suppress

import pytest
import torch
from PIL import Image
from synthetic import SMALL, image_set

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
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.training import run as run_module
from napari_denoise_ae.training import saved
from napari_denoise_ae.training.api import train
from napari_denoise_ae.training.results import (
    BatchResult,
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


def test_scores_of_the_test_set_equal_those_of_evaluate(cifar10, output):
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


def test_gallery_has_eight_columns_and_three_rows(cifar10, output):
    result = train(cifar10, output=output, progress=False, **SETTINGS)
    with Image.open(result.files.gallery) as picture:
        assert 2 < picture.width / picture.height < 3


def test_images_in_memory_have_a_gallery_but_no_test_set(output):
    result = train(image_set(), output=output, progress=False, **SETTINGS)
    assert result.test_scores == ()
    assert result.files.gallery.stat().st_size > 5000


def test_training_on_gray_images_in_memory(output):
    settings = SETTINGS | {"network_options": SMALL | {"in_channels": 1}}
    images = image_set(channels=1)
    result = train(images, output=output, progress=False, **settings)
    assert result.files.gallery.exists()


def test_missing_test_images_do_not_lose_the_model(cifar10, output, monkeypatch):
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


def test_ctrl_c_during_scoring_loses_only_the_scores(cifar10, output, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "score_test_set", interrupted)
    result = train(cifar10, output=output, progress=False, **SETTINGS)
    assert result.stop_reason == "all epochs are done"
    assert result.test_scores == ()
    assert result.files.gallery.exists()


def test_resumed_run_uses_the_images_that_it_was_started_with(cifar10, output):
    settings = SETTINGS | {"n_test": 20}
    train(cifar10, output=output, progress=False, **settings)
    more = {"output": output, "progress": False, "resume": True}
    result = train(cifar10, epochs=3, **more)
    assert result.test_scores[0].n == 20
    with pytest.raises(InvalidInputError, match="n_test was 20"):
        train(cifar10, epochs=4, n_test=24, **more)


def test_overwriting_removes_the_old_gallery_even_if_drawing_fails(
    cifar10, output, monkeypatch
):
    result = train(cifar10, output=output, progress=False, **SETTINGS)

    def fail(*_: object, **__: object) -> None:
        raise DatasetError("gone")

    monkeypatch.setattr("napari_denoise_ae.training.gallery.load_test_images", fail)
    with pytest.warns(DenoiseAEWarning, match="gone"):
        train(cifar10, output=output, progress=False, overwrite=True, **SETTINGS)
    assert not result.files.gallery.exists()


def test_train_is_exported_by_the_package():
    assert napari_denoise_ae.train is train


def test_resume_continues_a_run(output):
    train(image_set(), output=output, progress=False, **SETTINGS)
    more = {"output": output, "device": "cpu", "progress": False, "resume": True}
    result = train(image_set(), epochs=3, **more)
    assert len(result.history) == 3
    assert result.checkpoint.record.config.network_options == SMALL
    again = train(image_set(), preset="conv", **more)
    assert "nothing was left to train" in again.stop_reason
    assert again.history == result.history


def test_existing_run_is_replaced_only_with_overwrite(output):
    train(image_set(), output=output, progress=False, **SETTINGS)
    with pytest.raises(OutputError, match="already exists"):
        train(image_set(), output=output, progress=False, **SETTINGS)
    train(image_set(), output=output, progress=False, overwrite=True, **SETTINGS)


def test_resume_never_continues_a_run_that_was_overwritten(output, monkeypatch):
    """The new run is killed before its first state is written."""
    train(image_set(), output=output, progress=False, **SETTINGS | {"seed": 1})

    def killed(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(saved, "save_training_state", killed)
    new = SETTINGS | {"seed": 2, "epochs": 3}
    with pytest.raises(SystemExit):
        train(image_set(), output=output, progress=False, overwrite=True, **new)
    monkeypatch.undo()
    # The earlier model stays until there is a new one.
    assert load_checkpoint(output).record.config.seed == 1
    resumed = None
    with suppress(CheckpointError):
        resumed = train(
            image_set(), output=output, progress=False, resume=True, epochs=3
        )
    assert resumed is None or resumed.checkpoint.record.config.seed == 2


def interrupt_after(monkeypatch, *, epochs: int) -> None:
    """Press Ctrl-C in the first batch after the given number of epochs."""
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
def test_ctrl_c_while_files_are_written_returns_the_result(output, monkeypatch, times):
    """The curves are retried after the first Ctrl-C and skipped after the second."""
    save, left = saved.save_loss_curves, iter(range(times))

    def interrupted(*arguments: object, **options: object) -> None:
        if next(left, None) is not None:
            raise KeyboardInterrupt
        save(*arguments, **options)

    monkeypatch.setattr(saved, "save_loss_curves", interrupted)
    result = train(image_set(), output=output, progress=False, **SETTINGS)
    assert result.stop_reason == "all epochs are done"
    assert load_checkpoint(output).record.epochs_run == 2
    assert result.files.curves.exists() == (times == 1)
    assert result.files.gallery.exists() == (times == 1)


def test_ctrl_c_in_the_first_epoch_keeps_it(output, monkeypatch):
    interrupt_after(monkeypatch, epochs=0)
    result = train(image_set(), output=output, progress=False, **SETTINGS)
    assert result.stop_reason == "interrupted in epoch 1, after 1 of 5 batches"
    assert load_checkpoint(output).record.stop_reason == result.stop_reason


def test_ctrl_c_before_the_first_batch_leaves_no_files(output, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "run", interrupted)
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
def test_invalid_settings_are_rejected_before_the_data_is_read(
    settings, error, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error):
        train(tmp_path / "nowhere", progress=False, **settings)
    assert list(tmp_path.iterdir()) == []


def test_failed_download_raises(output, monkeypatch):
    import pooch
    import requests

    def offline(*_: object, **__: object) -> None:
        raise requests.ConnectionError

    monkeypatch.setattr(pooch, "retrieve", offline)
    with pytest.raises(DatasetError, match=r"Download https.*cifar"):
        train(output.parent / "data", output=output, download=True, progress=False)


def test_loss_of_a_batch_can_be_converted_to_float():
    assert float(BatchResult(1, 1, 1, torch.tensor(0.5)).loss) == 0.5
