import numpy as np
import pytest

from napari_denoise_ae._napari.viewer.axes import describe_layer, layer_axes
from napari_denoise_ae._napari.viewer.outputs import (
    METADATA_KEY,
    find_output,
    finished_planes,
    is_output,
    remove_output,
    show_output,
)
from napari_denoise_ae._napari.viewer.view import current_plane, translate_of_part
from napari_denoise_ae.errors import InvalidInputError

PLACEMENT = {
    "scale": (2.0, 0.5, 0.25),
    "translate": (1.0, 2.0, 3.0),
    "rotate": [[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]],
    "shear": (0.1, 0.2, 0.3),
    "affine": [[1, 0, 0, 4], [0, 2, 0.5, 5], [0, 0, 1, 6], [0, 0, 0, 1]],
}
APPEARANCE = {
    "units": ("s", "um", "um"),
    "axis_labels": ("t", "y", "x"),
    "colormap": "magma",
    "contrast_limits": (10, 200),
    "gamma": 0.7,
    "blending": "additive",
    "opacity": 0.5,
    "interpolation2d": "linear",
    "rendering": "attenuated_mip",
    "projection_mode": "mean",
}


def image(shape=(10, 12), dtype=np.uint8):
    return np.random.default_rng(0).integers(0, 200, shape).astype(dtype)


def test_an_output_has_the_position_and_appearance_of_its_source(viewer):
    source = viewer.add_image(image((3, 10, 12), np.uint16), **PLACEMENT, **APPEARANCE)
    output = show_output(viewer, source, "denoised", source.data, {"model": "conv"})
    for point in [(0, 0, 0), (2, 9, 11), (1, 3, 7)]:
        np.testing.assert_allclose(
            output.data_to_world(point), source.data_to_world(point)
        )
    for name in PLACEMENT:
        np.testing.assert_allclose(getattr(output, name), getattr(source, name))
    for name in APPEARANCE:
        assert getattr(output, name) == getattr(source, name), name
    assert output.data.dtype == np.uint16
    assert output.metadata[METADATA_KEY] == {"role": "denoised", "model": "conv"}
    assert is_output(output)
    assert not is_output(source)


def test_a_renamed_output_is_updated_in_place(viewer):
    source = viewer.add_image(image(), name="cells")
    first = show_output(viewer, source, "denoised", source.data, {"seed": 0})
    assert first.name == "cells [denoised]"
    first.name, first.gamma = "mine", 0.5
    source.scale = (3, 3)
    again = show_output(viewer, source, "denoised", source.data + 1, {"seed": 1})
    assert again is first
    assert (again.name, again.gamma) == ("mine", 0.5)
    np.testing.assert_array_equal(again.data, source.data + 1)
    np.testing.assert_array_equal(again.scale, (3, 3))
    assert again.metadata[METADATA_KEY]["seed"] == 1


def test_a_removed_output_is_added_again(viewer):
    source = viewer.add_image(image())
    first = show_output(viewer, source, "denoised", source.data, {})
    viewer.layers.remove(first)
    assert find_output(viewer, source, "denoised") is None
    assert show_output(viewer, source, "denoised", source.data, {}) in viewer.layers
    remove_output(viewer, source, "denoised")
    remove_output(viewer, source, "denoised")
    assert list(viewer.layers) == [source]


def test_layers_with_the_same_name_have_separate_outputs(viewer):
    sources = [viewer.add_image(image(), name="cells") for _ in range(2)]
    outputs = [show_output(viewer, s, "denoised", s.data, {}) for s in sources]
    assert outputs[0] is not outputs[1]
    assert [find_output(viewer, s, "denoised") for s in sources] == outputs


def test_a_preview_does_not_change_the_selection(viewer):
    source = viewer.add_image(image())
    show_output(viewer, source, "preview", source.data, {})
    assert viewer.layers.selection.active is source


def test_a_part_is_placed_on_its_source(viewer):
    source = viewer.add_image(image((3, 10, 12)), **PLACEMENT)
    first = (2, 4, 5)
    translate = translate_of_part(source, first)
    part = show_output(
        viewer, source, "preview", source.data[2:, 4:8, 5:9], {}, translate=translate
    )
    for offset in [(0, 0, 0), (0, 3, 2)]:
        np.testing.assert_allclose(
            part.data_to_world(offset), source.data_to_world(np.add(first, offset))
        )


@pytest.mark.parametrize(
    ("shape", "rgb", "axes", "description"),
    [
        ((8, 9), False, "YX", "8 x 9, uint8"),
        ((8, 9, 3), True, "YXS", "8 x 9 x 3, uint8, RGB"),
        ((8, 9, 4), True, "YXS", "8 x 9 x 4, uint8, RGBA"),
        ((2, 8, 9), False, "TYX", "2 x 8 x 9, uint8"),
        ((2, 1, 8, 9, 3), True, "TZYXS", "2 x 1 x 8 x 9 x 3, uint8, RGB"),
        ((1, 2, 1, 8, 9), False, "TCZYX", "1 x 2 x 1 x 8 x 9, uint8"),
    ],
)
def test_axes_and_description(viewer, shape, rgb, axes, description):
    layer = viewer.add_image(image(shape), rgb=rgb)
    assert layer_axes(layer) == axes
    assert describe_layer(layer) == description


def test_pyramids_and_unsupported_layers_are_described(viewer):
    pyramid = viewer.add_image([image((64, 64)), image((32, 32))], multiscale=True)
    assert layer_axes(pyramid) == "YX"
    assert describe_layer(pyramid) == "64 x 64, uint8, multiscale, 2 levels"
    deep = viewer.add_image(image((1, 1, 1, 1, 8, 8)))
    with pytest.raises(InvalidInputError, match="6 dimensions; 2 to 5"):
        layer_axes(deep)
    assert describe_layer(None) == "no image layer"


def test_the_current_plane_is_in_the_layers_coordinates(viewer):
    viewer.add_image(image((20, 8, 9)))
    moved = viewer.add_image(image((4, 8, 9)), scale=(2, 1, 1), translate=(5, 0, 0))
    viewer.dims.set_point(0, 9)
    assert current_plane(viewer, moved) == (2,)
    viewer.dims.set_point(0, 19)
    assert current_plane(viewer, moved) == (3,)
    assert current_plane(viewer, viewer.add_image(image((8, 9)))) == ()


def test_unfinished_planes_are_0():
    data = np.arange(1, 13).reshape(3, 1, 2, 2)
    np.testing.assert_array_equal(
        finished_planes(data, 2, 2), [*data[:2], np.zeros((1, 2, 2))]
    )
