"""Follow links in HDF5 files without leaving the folder of the file.

Links, virtual data sets and external storage name other files, anywhere on the
machine. An untrusted file could name a private one, whose content would end up in the
result.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .limits import is_lifted, require_near
from .stored import require_file

if TYPE_CHECKING:
    import h5py

# Links may form circles.
_MOST_STEPS = 1000


def find_object(file: h5py.File, inside: str, folder: Path) -> h5py.HLObject | None:
    """Return the object of a path in a file; None if there is none.

    Parameters
    ----------
    file : h5py.File
        The file.
    inside : str
        The path.
    folder : pathlib.Path
        Folder, without symbolic links, that external links may not leave, unless the
        user has lifted the limits.

    Raises
    ------
    InvalidInputError
        If an external link leads out of the folder, or to a file that does not exist.
    ValueError
        If links form a circle.
    """
    import h5py

    if is_lifted():
        return file.get(inside)
    node, names = file, _names(inside)
    for _ in range(_MOST_STEPS):
        if not names:
            return node
        if not isinstance(node, h5py.Group):
            return None
        link = node.get(names[0], getlink=True)
        if isinstance(link, h5py.ExternalLink):
            origin = Path(node.file.filename)
            node = h5py.File(file_near(link.filename, origin, folder), "r")
            names[:1] = _names(link.path)
        elif isinstance(link, h5py.SoftLink):
            node = node.file if link.path.startswith("/") else node
            names[:1] = _names(link.path)
        else:
            node = node.get(names.pop(0))
    raise ValueError("its links form a circle")


def file_near(name: str, origin: Path, folder: Path) -> Path:
    """Return the file that a name in an HDF5 file stands for.

    As in the HDF5 library, a relative name starts at the folder of the file, and the
    last part of an absolute name that does not exist is looked for there.

    Parameters
    ----------
    name : str
        The name.
    origin : pathlib.Path
        The file that contains it.
    folder : pathlib.Path
        Folder, without symbolic links, that must contain the file, directly or in a
        folder of its own.

    Raises
    ------
    InvalidInputError
        If there is no such file, or it is elsewhere.
    """
    # An absolute name replaces the folder.
    stated = origin.parent / name
    beside = origin.parent / stated.name
    found = beside if Path(name).is_absolute() and not stated.exists() else stated
    require_near(found, origin, folder)
    require_file(found)
    return found


def _names(inside: str) -> list[str]:
    return [name for name in inside.split("/") if name not in ("", ".")]
