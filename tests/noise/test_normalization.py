from __future__ import annotations

import json

import dask.array as da
import numpy as np
import pytest
import tifffile
from skimage.io import imsave
from synthetic import CPU, random_checkpoint, smooth_photo

from napari_denoise_ae import denoise
from napari_denoise_ae.cli.main import main
from napari_denoise_ae.denoising.array import Denoising
from napari_denoise_ae.denoising.denoiser import Denoiser
from napari_denoise_ae.denoising.model_ranges import find_model_ranges
from napari_denoise_ae.denoising.options import DenoiseOptions
from napari_denoise_ae.errors import DenoiseAEWarning, InvalidInputError
from napari_denoise_ae.image.intensity import IntensityRange, IntensityRanges
from napari_denoise_ae.image.planes import ArrayPlanes
from napari_denoise_ae.noise.noise_estimate import NoiseEstimate
from napari_denoise_ae.noise.normalization import NoiseScaling, as_plain, from_plain
from napari_denoise_ae.noise.setting import NoiseSetting, setting_of
from napari_denoise_ae.noise.spec import parse_noise

SIGMA = 8.0


@pytest.fixture(scope="module")
def model():
    return random_checkpoint(network="unet", in_channels=1)


@pytest.fixture(scope="module")
def noisy() -> np.ndarray:
    clean = 255 * smooth_photo(150, 170, 1)[..., 0]
    return clean + np.random.default_rng(0).normal(0, SIGMA, clean.shape)


def scaling_of(image, model, axes="YX", **options) -> IntensityRanges:
    planes = ArrayPlanes.of(image, axes)
    return find_model_ranges(planes, model, DenoiseOptions(**options))


# --- settings ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sigma": -1}, "sigma must be a finite number of at least 0"),
        ({"sigma": float("nan")}, "sigma must be a finite number"),
        ({"sigma": float("inf")}, "sigma must be a finite number"),
        ({"sigma": "5"}, "sigma must be a finite number"),
        ({"sigma": True}, "sigma must be a finite number"),
        (
            {"noise_type": "speckle"},
            "noise_type must be one of auto, gaussian, poisson-gaussian",
        ),
        ({"sigma": 5, "noise_type": "poisson-gaussian"}, "Omit sigma"),
        ({"strength": -0.1}, "strength must be a number from 0 to 10"),
        ({"strength": 11}, "strength must be a number from 0 to 10"),
    ],
)
def test_invalid_settings_are_rejected(settings, message, noisy, model):
    with pytest.raises(InvalidInputError, match=message):
        denoise(noisy, model=model, **settings)


@pytest.mark.parametrize(
    "settings", [{"sigma": 5.0}, {"noise_type": "poisson-gaussian"}, {"strength": 0.5}]
)
@pytest.mark.parametrize("lazy", [False, True])
def test_a_model_without_noise_level_rejects_one(settings, lazy, noisy):
    image = da.from_array(noisy) if lazy else noisy
    conv = random_checkpoint(in_channels=1)
    with pytest.raises(InvalidInputError, match="takes no noise level"):
        denoise(image, model=conv, intensity_range=(0, 255), **settings)


@pytest.mark.parametrize(
    ("noise", "sigma"),
    [
        ("gaussian:0.1,unclipped", 0.1),
        ("gaussian:0.1", None),
        ("gaussian:0..0.1,unclipped", None),
        ("gaussian:0.1,blur=1,unclipped", None),
        ("poisson:30", None),
    ],
)
def test_only_a_known_level_is_passed_on(noise, sigma):
    assert setting_of(parse_noise(noise)) == NoiseSetting(sigma=sigma)


# --- measurement ------------------------------------------------------------


def test_the_level_is_estimated_in_the_units_of_the_image(noisy, model):
    (scale,) = scaling_of(noisy, model).ranges
    assert scale.sigma == pytest.approx(SIGMA, rel=0.1)
    assert scale.noise_level == pytest.approx(scale.sigma / scale.width)


