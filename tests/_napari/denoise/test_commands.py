import re
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from napari._app_model import get_app_model
from napari.layers import Image

from napari_denoise_ae import denoise, denoise_layer
from napari_denoise_ae.errors import DenoiseAEWarning, InvalidInputError
from napari_denoise_ae.models.checkpoint_file import save_checkpoint
from napari_denoise_ae.models.load import load_checkpoint
from napari_denoise_ae.noise.add import add_noise

COMMAND = "napari-denoise-ae.denoise_active_layer"


def photo(viewer, **options):
    from skimage.data import astronaut

    noisy = add_noise(astronaut()[:64, :80], "gaussian:0.5")
    return viewer.add_image(noisy, rgb=True, name="photo", **options)


def menu_action(viewer):
    """Return the updated action in the menu Layers > Filter."""
    viewer.window._update_layers_menu_state()
    submenus = [action.menu() for action in viewer.window.layers_menu.actions()]
    filters = next(m for m in submenus if m and m.title() == "Filter")
    return next(
        a for a in filters.actions() if a.text().startswith("Denoise (Denoising")
    )


def test_the_menu_command_is_enabled_for_image_layers(viewer):
    assert not menu_action(viewer).isEnabled()
    photo(viewer)
    assert menu_action(viewer).isEnabled()
    viewer.add_labels(np.zeros((4, 4), dtype=int))
    assert not menu_action(viewer).isEnabled()


@pytest.mark.qt_binding
def test_the_menu_command_denoises(viewer, qtbot, messages):
    layer = photo(viewer, scale=(2, 3))
    menu_action(viewer).trigger()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2)
    denoised = viewer.layers["photo [denoised]"]
    np.testing.assert_array_equal(denoised.data, denoise(layer.data))
    np.testing.assert_array_equal(denoised.scale, (2, 3))
    denoised.data = denoised.data * 0
    viewer.layers.selection.active = layer
    menu_action(viewer).trigger()
    qtbot.waitUntil(lambda: denoised.data.max() > 0)
    assert len(viewer.layers) == 2
    assert not messages()


def test_without_an_image_layer_the_command_shows_a_message(viewer, messages):
    get_app_model().commands.execute_command(COMMAND).result()
    viewer.add_labels(np.zeros((4, 4), dtype=int))
    get_app_model().commands.execute_command(COMMAND).result()
    assert "no layer is chosen" in messages()[0]
    assert "Labels is chosen" in messages()[1]


def test_removing_the_layer_meanwhile_shows_one_message(viewer, qtbot, messages):
    photo(viewer)
    get_app_model().commands.execute_command(COMMAND).result()
    viewer.layers.clear()
    qtbot.waitUntil(lambda: bool(messages()))
    assert len(messages()) == 1
    assert "'photo' was removed" in messages()[0]


@pytest.mark.parametrize(("rgb", "model"), [(True, "rgb"), (False, "gray")])
def test_the_model_depends_on_the_colors(viewer, qtbot, messages, rgb, model):
    data = np.random.default_rng(0).integers(0, 256, (32, 40, 3)).astype(np.uint8)
    viewer.add_image(data if rgb else data[..., 0], rgb=rgb)
    get_app_model().commands.execute_command(COMMAND).result()
    qtbot.waitUntil(lambda: len(viewer.layers) == 2)
    assert viewer.layers[1].metadata["napari-denoise-ae"]["model"] == model
    assert not messages()


def test_denoise_layer_keeps_position_and_appearance(viewer):
    data = np.random.default_rng(0).integers(0, 999, (2, 30, 40)).astype(np.uint16)
    layer = viewer.add_image(
        data, scale=(3, 2, 1), units=("s", "um", "um"), colormap="magma"
    )
    result = denoise_layer(layer)
    np.testing.assert_array_equal(result.data, denoise(data, axes="TYX"))
    np.testing.assert_array_equal(result.scale, layer.scale)
    assert result.units == layer.units
    assert result.colormap.name == "magma"
    assert result.metadata["napari-denoise-ae"]["model"] == "gray"
    assert result not in viewer.layers


def test_denoise_layer_warns_of_an_unsuitable_model(viewer):
    data = np.random.default_rng(0).integers(0, 256, (32, 40)).astype(np.uint8)
    layer = viewer.add_image(data)
    with pytest.warns(DenoiseAEWarning, match="color images"):
        denoise_layer(layer, model="conv")


