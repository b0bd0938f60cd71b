"""Files are denoised in memory if they cannot be streamed."""

from __future__ import annotations

import pytest
import tifffile
from stored_stacks import MODEL, assert_alike, image_of, run, write_zarr

from napari_denoise_ae import denoise
from napari_denoise_ae.io.images import ImageFile, read_image, write_image
from napari_denoise_ae.models.checkpoint_file import save_checkpoint

# The command prints warnings; pytest would turn them into errors.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)


@pytest.mark.parametrize("options", ["", "--figure", "--reference"])
@pytest.mark.parametrize("names", [("in.png", "out.png"), ("in.zarr", "out.tif")])
def test_a_selection_denoised_in_memory_equals_that_part_of_the_whole(
    names, options, gray, tmp_path
):
    image = image_of((300, 290), "uint8")
    source, target = (tmp_path / name for name in names)
    write_image(tmp_path / "whole.png", ImageFile(image, "YX"))
    write_image(tmp_path / "in.png", ImageFile(image, "YX"))
    write_zarr(tmp_path / "in.zarr", image, "YX", chunks=(128, 128))
    more = {"--figure": tmp_path / "f.png", "--reference": tmp_path / "whole.png"}
    given = [options, more[options]] if options else []
    part = ["--select", "Y=37:201", "--select", "X=130:290"]
    assert run("denoise", source, target, "--model", gray, *part, *given) == 0
    expected = denoise(image, model=MODEL)[37:201, 130:290]
    assert_alike(read_image(target).pixels, expected)


@pytest.mark.parametrize("shape", [(60, 50), (20, 30)])
def test_the_reference_may_have_the_shape_of_the_image_or_the_selection(
    shape, gray, tmp_path, capsys
):
    image = image_of((60, 50), "uint8")
    write_image(tmp_path / "in.png", ImageFile(image, "YX"))
    reference = image if shape == (60, 50) else image[20:40, 10:40]
    write_image(tmp_path / "clean.png", ImageFile(reference.copy(), "YX"))
    part = ["--select", "Y=20:40", "--select", "X=10:40"]
    given = ["--model", gray, "--reference", tmp_path / "clean.png", *part]
    assert run("denoise", tmp_path / "in.png", tmp_path / "out.png", *given) == 0
    assert "inf" in capsys.readouterr().out  # the noisy image is the clean one


def test_choices_made_for_the_reference_are_said(gray, tmp_path, capsys):
    image = image_of((60, 50), "uint8")
    write_image(tmp_path / "in.png", ImageFile(image, "YX"))
    for page in (image, image[:40, :35].copy()):
        tifffile.imwrite(tmp_path / "clean.tif", page, append=True, metadata=None)
    given = ["--model", gray, "--reference", tmp_path / "clean.tif"]
    assert run("denoise", tmp_path / "in.png", tmp_path / "out.png", *given) == 0
    assert "clean.tif: The file holds 2 series" in capsys.readouterr().err


def test_a_selection_with_added_noise_has_the_shape_of_the_selection(gray, tmp_path):
    write_image(tmp_path / "in.png", ImageFile(image_of((300, 290), "uint8"), "YX"))
    part = ["--select", "Y=37:201", "--select", "X=130:290"]
    given = ["--model", gray, "--add-noise", "gaussian:0.1", *part]
    assert run("denoise", tmp_path / "in.png", tmp_path / "out.png", *given) == 0
    for name in ("out.png", "out_noisy.png"):
        assert read_image(tmp_path / name).pixels.shape == (164, 160)


@pytest.mark.parametrize("options", [[], ["--figure", "f.png"]])
def test_a_damaged_chunk_is_reported(options, gray, tmp_path, monkeypatch, capsys):
    source = write_zarr(tmp_path / "in.zarr", image_of((64, 64), "uint8"), "YX")
    (source / "full" / "c" / "0" / "0").write_bytes(b"damaged")
    monkeypatch.chdir(tmp_path)
    given = ["--model", gray, "--select", "Y=3:40", *options]
    assert run("denoise", source, "out.png", *given) == 2
    assert "Cannot read a part" in capsys.readouterr().err


def test_a_tiff_with_planar_colors_is_denoised_in_memory(checkpoint, tmp_path):
    save_checkpoint(checkpoint, tmp_path / "model.pt")
    image = image_of((3, 50, 40), "uint8")
    tifffile.imwrite(
        tmp_path / "in.tif", image, photometric="rgb", planarconfig="separate"
    )
    given = ["--model", tmp_path / "model.pt"]
    assert run("denoise", tmp_path / "in.tif", tmp_path / "out.tif", *given) == 0
    expected = denoise(image, model=checkpoint, axes="SYX")
    assert_alike(tifffile.imread(tmp_path / "out.tif"), expected)


def test_noise_can_be_added_to_an_ome_zarr(gray, tmp_path, capsys):
    source = write_zarr(tmp_path / "in.zarr", image_of((64, 64)), "YX")
    options = ["--add-noise", "gaussian:0.1", "--model", gray]
    assert run("denoise", source, tmp_path / "out.tif", *options) == 0
    assert "PSNR" in capsys.readouterr().out
    assert (tmp_path / "out_noisy.tif").is_file()