@pytest.mark.parametrize("sigma", [3, np.float32(3), np.int64(3)])
def test_any_real_number_is_a_valid_sigma(sigma):
    setting = NoiseSetting(sigma=sigma, strength=np.float32(0.5))
    assert json.dumps([setting.sigma, setting.strength]) == "[3.0, 0.5]"


def test_a_given_level_is_multiplied_by_the_strength(noisy, model):
    (scale,) = scaling_of(noisy, model, sigma=3.0, strength=0.5).ranges
    assert scale.sigma == 3.0
    assert scale.noise_level == pytest.approx(1.5 / scale.width)


def test_each_channel_has_its_own_level_for_all_time_points(noisy, model):
    stack = np.stack([noisy, 3 * noisy])[np.newaxis].repeat(2, axis=0)
    scales = scaling_of(stack, model, axes="TCYX")
    first, second = scales.ranges
    assert scales.shape == (1, 2)
    assert second.sigma == pytest.approx(3 * first.sigma)
    each = scaling_of(stack, model, axes="TCYX", range_of="image")
    assert each.shape == (2, 2)


def test_an_outlier_does_not_change_the_scaling(noisy, model):
    hot = noisy.copy()
    hot[7, 9] = 60_000
    (scale,), (with_hot,) = (scaling_of(i, model).ranges for i in (noisy, hot))
    assert with_hot.low == pytest.approx(scale.low, rel=0.01)
    assert with_hot.width == pytest.approx(scale.width, rel=0.01)


@pytest.mark.parametrize(
    ("settings", "values"),
    [({}, (1e4, 1e6, 1e30)), ({"noise_type": "poisson-gaussian"}, (1e4, 1e5, 1e6))],
)
def test_a_hot_pixel_does_not_spoil_its_surroundings(settings, values, model):
    noisy = np.random.default_rng(0).normal(100, 10, (96, 96))
    results = []
    for value in values:
        hot = noisy.copy()
        hot[40, 50] = value
        results.append(denoise(hot, model=model, **settings))
    for result in results:
        assert result[40, 50] > 5_000
        result[40, 50] = 0.0
    np.testing.assert_allclose(results[1], results[0], atol=0.5)
    np.testing.assert_allclose(results[2], results[0], atol=0.5)


def test_photon_counts_are_stabilized_to_a_level_of_1(model):
    clean = 40 * smooth_photo(200, 200, 1)[..., 0]
    counts = np.random.default_rng(0).poisson(clean).astype(np.uint16)
    (scale,) = scaling_of(counts, model, noise_type="poisson-gaussian").ranges
    assert scale.sigma == 1.0
    assert scale.curve.gain == pytest.approx(1.0, rel=0.2)
    unit = scale.normalize(counts) - scale.normalize(clean)
    assert unit.std() == pytest.approx(scale.noise_level, rel=0.1)


def test_a_scaling_survives_conversion_to_json():
    ranges = IntensityRanges(
        "C",
        (3,),
        (
            NoiseScaling(1.0, 2.0, NoiseEstimate(sigma=0.25, correlation=(0.5, 0))),
            NoiseScaling(
                3.0,
                5.0,
                NoiseEstimate(
                    kind="poisson-gaussian",
                    gain=2.0,
                    offset_variance=-7.0,
                    bounds=(0.0, None),
                    no_data=-9999.0,
                ),
                strength=0.5,
                replaces_hot_pixels=True,
            ),
            IntensityRange(0.0, 255.0),
        ),
    )
    assert from_plain(json.loads(json.dumps(as_plain(ranges)))) == ranges


def test_the_kind_of_noise_of_each_channel_is_measured(model):
    clean = 60 * smooth_photo(200, 200, 1)[..., 0]
    rng = np.random.default_rng(0)
    counts = np.stack([rng.normal(clean, 4), rng.poisson(clean**2 / 20)])
    gaussian, growing = scaling_of(counts, model, axes="CYX").ranges
    assert gaussian.noise.kind == "gaussian"
    assert gaussian.sigma == pytest.approx(4, rel=0.1)
    assert growing.noise.kind == "poisson-gaussian"
    assert growing.noise.gain == pytest.approx(1, rel=0.2)


