"""Install the system packages that the window tests need, if possible.

On Debian and Ubuntu, as root or with a sudo that asks for no password, the script
installs missing packages. Otherwise it lists them and exits with status 0, and the
tests that need a window are skipped. In CI, where the variable CI is set, it exits
with status 1 if any package is missing.
"""

import os
import shutil
import subprocess
import sys

# A virtual screen, software OpenGL, and the libraries that Qt's xcb plugin loads.
PACKAGES = (
    "xvfb",
    "xauth",
    "libgl1",
    "libgl1-mesa-dri",
    "libegl1",
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-image0",
    "libxcb-keysyms1",
    "libxcb-randr0",
    "libxcb-render-util0",
    "libxcb-shape0",
    "libxcb-sync1",
    "libxcb-xfixes0",
    "libxcb-xkb1",
    "libxkbcommon-x11-0",
    "libdbus-1-3",
    "libfontconfig1",
    "libglib2.0-0",
)


def main() -> int:
    """Install missing packages, or list them; return the exit status."""
    if sys.platform != "linux":
        return 0
    if shutil.which("dpkg-query") is None:
        print("This is not Debian or Ubuntu. The window tests need the equivalents of:")
        print(" ".join(PACKAGES))
        return 0
    missing = missing_packages()
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if missing and may_install(as_root):
        apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
        subprocess.run([*apt, "update"], check=False)
        install = [*apt, "install", "--yes", "--no-install-recommends", *missing]
        subprocess.run(install, check=False)
        missing = missing_packages()
    if not missing:
        return 0
    print("System packages are missing, so tests that need a window are skipped. Run:")
    print(f"    sudo apt-get install {' '.join(missing)}")
    return 1 if os.environ.get("CI") else 0


def missing_packages() -> list[str]:
    """Return the names of the packages that are not installed."""
    return [package for package in PACKAGES if not is_installed(package)]


def is_installed(package: str) -> bool:
    """Return whether a package, or its renamed successor, is installed."""
    # Newer releases have, for example, libglib2.0-0t64 instead of libglib2.0-0.
    for name in (package, f"{package}t64"):
        query = ["dpkg-query", "--show", "--showformat=${Status}", name]
        done = subprocess.run(query, capture_output=True, text=True, check=False)
        if done.stdout == "install ok installed":
            return True
    return False


def may_install(as_root: list[str]) -> bool:
    """Return whether packages can be installed without asking for a password."""
    if as_root and shutil.which("sudo") is None:
        return False
    return subprocess.run([*as_root, "true"], check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
