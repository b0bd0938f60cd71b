"""Check that a wheel and an sdist contain all files that users need."""

import sys
import tarfile
import zipfile
from pathlib import Path

# Relative to the package.
REQUIRED = (
    "napari.yaml",
    "py.typed",
    "models/weights/gray.safetensors",
    "models/weights/rgb.safetensors",
    "models/weights/conv.safetensors",
    "models/weights/residual.safetensors",
    "models/weights/residual-no-skips.safetensors",
)


def main(folder: Path) -> int:
    """List the files missing from the distributions in a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Contains one wheel and one sdist.

    Returns
    -------
    int
        The exit status.
    """
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        missing = missing_files(wheel, archive.namelist(), "napari_denoise_ae")
    with tarfile.open(sdist) as archive:
        root = sdist.name.removesuffix(".tar.gz")
        package = f"{root}/src/napari_denoise_ae"
        missing += missing_files(sdist, archive.getnames(), package)
    print("\n".join(missing) or f"{wheel.name} and {sdist.name} are complete")
    return 1 if missing else 0


def missing_files(path: Path, names: list[str], package: str) -> list[str]:
    """Return a line for each required file that is not in a distribution."""
    return [
        f"{path.name} lacks {package}/{name}"
        for name in REQUIRED
        if f"{package}/{name}" not in names
    ]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
