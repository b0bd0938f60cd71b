"""Results are written to TIFF page by page."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from stored_stacks import MODEL, assert_alike, image_of, pixels, run, write_zarr
from synthetic import random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.io import tiff
from napari_denoise_ae.io.source import open_volume
from napari_denoise_ae.models.checkpoint_file import save_checkpoint

# The command prints warnings; pytest would turn them into errors.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float16", "float32"])
def test_a_tiff_is_denoised_page_by_page(dtype, compression, gray, tmp_path):
    image = image_of((3, 40, 50), dtype)
    tifffile.imwrite(
        tmp_path / "in.tif",
        image,
        photometric="minisblack",
        compression=compression,
        metadata={"axes": "ZYX"},
        byteorder=">",
    )
    target = tmp_path / "out.tif"
    assert run("denoise", tmp_path / "in.tif", target, "--model", gray) == 0
    expected = denoise(image, model=MODEL, axes="ZYX")
    assert_alike(tifffile.imread(target).astype(dtype), expected)
    with tifffile.TiffFile(target) as tiff:
        assert (tiff.series[0].axes, tiff.series[0].dtype) == ("ZYX", dtype)


@pytest.mark.parametrize("layout", ["contiguous", "tiled", "strips"])
@pytest.mark.parametrize("axes", ["YX", "YXS"])
def test_large_pages_are_read_and_written_in_tiles(layout, axes, tmp_path):
    shape = (2200, 600) if axes == "YX" else (2200, 600, 3)
    model = random_checkpoint(in_channels=3 if "S" in axes else 1)
    save_checkpoint(model, tmp_path / "model.pt")
    image = image_of(shape, "uint8")
    options = {
        "contiguous": {},
        "tiled": {"tile": (256, 256), "compression": "zlib"},
        "strips": {"rowsperstrip": 64, "compression": "zlib"},
    }[layout]
    photometric = "rgb" if "S" in axes else "minisblack"
    tifffile.imwrite(tmp_path / "in.tif", image, photometric=photometric, **options)
    target = tmp_path / "out.tif"
    given = ["--model", tmp_path / "model.pt"]
    assert run("denoise", tmp_path / "in.tif", target, *given) == 0
    assert_alike(tifffile.imread(target), denoise(image, model=model))
    with tifffile.TiffFile(target) as tiff:
        assert tiff.pages[0].is_tiled
        assert tiff.series[0].axes == axes


@pytest.mark.parametrize("name", ["out.tif", "out.ome.tif"])
@pytest.mark.parametrize(
    ("shape", "axes", "n_bytes"),
    [((3, 40, 50), "ZYX", 3 * 40 * 50 * 2), ((2, 2100, 20), "ZYX", 2 * 2560 * 32 * 2)],
)
def test_a_result_too_large_for_a_classic_tiff_becomes_a_bigtiff(
    shape, axes, n_bytes, name, gray, tmp_path, monkeypatch
):
    """The limit is lowered, because 4 GB would take too long. Tiles are padded."""
    image = image_of(shape)
    metadata = {"axes": axes}
    tifffile.imwrite(
        tmp_path / "in.tif", image, photometric="minisblack", metadata=metadata
    )
    given = ["--model", gray, "--overwrite"]
    command = ["denoise", tmp_path / "in.tif", tmp_path / name, *given]
    for limit, sign in ((n_bytes, b"*\0"), (n_bytes - 1, b"+\0")):
        monkeypatch.setattr(tiff, "_LARGEST_CLASSIC_TIFF", limit)
        assert run(*command) == 0
        header = (tmp_path / name).read_bytes()[:4]
        assert header in (b"II" + sign, b"MM" + sign[::-1])
    expected = denoise(image, model=MODEL, axes=axes)
    assert_alike(tifffile.imread(tmp_path / name), expected)


def test_an_ome_tiff_keeps_its_pixel_size(gray, tmp_path):
    image = image_of((2, 3, 40, 50))
    metadata = {
        "axes": "TCYX",
        "PhysicalSizeX": 0.1,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 0.2,
        "TimeIncrement": 3.0,
        "TimeIncrementUnit": "s",
    }
    tifffile.imwrite(tmp_path / "in.ome.tif", image, metadata=metadata)
    expected = denoise(image, model=MODEL, axes="TCYX")
    for name in ("out.ome.tif", "out.ome.zarr"):
        given = [tmp_path / "in.ome.tif", tmp_path / name, "--model", gray]
        assert run("denoise", *given) == 0
    assert_alike(tifffile.imread(tmp_path / "out.ome.tif"), expected)
    assert_alike(pixels(tmp_path / "out.ome.zarr"), expected)
    for name in ("out.ome.tif", "out.ome.zarr"):
        volume = open_volume(tmp_path / name)
        assert volume.axes == "TCYX"
        scale = {k: v for k, v in volume.scale.items() if k != "C"}
        assert scale == {"T": 3.0, "Y": 0.2, "X": 0.1}
        assert volume.units == {"T": "second", "Y": "micrometer", "X": "micrometer"}


def test_an_ome_zarr_becomes_a_tiff_for_imagej(gray, tmp_path):
    image = image_of((3, 40, 50))
    source = write_zarr(tmp_path / "in.zarr", image, "ZYX")
    assert run("denoise", source, tmp_path / "out.tif", "--model", gray) == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as tiff:
        assert_alike(tiff.asarray(), denoise(image, model=MODEL, axes="ZYX"))
        assert tiff.imagej_metadata["unit"] == "micron"
        assert tiff.imagej_metadata["spacing"] == 2.0
        assert tiff.series[0].keyframe.resolution == (2.0, 2.0)


def test_a_failed_run_leaves_no_tiff(gray, tmp_path, capsys):
    image = image_of((3, 40, 50), "float32")
    image[2, 3, 3] = np.inf
    tifffile.imwrite(
        tmp_path / "in.tif", image, photometric="minisblack", metadata={"axes": "TYX"}
    )
    before = sorted(tmp_path.iterdir())
    given = ["--model", gray, "--intensity-range", "0,4000"]
    assert run("denoise", tmp_path / "in.tif", tmp_path / "out.tif", *given) == 2
    assert "infinite" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before
