"""The intensity range of a file is measured before it is denoised."""

from __future__ import annotations

import numpy as np
import pytest
from stored_stacks import MODEL, assert_alike, image_of, pixels, run, write_zarr

from napari_denoise_ae import denoise
from napari_denoise_ae.files.range_scan import RangeScan
from napari_denoise_ae.io.images import ImageFile, read_image, write_image
from napari_denoise_ae.io.source import Volume

# The command prints warnings; pytest would turn them into errors.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)


@pytest.mark.parametrize("options", [[], ["--range-of", "image"]])
def test_the_ranges_equal_those_of_the_image_in_memory(options, gray, tmp_path):
    image = image_of((3, 2, 150, 140), "int16") * np.array([1, 8]).reshape(2, 1, 1)
    image = image.astype("int16")
    source = write_zarr(tmp_path / "in.zarr", image, "TCYX", chunks=(1, 1, 64, 64))
    given = ["--model", gray, *options]
    assert run("denoise", source, tmp_path / "out.zarr", *given) == 0
    range_of = options[1] if options else "stack"
    expected = denoise(image, model=MODEL, axes="TCYX", range_of=range_of)
    assert_alike(pixels(tmp_path / "out.zarr"), expected)


def test_a_range_may_be_given_for_each_channel(gray, tmp_path, capsys):
    image = image_of((2, 40, 40))
    source = write_zarr(tmp_path / "in.zarr", image, "CYX")
    ranges = ["--intensity-range", "0,4000", "--intensity-range", "0,8000"]
    assert run("denoise", source, tmp_path / "out.zarr", "--model", gray, *ranges) == 0
    expected = denoise(
        image, model=MODEL, axes="CYX", intensity_range=[(0, 4000), (0, 8000)]
    )
    assert_alike(pixels(tmp_path / "out.zarr"), expected)
    assert "channel 0: 0 to 4000, channel 1: 0 to 8000" in capsys.readouterr().out


def test_the_range_of_a_selection_is_measured_in_the_selection(gray, tmp_path):
    """Both in memory and chunk by chunk."""
    image = image_of((300, 290))
    image[0, 0] = 60000
    write_image(tmp_path / "in.png", ImageFile(image, "YX"))
    part = ["--select", "Y=37:201", "--select", "X=130:290"]
    for name in ("out.png", "out.zarr"):
        given = [tmp_path / "in.png", tmp_path / name, "--model", gray]
        assert run("denoise", *given, *part) == 0
    cut = image[37:201, 130:290]
    ranges = (int(cut.min()), int(cut.max()))
    expected = denoise(image, model=MODEL, intensity_range=ranges)[37:201, 130:290]
    assert_alike(read_image(tmp_path / "out.png").pixels, expected)
    assert_alike(pixels(tmp_path / "out.zarr"), expected)


def test_infinite_values_are_an_error(gray, tmp_path, capsys):
    image = image_of((64, 64), "float32")
    image[3, 3] = np.inf
    source = write_zarr(tmp_path / "in.zarr", image, "YX")
    for given in ([], ["--intensity-range", "0,4000"]):
        command = ["denoise", source, tmp_path / "out.zarr", "--model", gray, *given]
        assert run(*command, "--overwrite") == 2
        assert "infinite" in capsys.readouterr().err


def test_nothing_but_nan_is_an_error(gray, tmp_path, capsys):
    image = np.full((64, 64), np.nan, "float32")
    source = write_zarr(tmp_path / "in.zarr", image, "YX")
    assert run("denoise", source, tmp_path / "out.zarr", "--model", gray) == 2
    assert "nothing but NaN" in capsys.readouterr().err


def test_a_resumed_run_does_not_scan_the_source_again(
    gray, tmp_path, monkeypatch, capsys
):
    image = image_of((2, 300, 290))
    source = write_zarr(tmp_path / "in.zarr", image, "TYX", chunks=(1, 128, 128))
    target = tmp_path / "out.zarr"
    command = ["denoise", source, target, "--model", gray]
    assert run(*command) == 0

    def fail(self):
        raise AssertionError("the source is read again")

    monkeypatch.setattr(RangeScan, "__iter__", fail)
    (target / "0" / "c" / "1" / "0" / "0").unlink()
    assert run(*command) == 0
    assert "kept       17 of 18 chunks" in capsys.readouterr().out
    assert_alike(pixels(target), denoise(image, model=MODEL, axes="TYX"))
    # If the result is finished, the source is not read at all.
    monkeypatch.setattr(Volume, "read", fail)
    assert run(*command) == 0
    assert "kept       18 of 18 chunks" in capsys.readouterr().out
