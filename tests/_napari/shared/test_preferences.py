"""Tests of the preferred device."""

from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest
from napari._app_model import get_app_model

from napari_denoise_ae._napari.denoise.widget import DenoiseWidget
from napari_denoise_ae._napari.files.widget import FilesWidget
from napari_denoise_ae._napari.shared import preferences
from napari_denoise_ae._napari.train.widget import TrainWidget

COMMAND = "napari-denoise-ae.denoise_active_layer"


@pytest.fixture
def prefer(monkeypatch):
    """Return a function that sets the preferred device."""

    def set_device(device):
        general = SimpleNamespace(
            data_folder="", checkpoint_folder="", default_model="auto", device=device
        )
        monkeypatch.setattr(
            preferences,
            "get_plugin_settings",
            lambda _: SimpleNamespace(general=general),
        )

    return set_device


@pytest.mark.parametrize(
    ("kept", "device", "choices"),
    [
        ("", "auto", ("auto", "cpu", "cuda", "mps")),
        ("cpu", "cpu", ("auto", "cpu", "cuda", "mps")),
        (" cuda:1 ", "cuda:1", ("auto", "cpu", "cuda", "mps", "cuda:1")),
    ],
)
def test_the_preferred_device_is_offered(prefer, kept, device, choices):
    prefer(kept)
    assert preferences.preferred_device() == device
    assert preferences.device_choices() == choices


@pytest.mark.qt_binding
def test_all_widgets_use_the_preferred_device(viewer, qtbot, prefer):
    prefer("cuda:1")
    denoise, files, train = (
        DenoiseWidget(viewer),
        FilesWidget(viewer),
        TrainWidget(viewer),
    )
    for widget in (files, train):
        qtbot.addWidget(widget)
    viewer.window.add_dock_widget(denoise, name="Denoise")
    assert denoise.form.device.value == "cuda:1"
    assert "cuda:1" in denoise.form.device.editor.values
    assert files.device.value == "cuda:1"
    assert train.form.device == "cuda:1"


@pytest.mark.parametrize("lazy", [False, True])
def test_a_missing_device_is_named_in_the_error(viewer, run, prefer, messages, lazy):
    prefer("cuda:99")
    image = np.zeros((40, 56), dtype=np.uint8)
    viewer.add_image(da.from_array(image) if lazy else image)
    widget = DenoiseWidget(viewer)
    viewer.window.add_dock_widget(widget, name="Denoise")
    assert run(widget) == "failed"
    assert ["cuda:99" in message for message in messages()] == [True]
    assert len(viewer.layers) == 1


def test_the_menu_command_uses_the_preferred_device(viewer, qtbot, prefer, messages):
    prefer("cuda:99")
    viewer.add_image(np.zeros((40, 56), dtype=np.uint8))
    get_app_model().commands.execute_command(COMMAND).result()
    qtbot.waitUntil(lambda: bool(messages()), timeout=60_000)
    assert "cuda:99" in messages()[0]