@pytest.mark.parametrize("name", ["in.png", "in.tif"])
def test_the_command_says_what_was_found(name, model, tmp_path, capsys):
    from napari_denoise_ae.models.checkpoint_file import save_checkpoint

    save_checkpoint(model, tmp_path / "model.pt")
    clean = 60 * smooth_photo(200, 200, 1)[..., 0]
    counts = np.random.default_rng(0).poisson(clean**2 / 20)
    write = tifffile.imwrite if name == "in.tif" else imsave
    write(tmp_path / name, counts.clip(0, 255).astype(np.uint8))
    files = [str(tmp_path / each) for each in (name, "out.tif", "model.pt")]
    assert main(["denoise", *files[:2], "--model", files[2]]) == 0
    assert "noise      grows with intensity: gain" in capsys.readouterr().out


def test_a_given_level_is_used_if_the_sampled_windows_are_constant(model):
    image = np.zeros((1200, 160))
    image[:150] = np.random.default_rng(0).normal(100, 10, (150, 160))
    with pytest.warns(DenoiseAEWarning, match="give its level"):
        assert np.array_equal(denoise(image, model=model), image)
    result = denoise(image, model=model, sigma=10)
    assert not np.array_equal(result[:150], image[:150])


@pytest.mark.parametrize(
    "settings", [{"sigma": 12}, {"noise_type": "poisson-gaussian"}]
)
def test_no_warning_if_the_noise_was_chosen(settings, model, recwarn):
    clean = 60 * smooth_photo(200, 200, 1)[..., 0]
    counts = np.random.default_rng(0).poisson(clean**2 / 20)
    denoise(counts, model=model, **settings)
    # The network is not trained.
    assert all("as much noise" in str(each.message) for each in recwarn.list)


# --- invariances ------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"noise_type": "poisson-gaussian"}])
@pytest.mark.parametrize(("factor", "offset"), [(3.7, 0.0), (1.0, 1e4), (1e-6, -0.3)])
def test_the_result_follows_scaling_and_shifting_of_the_image(
    factor, offset, settings, noisy, model
):
    result = denoise(noisy, model=model, **settings)
    moved = denoise(factor * noisy + offset, model=model, **settings)
    back = (moved - offset) / factor
    assert not np.allclose(result, noisy, atol=0.1)
    np.testing.assert_allclose(back, result, atol=1e-3 if settings else 2e-4)


def test_a_given_level_scales_with_the_image(noisy, model):
    result = denoise(noisy, model=model, sigma=SIGMA)
    scaled = denoise(50 * noisy - 9, model=model, sigma=50 * SIGMA)
    np.testing.assert_allclose((scaled + 9) / 50, result, atol=2e-4)


def test_the_result_does_not_depend_on_tiles(noisy, model):
    whole = denoise(noisy, model=model)
    tiled = denoise(noisy, model=model, tile_size=32)
    np.testing.assert_allclose(tiled, whole, atol=1e-3)


def test_a_region_equals_that_of_the_whole_result(noisy, model):
    region = (slice(20, 90), slice(64, 130))
    run = Denoising(noisy, Denoiser(model, CPU, "fast"), region=region)
    list(run)
    whole = denoise(noisy, model=model)
    np.testing.assert_allclose(run.result[region], whole[region], atol=1e-3)


@pytest.mark.parametrize(
    "settings", [{}, {"noise_type": "poisson-gaussian"}, {"sigma": 4}]
)
@pytest.mark.parametrize(
    ("axes", "shape"), [("YX", (150, 170)), ("TYX", (3, 150, 170))]
)
def test_a_lazy_result_equals_the_eager_one(axes, shape, settings, noisy, model):
    image = np.broadcast_to(noisy, shape) + np.arange(shape[0])[0]
    options = {"model": model, "axes": axes, **settings}
    lazy = denoise(da.from_array(image, chunks=(*shape[:-2], 64, 100)), **options)
    np.testing.assert_allclose(lazy.compute(), denoise(image, **options), atol=1e-3)


