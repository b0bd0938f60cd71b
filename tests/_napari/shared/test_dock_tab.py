from qtpy.QtWidgets import QWidget

from napari_denoise_ae._napari.shared.dock_tab import DockTab


def test_docks_open_as_tabs(viewer, qtbot):
    window = viewer.window._qt_window
    docks = []
    for name in ("Denoise", "Denoise files", "Train"):
        widget = QWidget()
        DockTab(widget)
        docks.append(viewer.window.add_dock_widget(widget, name=name))
        widget.show()
    window.show()
    qtbot.waitUntil(lambda: len(window.tabifiedDockWidgets(docks[0])) == 2)
    assert set(window.tabifiedDockWidgets(docks[2])) == {*docks[:2]}
    other = viewer.window.add_dock_widget(QWidget(), name="other")
    assert not window.tabifiedDockWidgets(other)
