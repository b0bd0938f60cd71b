from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from synthetic import smooth_photo

from napari_denoise_ae.evaluation import figures
from napari_denoise_ae.evaluation.figures import save_panels
from napari_denoise_ae.image.intensity import IntensityRange

UNIT = IntensityRange(0, 1)


def read(path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


@pytest.fixture
def saved_figures(monkeypatch) -> list:
    """Collect the figures that are saved, so that tests can inspect them."""
    saved = []
    original = figures.save_figure

    def save(figure, path) -> None:
        saved.append(figure)
        original(figure, path)

    monkeypatch.setattr(figures, "save_figure", save)
    return saved


@pytest.mark.parametrize("shape", [(1, 1), (20, 30), (20, 30, 3), (1, 500), (500, 1)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_images_of_any_shape_and_dtype_are_drawn_with_titles(
    tmp_path, shape, dtype, saved_figures
):
    image = np.ones(shape, dtype=dtype)
    save_panels(
        [[image, image]], ["one", "two"], tmp_path / "a.png", intensity_range=UNIT
    )
    assert read(tmp_path / "a.png").size > 0
    assert [axes.get_title() for axes in saved_figures[0].axes] == ["one", "two"]


def test_rows_and_columns_are_drawn_in_order(tmp_path, saved_figures):
    rows = [
        [np.full((8, 8), (3 * row + column) / 6) for column in range(3)]
        for row in range(2)
    ]
    save_panels(rows, ["a", "b", "c"], tmp_path / "a.png", intensity_range=UNIT)
    drawn = [axes.get_images()[0].get_array().mean() for axes in saved_figures[0].axes]
    assert drawn == pytest.approx([index / 6 for index in range(6)])


def test_row_titles_and_captions(tmp_path, saved_figures):
    # Images of the two rows differ in size, and the last row has no captions.
    rows = [[np.ones((8, width))] * 2 for width in (8, 16)]
    save_panels(
        rows,
        ["a", "b"],
        tmp_path / "a.png",
        intensity_range=UNIT,
        row_titles=["first", "second"],
        captions=[["1 dB", "2 dB"]],
        panel_width=1.0,
    )
    axes = saved_figures[0].axes
    assert [ax.get_ylabel() for ax in axes] == ["first", "", "second", ""]
    assert [ax.get_xlabel() for ax in axes] == ["1 dB", "2 dB", "", ""]


def test_intensities_outside_the_range_are_clipped(tmp_path, saved_figures):
    image = np.array([[-100.0, 10, 15, 20, 1000]])
    save_panels(
        [[image]], ["a"], tmp_path / "a.png", intensity_range=IntensityRange(10, 20)
    )
    drawn = saved_figures[0].axes[0].get_images()[0]
    np.testing.assert_allclose(drawn.get_array(), [[0, 0, 0.5, 1, 1]])
    assert drawn.get_clim() == (0, 1)


@pytest.mark.parametrize("channels", [1, 3])
def test_nan_is_drawn_without_a_warning(tmp_path, channels):
    image = smooth_photo(16, 16, channels)
    image[3, 4] = np.nan
    image = image if channels == 3 else image[..., 0]
    save_panels([[image]], ["a"], tmp_path / "a.png", intensity_range=UNIT)
    assert read(tmp_path / "a.png").std() > 5
