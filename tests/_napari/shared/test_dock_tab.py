from qtpy.QtWidgets import QWidget

from napari_denoise_ae._napari.shared.dock_tab import DockTab


def test_docks_open_as_tabs(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    window, docks = viewer.window._qt_window, []
    for name in ("Denoise", "Denoise files", "Train"):
        widget = QWidget()
        DockTab(widget)
        dock = viewer.window.add_dock_widget(widget, name=name)
        qtbot.waitUntil(lambda d=dock: {*window.tabifiedDockWidgets(d)} == {*docks})
        docks.append(dock)
    other = viewer.window.add_dock_widget(QWidget(), name="other")
    assert not window.tabifiedDockWidgets(other)
