import numpy as np
import pytest
from npe2 import PluginManifest
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QApplication

from napari_denoise_ae import denoise
from napari_denoise_ae._napari.shared.model_choice import model_choice
from napari_denoise_ae._napari.train import new_model
from napari_denoise_ae._napari.train.new_model import NewModel


@pytest.fixture
def viewer(make_napari_viewer, plugin_settings, npe2pm):
    """Return a viewer with the plugin registered and isolated settings."""
    npe2pm.register(PluginManifest.from_distribution("napari-denoise-ae"))
    viewer = make_napari_viewer()
    image = np.random.default_rng(0).random((24, 32, 3), dtype=np.float32)
    viewer.add_image(image, name="photo", rgb=True)
    return viewer


@pytest.fixture
def panel(viewer, checkpoint, qtbot):
    """Return the buttons for a checkpoint."""
    panel = NewModel(viewer)
    qtbot.addWidget(panel)
    assert panel.isHidden()
    panel.show_model(checkpoint)
    return panel


@pytest.fixture
def texts(monkeypatch):
    """Return the messages that are shown, instead of napari's pop-ups."""
    shown = []
    for name in ("show_info", "show_warning"):
        monkeypatch.setattr(new_model, name, shown.append)
    return shown


@pytest.mark.qt_binding
def test_a_layer_is_denoised_with_the_new_model(viewer, panel, qtbot, checkpoint):
    # Another choice in the meantime does not matter.
    model_choice(viewer).choose("rgb")
    panel.denoise_button.click()
    qtbot.waitUntil(lambda: "photo [denoised]" in viewer.layers)
    image = viewer.layers["photo"].data
    expected = denoise(image, model=checkpoint, device="cpu")
    np.testing.assert_array_equal(viewer.layers["photo [denoised]"].data, expected)
    assert model_choice(viewer).chosen == checkpoint


@pytest.mark.qt_binding
def test_the_new_model_is_compared_with_the_built_in_one(viewer, panel, qtbot):
    panel.compare_button.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3)
    names = {layer.name for layer in viewer.layers}
    assert "photo [by rgb]" in names
    assert any("mine.pt" in name for name in names)
    assert viewer.canvas.grid.enabled


@pytest.mark.qt_binding
def test_the_path_is_copied(panel, checkpoint, texts):
    panel.copy_button.click()
    assert QApplication.clipboard().text() == checkpoint
    assert texts == ["The path is on the clipboard."]


@pytest.mark.parametrize("opens", [True, False])
def test_the_folder_is_opened(panel, monkeypatch, tmp_path, texts, opens):
    urls = []
    monkeypatch.setattr(
        QDesktopServices, "openUrl", lambda url: urls.append(url) or opens
    )
    panel.folder_button.click()
    assert [url.toLocalFile() for url in urls] == [str(tmp_path)]
    assert texts == ([] if opens else [f"No program opens the folder {tmp_path}."])
