"""The command denoises files of any size part by part."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import tifffile
import zarr
from stored_stacks import MODEL, assert_alike, image_of, pixels, run, write_zarr
from synthetic import random_checkpoint

from napari_denoise_ae import denoise
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.io.images import read_image
from napari_denoise_ae.io.ome_zarr import read_ome_zarr
from napari_denoise_ae.models.checkpoint_file import save_checkpoint

# The command prints warnings; pytest would turn them into errors.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)


def test_nan_and_values_outside_the_given_range_are_kept(gray, tmp_path):
    image = image_of((200, 200), "float32")
    image[50:60, :] = np.nan
    image[0, 0] = 1e6
    source = write_zarr(tmp_path / "in.zarr", image, "YX", chunks=(128, 128))
    given = ["--model", gray, "--intensity-range", "0,4000"]
    assert run("denoise", source, tmp_path / "out.zarr", *given) == 0
    result = pixels(tmp_path / "out.zarr")
    np.testing.assert_array_equal(np.isnan(result), np.isnan(image))
    expected = denoise(image, model=MODEL, intensity_range=(0, 4000))
    np.testing.assert_allclose(result, expected, atol=0.1, rtol=1e-5)


def test_a_plain_zarr_array_needs_axes(gray, tmp_path, capsys):
    image = image_of((2, 40, 40))
    path = tmp_path / "in.zarr"
    zarr.create_array(path, data=image)
    assert run("denoise", path, tmp_path / "out.zarr", "--model", gray) == 2
    assert "with axes" in capsys.readouterr().err
    given = ["--model", gray, "--axes", "ZYX"]
    assert run("denoise", path, tmp_path / "out.zarr", *given) == 0
    expected = denoise(image, model=MODEL, axes="ZYX")
    assert_alike(pixels(tmp_path / "out.zarr"), expected)


def test_a_selection_equals_that_part_of_the_whole(gray, tmp_path):
    image = image_of((4, 300, 290), "uint8")
    source = write_zarr(tmp_path / "in.zarr", image, "TYX", chunks=(1, 128, 128))
    part = ["--select", "T=1:3", "--select", "Y=37:201", "--select", "x=130:290"]
    for name in ("out.zarr", "out.tif"):
        assert run("denoise", source, tmp_path / name, "--model", gray, *part) == 0
    expected = denoise(image, model=MODEL, axes="TYX")[1:3, 37:201, 130:290]
    assert_alike(pixels(tmp_path / "out.zarr"), expected)
    assert_alike(tifffile.imread(tmp_path / "out.tif"), expected)
    origin = read_ome_zarr(tmp_path / "out.zarr")[1].origin
    assert origin == {"T": 2.0, "Y": 18.5, "X": 65.0}


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("Z=1", "no axis Z"),
        ("T=2:9", "T=0:4"),
        ("Y=5:5", "Y=0:32"),
        ("Y=-3:5", "Y=0:32"),
    ],
)
def test_a_selection_outside_the_image_is_rejected(
    part, message, gray, tmp_path, capsys
):
    source = write_zarr(tmp_path / "in.zarr", image_of((4, 32, 32)), "TYX")
    given = ["--model", gray, "--select", part]
    assert run("denoise", source, tmp_path / "out.zarr", *given) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.zarr").exists()


@pytest.mark.parametrize("part", ["T", "T=", "T=a:b", "1:2"])
def test_an_invalid_selection_is_a_usage_error(part, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        run("denoise", "in.zarr", "out.zarr", "--select", part)
    assert ended.value.code == 2


def test_selecting_from_an_axis_twice_is_rejected(gray, tmp_path, capsys):
    source = write_zarr(tmp_path / "in.zarr", image_of((32, 32)), "YX")
    part = ["--select", "Y=0:9", "--select", "y=20:29"]
    assert run("denoise", source, tmp_path / "out.zarr", "--model", gray, *part) == 2
    assert "Y is selected from twice" in capsys.readouterr().err
    assert not (tmp_path / "out.zarr").exists()


def test_an_empty_scheduler_address_is_rejected(gray, tmp_path, capsys):
    source = write_zarr(tmp_path / "in.zarr", image_of((32, 32)), "YX")
    given = ["--model", gray, "--scheduler", ""]
    assert run("denoise", source, tmp_path / "out.zarr", *given) == 2
    assert "address" in capsys.readouterr().err
    assert not (tmp_path / "out.zarr").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@pytest.mark.parametrize("name", ["out.tif", "out.png", "out.zarr"])
def test_an_output_that_links_to_itself_gives_no_traceback(
    name, gray, tmp_path, capsys
):
    image = image_of((32, 32), "uint8")
    tifffile.imwrite(tmp_path / "in.tif", image)
    (tmp_path / name).symlink_to(tmp_path / name)
    given = [tmp_path / "in.tif", tmp_path / name, "--model", gray]
    if name == "out.zarr":
        assert run("denoise", *given) == 2
        assert "out.zarr" in capsys.readouterr().err
    else:
        assert run("denoise", *given) == 0
        assert_alike(read_image(tmp_path / name).pixels, denoise(image, model=MODEL))


def test_a_result_is_never_written_into_its_source(gray, tmp_path, capsys):
    source = write_zarr(tmp_path / "in.zarr", image_of((64, 64)), "YX")
    for target in (source, source / "out.zarr"):
        assert run("denoise", source, target, "--model", gray) == 2
        assert "replace the input" in capsys.readouterr().err


def test_a_damaged_chunk_is_reported(gray, tmp_path, capsys):
    source = write_zarr(
        tmp_path / "in.zarr", image_of((300, 300)), "YX", chunks=(128, 128)
    )
    (source / "full" / "c" / "2" / "2").write_bytes(b"damaged")
    assert run("denoise", source, tmp_path / "out.zarr", "--model", gray) == 2
    assert "in.zarr" in capsys.readouterr().err


def test_colors_become_channels_in_an_ome_zarr(checkpoint, tmp_path):
    save_checkpoint(checkpoint, tmp_path / "model.pt")
    image = image_of((50, 40, 3), "uint8")
    tifffile.imwrite(tmp_path / "in.tif", image, photometric="rgb")
    target = tmp_path / "out.zarr"
    given = ["--model", tmp_path / "model.pt"]
    assert run("denoise", tmp_path / "in.tif", target, *given) == 0
    expected = denoise(image, model=checkpoint)
    assert_alike(pixels(target).transpose(1, 2, 0), expected)
    metadata = read_ome_zarr(target)[1]
    assert metadata.axes == "CYX"
    colors = [channel["color"] for channel in metadata.omero["channels"]]
    assert colors == ["FF0000", "00FF00", "0000FF"]


@pytest.mark.parametrize(
    "options", [["--add-noise", "gaussian:0.1"], ["--figure", "out.png"]]
)
def test_an_ome_zarr_result_cannot_be_compared(options, gray, tmp_path, capsys):
    source = write_zarr(tmp_path / "in.zarr", image_of((64, 64)), "YX")
    command = ["denoise", source, tmp_path / "out.zarr", "--model", gray, *options]
    assert run(*command) == 2
    assert "Omit --add-noise" in capsys.readouterr().err


# --- memory ----------------------------------------------------------------


def test_at_most_a_chunk_and_its_halo_are_read_at_once(gray, tmp_path, monkeypatch):
    """Peak memory does not grow with the image."""
    sizes = []
    denoise_tile = Denoiser.denoise_tile

    def recording(self, sources, *rest):
        sizes.extend(source.shape for source in sources)
        denoise_tile(self, sources, *rest)

    monkeypatch.setattr(Denoiser, "denoise_tile", recording)
    tifffile.imwrite(tmp_path / "in.tif", image_of((2100, 2100), "uint8"))
    source = write_zarr(
        tmp_path / "in.zarr", image_of((600, 600), "uint8"), "YX", chunks=(128, 128)
    )
    assert run("denoise", source, tmp_path / "out.zarr", "--model", gray) == 0
    assert max(max(shape) for shape in sizes) == 128 + 2 * 16
    sizes.clear()
    given = [tmp_path / "in.tif", tmp_path / "out.tif"]
    assert run("denoise", *given, "--model", gray) == 0
    assert max(max(shape) for shape in sizes) == 512 + 2 * 16


@pytest.fixture(scope="module")
def with_noise_level(tmp_path_factory):
    """A checkpoint file of a small model that takes a noise level."""
    path = tmp_path_factory.mktemp("model") / "unet.pt"
    save_checkpoint(random_checkpoint(network="unet", in_channels=1), path)
    return path


@pytest.mark.parametrize("name", ["out.zarr", "out.tif", "out.ome.tif"])
def test_neighboring_frames_are_averaged_as_in_memory(
    name, with_noise_level, tmp_path, monkeypatch
):
    image = image_of((4, 2, 150, 140))
    source = write_zarr(tmp_path / "in.zarr", image, "TCYX", chunks=(1, 1, 128, 128))
    options = ["--model", with_noise_level, "--frames", 2, "--dtype", "float32"]
    run_network, calls = Denoiser.run_network, []

    def count(self, batch, *noise):
        calls.append(batch)
        return run_network(self, batch, *noise)

    monkeypatch.setattr(Denoiser, "run_network", count)
    assert run("denoise", source, tmp_path / name, *options) == 0
    path = tmp_path / name
    result = pixels(path) if name == "out.zarr" else read_image(path).pixels
    # Each plane of a TIFF is one part, and one of a Zarr has four.
    n_parts = 4 if name == "out.zarr" else 1
    assert len(calls) == 8 * (2 + n_parts)
    expected = denoise(
        image, model=with_noise_level, axes="TCYX", frames=2, dtype="float32"
    )
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=0.01)


@pytest.mark.parametrize("name", ["out.zarr", "out.tif"])
def test_a_selection_averages_its_own_frames(name, with_noise_level, tmp_path):
    image = image_of((5, 500, 60))
    source = write_zarr(tmp_path / "in.zarr", image, "TYX", chunks=(1, 128, 60))
    options = ["--model", with_noise_level, "--frames", 1, "--sigma", 100]
    part = ["--select", "T=1:4", "--select", "Y=400:437", "--dtype", "float32"]
    assert run("denoise", source, tmp_path / name, *options, *part) == 0
    expected = denoise(
        image[1:4],
        model=with_noise_level,
        axes="TYX",
        frames=1,
        sigma=100,
        dtype="float32",
    )[:, 400:437]
    path = tmp_path / name
    result = pixels(path) if name == "out.zarr" else tifffile.imread(path)
    assert result.shape == expected.shape
    # The scaling is measured in the selection.
    np.testing.assert_allclose(result, expected, atol=1.0)


@pytest.mark.parametrize("name", ["out.zarr", "out.tif"])
def test_a_file_without_frames_is_refused(name, with_noise_level, tmp_path, capsys):
    source = write_zarr(tmp_path / "in.zarr", image_of((40, 40)), "YX")
    options = ["--model", with_noise_level, "--frames", 2]
    assert run("denoise", source, tmp_path / name, *options) == 2
    assert "frames needs an axis T or Z" in capsys.readouterr().err
    assert not (tmp_path / name).exists()
