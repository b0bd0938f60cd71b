from __future__ import annotations

import pytest
from PIL import Image

from napari_denoise_ae.io.picture_metadata import (
    ORIENTATION,
    read_orientation,
    upright_exif,
    without_prefix,
)


def exif_of(**tags: object) -> bytes:
    exif = Image.Exif()
    exif.update({getattr(Image.ExifTags.Base, name): tags[name] for name in tags})
    return without_prefix(exif.tobytes())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_read_and_removed(orientation):
    exif = exif_of(Orientation=orientation, Make="Maker")
    assert read_orientation(exif) == orientation
    content = Image.Exif()
    content.load(upright_exif(exif))
    assert (content.get(ORIENTATION), content[271]) == (None, "Maker")


@pytest.mark.parametrize("exif", [b"", b"no EXIF", b"II*\0\xff\xff\xff\xff"])
def test_damaged_exif_data_mean_an_upright_image(exif):
    assert read_orientation(exif) == 1
    assert upright_exif(exif) == b""


def test_exif_data_of_nothing_but_an_orientation_are_dropped():
    assert upright_exif(exif_of(Orientation=6)) == b""
