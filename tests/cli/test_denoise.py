"""The subcommand ``denoise``."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from command import read, run
from PIL import Image

from napari_denoise_ae.denoising.api import denoise

# The command prints warnings itself; they must not become errors in tests.
pytestmark = pytest.mark.filterwarnings(
    "default::napari_denoise_ae.errors.DenoiseAEWarning"
)


def test_denoise_writes_the_same_image_as_the_function(
    png, photo, model_file, tmp_path, capsys
):
    assert run("denoise", png, tmp_path / "out.png", "--model", model_file) == 0
    with pytest.warns(match="much weaker"):
        expected = denoise(photo, model=model_file)
    np.testing.assert_array_equal(read(tmp_path / "out.png"), expected)
    printed = capsys.readouterr()
    for part in ("48 x 40 x 3 (YXS), uint8", "0 to 255", str(model_file), "out.png"):
        assert part in printed.out
    assert "much weaker" in printed.err
    assert "PSNR" not in printed.out


def test_default_model_fits_the_colors_of_the_image(png, tmp_path, capsys):
    assert run("denoise", png, tmp_path / "out.png") == 0
    assert "model      rgb" in capsys.readouterr().out


def test_add_noise_writes_the_noisy_image_and_prints_scores(
    png, photo, model_file, tmp_path, capsys
):
    status = run(
        *("denoise", png, tmp_path / "out.png", "--model", model_file),
        *("--add-noise", "gaussian:0.1", "--seed", 7, "--figure", tmp_path / "f.png"),
    )
    assert status == 0
    noisy = read(tmp_path / "out_noisy.png").astype(float)
    assert (noisy - photo).std() == pytest.approx(25.5, rel=0.1)
    printed = capsys.readouterr().out
    for part in ("PSNR / dB", "SSIM", "noisy", "denoised", "gain", "seed 7", "f.png"):
        assert part in printed
    assert read(tmp_path / "f.png").shape[1] > 600


def test_same_seed_adds_same_noise(png, model_file, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        output = tmp_path / f"{name}.png"
        given = ["--model", model_file, "--add-noise", "gaussian:0.3", "--seed", seed]
        assert run("denoise", png, output, *given) == 0
    first, again, other = (read(tmp_path / f"{name}_noisy.png") for name in "abc")
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_reference_prints_scores_of_a_noisy_input(
    png, photo, model_file, tmp_path, capsys
):
    noisy = np.clip(photo + np.random.default_rng(0).normal(0, 40, photo.shape), 0, 255)
    Image.fromarray(noisy.astype(np.uint8)).save(tmp_path / "noisy.png")
    given = ["--model", model_file, "--reference", png, "--figure", tmp_path / "f.png"]
    assert run("denoise", tmp_path / "noisy.png", tmp_path / "out.png", *given) == 0
    printed = capsys.readouterr().out
    assert "PSNR / dB" in printed
    assert "data range 0 to 255" in printed
    assert not (tmp_path / "out_noisy.png").exists()


def test_16_bit_tiff_stack_keeps_axes_calibration_and_dtype(
    model_file, tmp_path, capsys
):
    stack = np.random.default_rng(0).integers(100, 4000, (3, 20, 24), dtype=np.uint16)
    tifffile.imwrite(
        tmp_path / "in.tif",
        stack,
        imagej=True,
        resolution=(5, 5),
        metadata={"axes": "ZYX", "unit": "um", "spacing": 2.0},
    )
    given = ["--model", model_file, "--figure", tmp_path / "f.png"]
    assert run("denoise", tmp_path / "in.tif", tmp_path / "out.tif", *given) == 0
    with tifffile.TiffFile(tmp_path / "out.tif") as tiff:
        assert (tiff.series[0].axes, tiff.series[0].dtype) == ("ZYX", np.uint16)
        assert tiff.series[0].shape == stack.shape
        assert tiff.imagej_metadata["unit"] == "um"
        assert tiff.imagej_metadata["spacing"] == 2.0
        assert "denoised with" in tiff.imagej_metadata["Info"]
    printed = capsys.readouterr()
    assert f"{stack.min()} to {stack.max()} mapped" in printed.out
    assert "is gray" in printed.err


def test_axes_intensity_range_and_tile_size_are_used(model_file, tmp_path, capsys):
    image = np.random.default_rng(0).random((20, 24, 2)).astype(np.float32)
    tifffile.imwrite(tmp_path / "in.tif", image, metadata=None)
    given = ["--model", model_file, "--axes", "yxc", "--intensity-range", "0,2"]
    outputs = [tmp_path / "a.tif", tmp_path / "b.tif"]
    for output, size in zip(outputs, (8, 512), strict=True):
        status = run(
            "denoise", tmp_path / "in.tif", output, *given, "--tile-size", size
        )
        assert status == 0
    assert "0 to 2 mapped" in capsys.readouterr().out
    np.testing.assert_allclose(*(tifffile.imread(path) for path in outputs), atol=1e-6)


def test_intensity_range_may_begin_below_zero(model_file, tmp_path, capsys):
    image = np.random.default_rng(0).normal(size=(20, 24)).astype(np.float32)
    tifffile.imwrite(tmp_path / "in.tif", image)
    given = ["--model", model_file, "--intensity-range", "-5,5"]
    assert run("denoise", tmp_path / "in.tif", tmp_path / "out.tif", *given) == 0
    assert "-5 to 5 mapped" in capsys.readouterr().out


def test_alpha_channel_of_png_is_kept(model_file, tmp_path, photo):
    alpha = np.arange(48 * 40, dtype=np.uint8).reshape(48, 40, 1)
    Image.fromarray(np.concatenate([photo, alpha], axis=-1)).save(tmp_path / "in.png")
    given = ["--model", model_file]
    assert run("denoise", tmp_path / "in.png", tmp_path / "out.png", *given) == 0
    np.testing.assert_array_equal(read(tmp_path / "out.png")[..., 3:], alpha)


def test_output_format_may_differ_from_input_format(model_file, tmp_path, png):
    for name in ("out.jpg", "out.tif", "out.png"):
        assert run("denoise", png, tmp_path / name, "--model", model_file) == 0
    difference = read(tmp_path / "out.jpg").astype(int) - read(tmp_path / "out.png")
    assert np.abs(difference).mean() < 5
    np.testing.assert_array_equal(
        read(tmp_path / "out.tif"), read(tmp_path / "out.png")
    )


def test_a_file_is_denoised_into_an_existing_folder(png, tmp_path):
    (tmp_path / "results").mkdir()
    assert run("denoise", png, tmp_path / "results", "--strength", "0") == 0
    np.testing.assert_array_equal(read(tmp_path / "results" / png.name), read(png))


def test_the_folder_of_the_input_is_no_output(png, capsys):
    assert run("denoise", png, png.parent) == 2
    assert "would replace the input" in capsys.readouterr().err
