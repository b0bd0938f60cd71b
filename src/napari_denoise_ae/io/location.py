"""Names of images: files, data sets in files, and addresses.

All of them are held as `pathlib.Path`, which makes ``https:/host`` of
``https://host``; `url_of` restores the address.
"""

from __future__ import annotations

import re
from pathlib import Path

#: Suffixes of HDF5 files, lower case.
HDF5 = (".h5", ".hdf5")
_REMOTE = re.compile(r"(https?|s3):/+(?=[^/])", re.IGNORECASE)
_IN_HDF5 = re.compile(r"(?P<file>.+\.(?:h5|hdf5)):(?P<inside>/.*)", re.IGNORECASE)


def is_remote(path: Path) -> bool:
    """Return whether a path is an address, such as ``https://host/a.zarr``."""
    return _REMOTE.match(path.as_posix()) is not None


def url_of(path: Path) -> str:
    """Return the address that a remote path stands for."""
    return _REMOTE.sub(lambda found: f"{found[1].lower()}://", path.as_posix(), count=1)


def shown(path: Path) -> str:
    """Return a path as a user writes it."""
    return url_of(path) if is_remote(path) else str(path)


def split_hdf5(path: Path) -> tuple[Path, str]:
    """Return the file and the data set of ``file.h5:/data/set``.

    The data set is empty if the path names none.
    """
    found = _IN_HDF5.fullmatch(path.as_posix())
    return (path, "") if found is None else (Path(found["file"]), found["inside"])


def file_of(path: Path) -> Path:
    """Return the file that holds an image, without the name of a data set in it."""
    return split_hdf5(path)[0]


def absolute(path: Path) -> Path:
    """Return an absolute path; an address is unchanged."""
    return path if is_remote(path) else path.absolute()