def test_a_lazy_level_is_measured_once_for_all_regions(noisy, model):
    reads = []

    def note(block: np.ndarray) -> np.ndarray:
        reads.append(block.shape)
        return block

    image = da.from_array(noisy, chunks=(50, 170)).map_blocks(note, meta=noisy[:0])
    reads.clear()
    lazy = denoise(image, model=model)
    assert not reads
    lazy[:8, :8].compute()
    # The whole plane for the level, then the region with its halo: all chunks.
    assert len(reads) == 3 + 3
    lazy[100:108, :8].compute()
    # Not measured again: the rows of all three chunks are within its halo.
    assert len(reads) == 6 + 3


def test_a_streamed_result_equals_the_one_in_memory(noisy, model, tmp_path):
    from napari_denoise_ae.models.checkpoint_file import save_checkpoint

    file = tmp_path / "model.pt"
    save_checkpoint(model, file)
    stack = np.stack([noisy, noisy + 20]).astype(np.float32)
    tifffile.imwrite(tmp_path / "in.tif", stack, metadata={"axes": "TYX"}, ome=True)
    command = ["denoise", str(tmp_path / "in.tif"), str(tmp_path / "out.tif")]
    assert main([*command, "--model", str(file), "--strength", "0.7"]) == 0
    expected = denoise(stack, model=model, axes="TYX", strength=0.7)
    np.testing.assert_allclose(
        tifffile.imread(tmp_path / "out.tif"), expected, atol=1e-3
    )


# --- pixels -----------------------------------------------------------------


def test_strength_0_removes_nothing(noisy, model):
    np.testing.assert_array_equal(denoise(noisy, model=model, strength=0), noisy)


@pytest.mark.parametrize("value", [0, 7])
@pytest.mark.parametrize("noise", ["gaussian", "poisson-gaussian"])
def test_a_constant_image_is_unchanged(value, noise, model):
    image = np.full((40, 50), value, dtype=np.uint16)
    with pytest.warns(
        DenoiseAEWarning, match="No noise was detected in the sampled regions"
    ):
        result = denoise(image, model=model, noise_type=noise)
    np.testing.assert_array_equal(result, image)


@pytest.mark.parametrize("noise", ["gaussian", "poisson-gaussian"])
def test_nan_stays_nan_and_does_not_spread(noise, noisy, model):
    image = noisy.copy()
    image[30:40, 50:70] = np.nan
    result = denoise(image, model=model, noise_type=noise)
    np.testing.assert_array_equal(np.isnan(result), np.isnan(image))


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (9, 200)])
def test_small_images_work(shape, model):
    image = np.random.default_rng(0).normal(100, 5, shape)
    result = denoise(image, model=model, sigma=5)
    assert result.shape == shape
    assert np.isfinite(result).all()


def test_infinity_is_a_clear_error_eager_and_lazy(noisy, model):
    image = np.full_like(noisy, np.inf)
    with pytest.raises(InvalidInputError, match="infinite"):
        denoise(image, model=model)
    with pytest.raises(InvalidInputError, match="infinite"):
        denoise(da.from_array(image), model=model).compute()


def test_values_far_outside_are_kept(noisy, model):
    image = noisy.copy()
    image[70, 80] = 1e7
    assert denoise(image, model=model)[70, 80] > 1e5


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.filterwarnings("ignore:The given sigma of .* is far above the noise")
def test_a_level_beyond_any_noise_gives_a_smooth_result(dtype, noisy, model):
    image = np.rint(noisy).astype(dtype)
    results = [
        denoise(image, model=model, sigma=sigma, dtype="float32")
        for sigma in (1e6, 1e45, 1e300)
    ]
    assert np.isfinite(results[0]).all()
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (24, 20)])
@pytest.mark.parametrize("name", ["gray", "rgb"])
def test_a_small_constant_image_is_unchanged_if_a_level_is_given(shape, name):
    image = np.full((*shape, 3), 100.0)
    np.testing.assert_array_equal(denoise(image, model=name, sigma=5.0), image)