@pytest.mark.parametrize(
    "options",
    [
        {"sigma": 12.0, "strength": 0.5},
        {"sigma": 9.0, "correlation": (0.5, 0.3)},
        {"noise_type": "poisson-gaussian"},
        {"replace_hot_pixels": True},
    ],
)
@pytest.mark.parametrize("lazy", [False, True])
def test_denoise_layer_uses_the_noise_options(viewer, options, lazy):
    import dask.array as da

    data = np.random.default_rng(0).poisson(80, (2, 64, 70)).astype(np.uint16)
    data[0, 20, 30] = 4000
    layer = viewer.add_image(da.from_array(data) if lazy else data)
    result = denoise_layer(layer, **options)
    expected = denoise(data, axes="TYX", **options)
    np.testing.assert_array_equal(np.asarray(result.data), expected)
    assert (expected != denoise(data, axes="TYX")).any()
    known = result.metadata["napari-denoise-ae"]
    assert known.items() >= options.items()
    assert "intensity_range" not in known


@pytest.mark.filterwarnings("ignore::napari_denoise_ae.errors.DenoiseAEWarning")
@pytest.mark.parametrize("lazy", [False, True])
def test_a_range_is_recorded_only_if_the_model_uses_it(lazy, viewer, tmp_path):
    data = np.random.default_rng(0).poisson(80, (64, 70)).astype(np.uint16)
    layer = viewer.add_image(da.from_array(data) if lazy else data)
    gray = str(tmp_path / "gray.pt")
    save_checkpoint(load_checkpoint("gray"), tmp_path / "gray.pt")
    for model, options, is_recorded in (
        ("conv", {"intensity_range": (0, 200)}, True),
        ("conv", {}, lazy),
        (gray, {"intensity_range": (0, 200)}, False),
        # The file has not been read when the contrast limits are proposed.
        (gray, {}, False),
    ):
        result = denoise_layer(layer, model=model, **options)
        known = result.metadata["napari-denoise-ae"]
        assert ("intensity_range" in known) is is_recorded


def test_denoise_layer_rejects_noise_options_that_the_model_ignores(viewer):
    layer = viewer.add_image(np.zeros((16, 16), dtype=np.uint8))
    with pytest.raises(InvalidInputError, match="takes no noise level"):
        denoise_layer(layer, model="conv", strength=0.5)


@pytest.mark.parametrize("lazy", [False, True])
def test_denoise_layer_gives_a_float32_layer_with_the_limits_of_its_source(
    viewer, lazy
):
    data = np.random.default_rng(0).integers(0, 4000, (32, 40), dtype=np.uint16)
    layer = viewer.add_image(
        da.from_array(data) if lazy else data, contrast_limits=(50, 3000)
    )
    result = denoise_layer(layer, dtype="float32")
    expected = denoise(data, dtype="float32")
    assert result.data.dtype == np.float32
    np.testing.assert_allclose(np.asarray(result.data), expected, rtol=1e-5)
    assert result.contrast_limits == [50, 3000]


def test_denoise_layer_rejects_float32_colors_that_napari_cannot_show(viewer):
    with pytest.raises(InvalidInputError, match="from 0 to 1 only"):
        denoise_layer(photo(viewer), dtype="float32")


def test_denoise_layer_rejects_other_layers(viewer):
    labels = viewer.add_labels(np.zeros((4, 4), dtype=int))
    with pytest.raises(InvalidInputError, match="Labels is chosen"):
        denoise_layer(labels)


@pytest.mark.parametrize("page", ["docs/napari.md", "README.md"])
@pytest.mark.filterwarnings("ignore::napari_denoise_ae.errors.DenoiseAEWarning")
def test_the_console_examples_of_the_docs_run(viewer, page):
    text = (Path(__file__).parents[3] / page).read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    blocks = [block for block in blocks if "viewer" in block]
    assert blocks
    names = {"viewer": viewer}
    for block in blocks:
        exec(block, names)
    assert viewer.layers[-1].name.endswith("[denoised]")


def test_denoise_names_the_way_to_denoise_a_layer():
    with pytest.raises(InvalidInputError, match=r"layer\.data, or use denoise_layer"):
        denoise(Image(np.zeros((8, 8))))
