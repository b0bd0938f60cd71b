import dask.array as da
import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_denoise_ae import add_noise, assess, denoise
from napari_denoise_ae._napari.denoise import trust_job
from napari_denoise_ae._napari.denoise.trust_text import light_text

pytestmark = pytest.mark.filterwarnings(
    "ignore::napari_denoise_ae.errors.DenoiseAEWarning"
)


@pytest.fixture
def noisy():
    from skimage.data import camera

    # Far from 0 and 255, so that no noise is clipped.
    return add_noise(camera()[100:356, 200:456] // 2 + 64, "gaussian:0.06", rng=0)


@pytest.fixture
def assess_result(widget, qtbot):
    """Return a function that presses the button and returns the text of the light."""

    def press_and_wait():
        widget.trust.assess_button.click()
        qtbot.waitUntil(widget.trust.assess_button.isEnabled)
        return widget.trust.light.text()

    return press_and_wait


@pytest.mark.qt_binding
@pytest.mark.parametrize("lazy", [False, True])
def test_a_result_is_assessed(viewer, widget, run, assess_result, noisy, lazy):
    stack = np.stack([noisy, noisy[::-1]])
    layer = viewer.add_image(
        da.from_array(stack) if lazy else stack,
        axis_labels=("t", "y", "x"),
        scale=(1, 0.5, 0.5),
        units=("second", "micrometer", "micrometer"),
        contrast_limits=(0, 255),
        name="cells",
    )
    panel = widget.trust
    assert not panel.assess_button.isEnabled()
    assert "Denoise the layer" in panel.status.text()
    run(widget)
    text = assess_result()
    expected = assess(
        stack, denoise(stack, axes="TYX"), axes="TYX", pixel_size=(0.5, "µm")
    )
    assert text == light_text([expected])
    panel.copy_button.click()
    assert QApplication.clipboard().text() == str(expected)
    # A layer for each plane, where it belongs.
    first, second = (
        viewer.layers[f"cells [expected error, plane {number}]"] for number in (0, 1)
    )
    windows = {each.plane: each.error for each in expected.windows}
    np.testing.assert_allclose(second.data[0], windows[1,], rtol=1e-5)
    assert second.data_to_world((0, 0, 0)) == layer.data_to_world((1, 0, 0))
    assert first.contrast_limits == second.contrast_limits
    # The report belongs to the result.
    viewer.add_image(noisy)
    assert not panel.light.text()
    viewer.layers.selection.active = layer
    assert panel.light.text() == text
    widget.form.to_remove.strength.setValue(0.5)
    assert not panel.light.text()
    assert not panel.assess_button.isEnabled()


def test_structure_that_was_removed_is_shown(viewer, widget, run, assess_result):
    from skimage.data import page

    viewer.add_image(page()[:160, :256] // 2 + 64, name="cells", scale=(2, 2))
    widget.form.kind.value = "clean"
    widget.form.to_remove.strength.setValue(2.0)
    run(widget)
    assert "do not trust" in assess_result()
    # The clean layer is compared with.
    (report,) = widget.trust.reports
    assert report.findings[-1].name == "reference"
    shown = viewer.layers["cells [removed structure]"]
    assert np.abs(shown.data).max() > 4
    assert tuple(shown.scale) == (2, 2)
    # The layers are no results.
    widget.side_by_side.setChecked(True)
    assert not shown.visible


def test_after_an_error_the_panel_is_usable(
    viewer, widget, run, assess_result, noisy, monkeypatch
):
    viewer.add_image(noisy[:128, :128])
    run(widget)

    def fail(*_):
        raise OSError("injected")

    with monkeypatch.context() as patch:
        patch.setattr(trust_job, "load_denoiser", fail)
        assert not assess_result()
    assert widget.trust.status.text() == "Assessing failed: injected"
    assert assess_result()


def test_cancel_adds_nothing(viewer, widget, run, qtbot, noisy, gate):
    viewer.add_image(noisy)
    gate.let(1)
    run(widget)
    panel = widget.trust
    panel.assess_button.click()
    qtbot.waitUntil(lambda: len(gate.arrived) == 2)
    panel.cancel_button.click()
    assert panel.status.text() == "cancelled"
    assert panel.assess_button.isEnabled()
    gate.open()
    assert len(viewer.layers) == 2


def test_channels_have_lights_of_their_own(viewer, widget, run, assess_result, noisy):
    stack = np.stack([noisy, noisy // 2])
    layer = viewer.add_image(stack, axis_labels=("c", "y", "x"))
    run(widget)
    assert assess_result()
    assert len(widget.trust.reports) == 2
    layer.data = np.full_like(stack, 7)
    assert not widget.trust.reports
    run(widget)
    # Nothing can be checked without noise.
    assert "look closer" in assess_result()
