"""Virtual data sets are read as the HDF5 library reads them, from their folder only."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.io.limits import VARIABLE
from napari_denoise_ae.io.source import open_volume

h5py = pytest.importorskip("h5py")
FRAMES = np.arange(4 * 30 * 40, dtype=np.uint16).reshape(4, 30, 40)


@pytest.fixture
def folder(tmp_path):
    """Three files with frames."""
    (tmp_path / "in").mkdir()
    for n, name in enumerate(("a%.h5", "b.h5", "c.h5")):
        with h5py.File(tmp_path / "in" / name, "w") as content:
            content.create_dataset(
                *("d", None, "u2", FRAMES + 5000 * n), chunks=(1, 30, 40), compression=4
            )
    return tmp_path / "in"


def frames_of(name):
    return h5py.VirtualSource(name, "d", FRAMES.shape)


def layout_of(shape, *parts, dtype="u2"):
    layout = h5py.VirtualLayout(shape, dtype)
    for place, source in parts:
        layout[place] = source
    return layout


a, b, c = map(frames_of, ("a%%.h5", "b.h5", "c.h5"))
LAYOUTS = {
    "stacked": layout_of((3, 4, 30, 40), (0, a), (1, b), (2, c)),
    "joined": layout_of((12, 30, 40), (slice(4), a), (slice(4, 8), b)),
    "interleaved": layout_of(
        (12, 30, 40),
        *[(slice(n, None, 3), each) for n, each in enumerate((a, b, c))],
    ),
    "tiled": layout_of(
        (4, 50, 100),
        ((slice(None), slice(2, 32), slice(40)), a),
        ((slice(None), slice(10, 40), slice(50, 90)), b),
    ),
    "parts of parts": layout_of(
        (2, 12, 20), (slice(None), a[1::2, 5:29:2, 20:]), dtype="f8"
    ),
    "single frames": layout_of((3, 30, 40), (0, c[3]), (2, a[1])),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_parts_of_virtual_data_sets_are_read(name, folder):
    layout = LAYOUTS[name]
    with h5py.File(folder / "v.h5", "w") as content:
        content.create_virtual_dataset("v", layout, fillvalue=7)
    with h5py.File(folder / "v.h5", "r") as content:
        expected = content["v"][...]
    volume = open_volume(folder / "v.h5", "TZYX"[-expected.ndim :])
    assert (volume.dtype, volume.compression) == (expected.dtype, "other")
    for slices in (
        (slice(None), slice(None), slice(None)),
        (slice(1, 3), slice(4, 25), slice(33, 35)),
        (slice(1, None, 2), slice(11, 12), slice(3, 17, 5)),
        (slice(0, 1), slice(0), slice(None)),
    ):
        part = (slice(None),) * (expected.ndim - 3) + slices
        np.testing.assert_array_equal(volume.read_part(part), expected[part])


def test_blocks_at_equal_distances_are_read(folder):
    """As detectors that write several files at once record them."""
    kind = h5py.h5t.NATIVE_UINT16
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    whole = h5py.h5s.create_simple(FRAMES.shape)
    for n, name in enumerate((b"a%%.h5", b"b.h5")):
        space = h5py.h5s.create_simple((8, 30, 40))
        space.select_hyperslab((2 * n, 0, 0), (2, 1, 1), (4, 1, 1), (2, 30, 40))
        settings.set_virtual(space, name, b"d", whole)
    with h5py.File(folder / "v.h5", "w") as content:
        space = h5py.h5s.create_simple((8, 30, 40))
        h5py.h5d.create(content.id, b"v", kind, space, dcpl=settings)
        expected = content["v"][...]
    for part in ((slice(None),) * 3, (slice(1, 7), slice(3, 4), slice(5, 9))):
        pixels = open_volume(folder / "v.h5", "TYX").read_part(part)
        np.testing.assert_array_equal(pixels, expected[part])


def test_virtual_data_sets_may_be_nested_but_not_in_circles(folder):
    with h5py.File(folder / "v.h5", "w") as content:
        content.create_virtual_dataset("inner", layout_of((4, 30, 40), (slice(4), a)))
        for name, inner in (("outer", "inner"), ("circle", "circle")):
            source = h5py.VirtualSource(".", inner, FRAMES.shape)
            layout = layout_of((4, 30, 40), (slice(4), source))
            content.create_virtual_dataset(name, layout)
    pixels = open_volume(folder / "v.h5:/outer", "TYX").read_part((slice(None),) * 3)
    np.testing.assert_array_equal(pixels, FRAMES)
    with pytest.raises(InvalidInputError, match="circle is nested too deeply"):
        open_volume(folder / "v.h5:/circle", "TYX").read_part((slice(None),) * 3)


def refused(folder):
    """Yield names of data sets that are refused, and the reasons."""
    outside = folder.parent / "private.h5"
    outside.write_bytes((folder / "b.h5").read_bytes())
    unlimited = h5py.VirtualLayout((4, 30, 40), "u2", (None, 30, 40))
    source = h5py.VirtualSource("b.h5", "d", FRAMES.shape, maxshape=(None, 30, 40))
    unlimited[: h5py.h5s.UNLIMITED] = source[: h5py.h5s.UNLIMITED]
    irregular = h5py.VirtualLayout((4, 30, 40), "u2")
    irregular[[0, 1, 3]] = b[:3]
    with h5py.File(folder / "v.h5", "w") as content:
        for name, layout in (
            ("outside", layout_of((4, 30, 40), (slice(4), frames_of(str(outside))))),
            ("missing", layout_of((4, 30, 40), (slice(4), frames_of("z.h5")))),
            ("unlimited", unlimited),
            ("irregular", irregular),
            ("overlap", layout_of((4, 30, 40), (slice(4), b), (slice(4), c))),
            ("large", layout_of((10**6, 10**6), ((0, slice(40)), b[0, 0]))),
        ):
            content.create_virtual_dataset(name, layout)
        content.create_dataset("raw", (9, 9), "u1", external=[("/etc/hosts", 0, 81)])
    yield "outside", rf"private\.h5, which is outside its folder.*{VARIABLE}"
    yield "missing", r"z\.h5: it does not exist"
    yield "unlimited", rf"no fixed length.*{VARIABLE}"
    yield "irregular", rf"parts other than equal blocks.*{VARIABLE}"
    yield "overlap", r"parts .* overlap"
    yield "large", rf"claims .* GB .*{VARIABLE}"
    yield "raw", rf"another file, /etc/hosts, which is not HDF5.*{VARIABLE}"


def test_virtual_data_sets_that_cannot_be_checked_are_refused(folder, monkeypatch):
    cases = dict(refused(folder))
    for name, reason in cases.items():
        with pytest.raises(InvalidInputError, match=reason):
            open_volume(folder / f"v.h5:/{name}", "ZYX"[-(2 + ("a" in name)) :])
    # Without a name, nothing but the file itself is opened.
    (folder / "b.h5").unlink()
    with pytest.raises(InvalidInputError, match=r"which data set"):
        open_volume(folder / "v.h5")
    monkeypatch.setenv(VARIABLE, "off")
    outside = open_volume(folder / "v.h5:/outside", "TYX")
    np.testing.assert_array_equal(outside.read_part((slice(None),) * 3), FRAMES + 5000)


def test_chunks_of_parts_are_limited(folder):
    with h5py.File(folder / "b.h5", "r+") as content:
        content["d"].id.write_direct_chunk((2, 0, 0), zlib.compress(bytes(2**24), 9))
    with h5py.File(folder / "v.h5", "w") as content:
        content.create_virtual_dataset("v", layout_of((4, 30, 40), (slice(4), b)))
    volume = open_volume(folder / "v.h5", "TYX")
    sound = volume.read_part((slice(0, 2), slice(None), slice(None)))
    np.testing.assert_array_equal(sound, FRAMES[:2] + 5000)
    with pytest.raises(InvalidInputError, match="a chunk inflates to more than"):
        volume.read_part((slice(2, 3), slice(0, 1), slice(0, 1)))
