import numpy as np
import pytest

from napari_denoise_ae import denoise
from napari_denoise_ae._napari import denoise_widget
from napari_denoise_ae._napari.denoise_widget import DenoiseWidget


@pytest.fixture
def messages(monkeypatch):
    """What the widget tells the user, instead of napari's pop-ups."""
    told = []
    monkeypatch.setattr(denoise_widget, "show_error", told.append)
    monkeypatch.setattr(denoise_widget, "show_warning", told.append)
    return told


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


def docked(viewer):
    widget = DenoiseWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Denoise")
    return widget


def press_and_wait(qtbot, widget, status="done"):
    widget._run.changed.emit(True)
    qtbot.waitUntil(lambda: widget._status.value == status, timeout=120_000)


def noisy_image(shape=(40, 56)):
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def test_a_layer_is_denoised_as_the_function_does_it(viewer, qtbot, messages):
    layer = viewer.add_image(noisy_image((40, 56, 3)), name="photo", rgb=True)
    before = layer.data.copy()
    press_and_wait(qtbot, docked(viewer))
    result = viewer.layers["photo [denoised]"]
    np.testing.assert_array_equal(result.data, denoise(before))
    np.testing.assert_array_equal(layer.data, before)
    assert result.rgb


def test_the_result_lies_and_looks_like_its_source(viewer, qtbot, messages):
    layer = viewer.add_image(
        noisy_image((2, 40, 56)).astype(np.uint16),
        scale=(2.0, 0.5, 0.25),
        translate=(1.0, 2.0, 3.0),
        units=("s", "um", "um"),
        axis_labels=("t", "y", "x"),
        colormap="magma",
        contrast_limits=(10, 200),
        gamma=0.7,
        blending="additive",
        name="cells",
    )
    press_and_wait(qtbot, docked(viewer))
    result = viewer.layers["cells [denoised]"]
    assert result.data.dtype == np.uint16
    for name in ("scale", "translate", "contrast_limits"):
        np.testing.assert_array_equal(getattr(result, name), getattr(layer, name))
    for name in ("units", "axis_labels", "gamma", "blending"):
        assert getattr(result, name) == getattr(layer, name)
    assert result.colormap.name == "magma"


def test_a_misfit_is_told(viewer, qtbot, messages):
    viewer.add_image(np.tile(np.arange(64, dtype=np.uint8), (64, 1)), name="ramp")
    press_and_wait(qtbot, docked(viewer))
    assert any("colour images" in message for message in messages)


def test_cancel_leaves_the_viewer_as_it_was(viewer, qtbot, messages):
    viewer.add_image(noisy_image((200, 64, 64)), name="stack")
    widget = docked(viewer)
    widget._run.changed.emit(True)
    assert not widget._run.enabled
    qtbot.waitUntil(lambda: widget._progress.value > 0, timeout=60_000)
    widget._cancel.changed.emit(True)
    qtbot.waitUntil(lambda: widget._status.value == "cancelled", timeout=10_000)
    assert [layer.name for layer in viewer.layers] == ["stack"]
    assert widget._run.enabled
    assert not widget._cancel.enabled


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (None, "no image layer"),
        (np.full((8, 8), np.inf), "infinite"),
        (np.zeros((1, 1, 1, 1, 8, 8)), "at most 5"),
    ],
)
def test_what_cannot_be_denoised_is_one_message(
    viewer, qtbot, messages, image, expected
):
    if image is not None:
        viewer.add_image(image, contrast_limits=(0, 1))
    n_layers = len(viewer.layers)
    widget = docked(viewer)
    widget._run.changed.emit(True)
    qtbot.waitUntil(lambda: bool(messages), timeout=60_000)
    assert len(messages) == 1
    assert expected in messages[0]
    assert len(viewer.layers) == n_layers
    assert widget._run.enabled


def test_a_pyramid_is_refused(viewer, qtbot, messages):
    image = noisy_image((64, 64))
    viewer.add_image([image, image[::2, ::2]], multiscale=True)
    docked(viewer)._run.changed.emit(True)
    assert "multiscale" in messages[0]


def test_a_runtime_error_in_the_worker_is_told(viewer, qtbot, messages, monkeypatch):
    from napari_denoise_ae.inference import Denoiser

    def fail(self, batch):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(Denoiser, "run_network", fail)
    viewer.add_image(noisy_image())
    widget = docked(viewer)
    press_and_wait(qtbot, widget, status="failed")
    assert "shapes do not match" in messages[0]
    assert widget._run.enabled


def test_a_source_that_is_gone_is_told(viewer, qtbot, messages):
    viewer.add_image(noisy_image((60, 64, 64)), name="stack")
    widget = docked(viewer)
    widget._run.changed.emit(True)
    viewer.layers.clear()
    qtbot.waitUntil(lambda: widget._status.value == "done", timeout=120_000)
    assert len(viewer.layers) == 0
    assert any("gone" in message for message in messages)
