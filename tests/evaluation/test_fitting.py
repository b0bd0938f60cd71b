"""Gray and color images in one folder are scored with the models that fit them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from synthetic import smooth_images

from napari_denoise_ae.evaluation.comparison_figure import save_comparison
from napari_denoise_ae.evaluation.run import Evaluation
from napari_denoise_ae.evaluation.tasks import FolderImages


@pytest.fixture
def folder(tmp_path):
    """A color image, and a gray one."""
    color, gray = smooth_images(2, side=48)
    Image.fromarray(color).save(tmp_path / "0.png")
    Image.fromarray(gray).convert("L").save(tmp_path / "1.png")
    return tmp_path


def scored(folder, models: list[str], **settings) -> Evaluation:
    images = FolderImages(folder=folder, noise="gaussian:0.1", **settings)
    evaluation = Evaluation(models, images, device="cpu", baselines=False)
    list(evaluation)
    return evaluation


def test_each_image_is_scored_with_the_model_for_its_colors(folder, tmp_path):
    both = scored(folder, ["auto"])
    assert list(both.models) == ["gray and rgb"]
    single = {}
    for model, name in (("rgb", "0.png"), ("gray", "1.png")):
        other = tmp_path / model
        other.mkdir()
        (other / name).write_bytes((folder / name).read_bytes())
        noise = {"rgb": 0, "gray": 1}[model]  # the seed of each image
        single[model] = scored(other, [model], seed=noise).scores[1]
    expected = np.mean([score.psnr_mean for score in single.values()])
    score = both.scores[1]
    assert (score.n, score.psnr_mean) == (2, pytest.approx(expected))
    n_parameters = sum(score.n_parameters for score in single.values())
    assert score.n_parameters == n_parameters


def test_a_figure_shows_gray_and_color_images(folder, tmp_path):
    both = scored(folder, ["auto", "gray"])
    save_comparison(both.task.pairs, both.models, both.scores, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 0


def test_only_scored_images_decide_on_the_model(folder):
    assert list(scored(folder, ["auto"], limit=1).models) == ["rgb"]
