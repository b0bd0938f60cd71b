from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from synthetic import make_record, random_checkpoint, small_config, smooth_images

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.evaluation import pairs, tasks
from napari_denoise_ae.evaluation.apply import apply_model, as_scored
from napari_denoise_ae.evaluation.metrics import psnr
from napari_denoise_ae.evaluation.run import Evaluation
from napari_denoise_ae.evaluation.tasks import Cifar10Images, FolderImages, ImagePair
from napari_denoise_ae.noise.setting import NoiseSetting


@pytest.fixture
def folder(tmp_path):
    for number, image in enumerate(smooth_images(3, side=32)):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    return tmp_path


def evaluation_of(folder, **settings) -> Evaluation:
    images = FolderImages(folder=folder, noise="gaussian:0.1", **settings)
    return Evaluation([random_checkpoint()], images, device="cpu", baselines=False)


def test_scores_are_kept_when_scoring_stops_early(folder):
    evaluation = evaluation_of(folder)
    assert evaluation.scores == []
    steps = iter(evaluation)
    first = next(steps)
    steps.close()
    assert evaluation.scores == [first]
    assert [score.method for score in evaluation] == ["noisy", "random"]
    assert [score.method for score in evaluation.scores] == ["noisy", "random"]


def test_colors_of_a_folder_are_read_from_the_headers(folder, monkeypatch):
    opened = []
    original = tasks.open_image
    monkeypatch.setattr(
        tasks, "open_image", lambda path: opened.append(path.name) or original(path)
    )
    monkeypatch.setattr(pairs, "read_image", lambda _: pytest.fail("pixels were read"))
    assert FolderImages(folder=folder, limit=2).count_colors() == {3}
    assert opened == ["0.png", "1.png"]


def test_auto_depends_on_the_colors_of_the_images(folder):
    noisy = np.random.default_rng(0).random((32, 32))
    names = [
        list(Evaluation(["auto"], images, device="cpu").models)
        for images in (ImagePair(noisy, noisy), FolderImages(folder=folder))
    ]
    assert names == [["gray"], ["rgb"]]


@pytest.mark.parametrize("source", [Cifar10Images, FolderImages])
def test_invalid_noise_is_rejected_before_the_images_are_read(source, tmp_path):
    with pytest.raises(InvalidInputError, match="loud"):
        source(folder=tmp_path / "nowhere", noise="loud")


@pytest.mark.parametrize("measured", [False, True])
def test_a_model_is_given_the_noise_level_or_measures_it(folder, measured):
    images = FolderImages(
        folder=folder, noise="gaussian:0.1,unclipped", measured=measured
    )
    model = random_checkpoint(network="unet")
    evaluation = Evaluation([model], images, device="cpu", baselines=False)
    setting = NoiseSetting() if measured else NoiseSetting(sigma=0.1)
    assert evaluation.task.setting == setting
    (denoiser,) = evaluation.models.values()
    score = list(evaluation)[1]
    results = [
        apply_model(
            pair.input_range.normalize(pair.noisy), denoiser=denoiser, setting=setting
        )
        for pair in evaluation.task.pairs
    ]
    psnrs = [
        psnr(pair.clean, as_scored(pair, result), data_range=255)
        for pair, result in zip(evaluation.task.pairs, results, strict=True)
    ]
    assert score.psnr_mean == pytest.approx(np.mean(psnrs))


def test_save_figure_writes_a_png(folder, tmp_path):
    evaluation = evaluation_of(folder)
    list(evaluation)
    evaluation.save_figure(tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as picture:
        assert picture.format == "PNG"


def test_incompatibilities_name_models_for_different_noise(folder):
    model = random_checkpoint(record=make_record(config=small_config()))
    images = FolderImages(folder=folder, noise="gaussian:0.05")
    (message,) = Evaluation([model], images, device="cpu").find_incompatibilities()
    assert "much weaker" in message
