"""The documentation and the cover of a package."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from synthetic import make_record, random_checkpoint

from napari_denoise_ae.models.export.onnx_file import make_graph
from napari_denoise_ae.models.export.package_files import (
    environment,
    write_cover,
    write_readme,
)
from napari_denoise_ae.models.export.sample import TestCase

IMAGE = np.linspace(-50.0, 300.0, 3 * 8 * 8, dtype=np.float32).reshape(1, 3, 8, 8)


@pytest.mark.parametrize(("n_channels", "mode"), [(1, "L"), (3, "RGB")])
def test_the_cover_shows_the_noisy_and_the_denoised_image(tmp_path, n_channels, mode):
    image = IMAGE[:, :n_channels]
    write_cover(tmp_path / "cover.png", TestCase({"image": image}, image + 9, ""))
    with Image.open(tmp_path / "cover.png") as cover:
        assert (cover.mode, cover.size) == (mode, (16, 8))
        pixels = np.asarray(cover).reshape(8, 16, n_channels).astype(int)
    noisy = image[0].transpose(1, 2, 0)
    for shown, values in ((pixels[:, :8], noisy), (pixels[:, 8:], noisy + 9)):
        assert np.abs(shown - values.clip(0, 255)).max() <= 0.5


def test_the_documentation_says_what_goes_in_and_how_the_model_was_trained(tmp_path):
    checkpoint = random_checkpoint(record=make_record())
    graph = make_graph(checkpoint, standalone=True)
    case = TestCase({"image": IMAGE}, IMAGE, "gaussian:0.5")
    write_readme(tmp_path / "README.md", checkpoint, graph, case, "CC-BY-4.0")
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    for part in ("# random", "CC-BY-4.0", "`low`", "a halo of 16", "gaussian:0.5"):
        assert part in text
    assert "## Validation" in text
    assert "best epoch" in text
    assert "{" not in text


def test_the_environment_names_the_package():
    assert "- napari-denoise-ae==" in environment()
