"""Install a wheel like napari's plugin manager does, and check the result.

The environment that runs this script must have napari, a Qt binding and torch. The
script installs the wheel into it and checks that this changes no installed package,
that npe2 finds the plugin, and that the widgets open in a viewer.
"""

import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

NAME = "napari-denoise-ae"

OPEN_THE_WIDGETS = """
import napari
from qtpy.QtWidgets import QApplication
viewer = napari.Viewer()
for widget in ("Denoise", "Denoise files", "Train"):
    dock, _ = viewer.window.add_plugin_dock_widget("napari-denoise-ae", widget)
    for _ in range(50):
        QApplication.processEvents()
    assert dock.isVisible(), widget
    print(widget, "opens")
viewer.close()
"""


def main(folder: Path) -> int:
    """Install the wheel in a folder; return the exit status."""
    (wheel,) = folder.glob("*.whl")
    before = installed_versions()
    install = [sys.executable, "-m", "pip", "install", "--upgrade", str(wheel)]
    subprocess.run(install, check=True)
    after = installed_versions()
    changed = {
        name: (version, after.get(name))
        for name, version in before.items()
        if after.get(name) != version
    }
    if changed:
        print(f"Installing the plugin changed other packages: {changed}")
        return 1
    print(f"{len(before)} packages unchanged, {len(after) - len(before)} added")
    listed = subprocess.run(
        [sys.executable, "-m", "npe2", "list"],
        check=True,
        capture_output=True,
        text=True,
    )
    if NAME not in listed.stdout:
        print(f"npe2 does not list the plugin:\n{listed.stdout}")
        return 1
    screen = ["xvfb-run", "--auto-servernum"] if sys.platform == "linux" else []
    opened = [*screen, sys.executable, "-c", OPEN_THE_WIDGETS]
    return subprocess.run(opened, check=False).returncode


def installed_versions() -> dict[str, str]:
    """Return the versions of the installed packages, by name in lower case."""
    return {d.metadata["Name"].lower(): d.version for d in distributions()}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
