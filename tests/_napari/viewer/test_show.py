import napari
import numpy as np
import pytest

from napari_denoise_ae._napari.viewer import show
from napari_denoise_ae.cli.main import main
from napari_denoise_ae.errors import MissingDependencyError


def test_images_are_shown_side_by_side(monkeypatch, make_napari_viewer):
    viewer = make_napari_viewer()
    monkeypatch.setattr(napari, "Viewer", lambda **_: viewer)
    monkeypatch.setattr(napari, "run", lambda: None)
    show.show_images({"clean": np.zeros((8, 8)), "noisy": np.ones((8, 8))})
    assert [layer.name for layer in viewer.layers] == ["clean", "noisy"]
    assert viewer.canvas.grid.enabled


@pytest.mark.qt_binding
def test_the_demo_opens_the_viewer(monkeypatch, make_napari_viewer, tmp_path, capsys):
    viewer = make_napari_viewer()
    monkeypatch.setattr(napari, "Viewer", lambda **_: viewer)
    monkeypatch.setattr(napari, "run", lambda: None)
    assert main(["demo", "--output", str(tmp_path), "--viewer"]) == 0
    assert [layer.name for layer in viewer.layers] == ["clean", "noisy", "denoised"]


@pytest.mark.skipif("sys.platform != 'linux'")
def test_a_missing_screen_is_reported_before_any_work(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert main(["demo", "--output", str(tmp_path), "--viewer"]) == 2
    assert "needs a screen" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_without_napari_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(show, "find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match=r"napari-denoise-ae\[all\]"):
        show.require_viewer()
