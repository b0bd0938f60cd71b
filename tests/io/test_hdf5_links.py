"""Links in an HDF5 file lead only to HDF5 files in its folder."""

from __future__ import annotations

import numpy as np
import pytest
from stored_stacks import image_of

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.limits import VARIABLE
from napari_denoise_ae.io.source import open_volume

h5py = pytest.importorskip("h5py")
SHAPE = (48, 64)
IMAGE = image_of(SHAPE)
ALL = (slice(None),) * 2


@pytest.fixture
def folder(tmp_path):
    """A folder, one beside it, and one in it, each with an image."""
    for place in ("in", "in/deep", "out"):
        (tmp_path / place).mkdir()
        with h5py.File(tmp_path / place / "b.h5", "w") as content:
            content["group/data"] = IMAGE
    return tmp_path / "in"


def write(folder, **links):
    with h5py.File(folder / "a.h5", "w") as content:
        content["own/data"] = IMAGE
        for name, link in links.items():
            content[name] = link


def test_links_within_the_folder_are_followed(folder):
    write(
        folder,
        same=h5py.SoftLink("/own/./data"),
        beside=h5py.ExternalLink("b.h5", "/group"),
        moved=h5py.ExternalLink("/nowhere/b.h5", "group/data"),
        deep=h5py.ExternalLink("deep/b.h5", "/group/data"),
        twice=h5py.SoftLink("beside/data"),
    )
    for name in ("same", "beside/data", "moved", "deep", "twice"):
        pixels = open_volume(folder / f"a.h5:/{name}").read_part(ALL)
        np.testing.assert_array_equal(pixels, IMAGE)


def test_links_do_not_leave_the_folder_unless_the_file_is_trusted(folder, monkeypatch):
    outside = folder.parent / "out"
    (folder / "linked").symlink_to(outside)
    write(
        folder,
        absolute=h5py.ExternalLink(outside / "b.h5", "/group/data"),
        above=h5py.ExternalLink("../out/b.h5", "/group/data"),
        symbolic=h5py.ExternalLink("linked/b.h5", "/group/data"),
        hidden=h5py.SoftLink("above"),
        missing=h5py.ExternalLink("c.h5", "/group/data"),
        circle=h5py.SoftLink("circle"),
    )
    # The working folder may hold a file of that name.
    monkeypatch.chdir(outside)
    (outside / "c.h5").write_bytes((outside / "b.h5").read_bytes())
    names = ("absolute", "above", "symbolic", "hidden")
    for name in names:
        with pytest.raises(
            InvalidInputError, match=rf"b\.h5, which is out.*{VARIABLE}"
        ):
            open_volume(folder / f"a.h5:/{name}")
    with pytest.raises(InvalidInputError, match=r"c\.h5: it does not exist"):
        open_volume(folder / "a.h5:/missing")
    with pytest.raises(InvalidInputError, match="links form a circle"):
        open_volume(folder / "a.h5:/circle")
    monkeypatch.setenv(VARIABLE, "off")
    for name in names:
        pixels = open_volume(folder / f"a.h5:/{name}").read_part(ALL)
        np.testing.assert_array_equal(pixels, IMAGE)
