"""Images with real and synthetic noise, and the truth they are scored against.

Images, seeds and noise levels are fixed, so that figures can be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile
from scipy.ndimage import gaussian_filter
from skimage.data import astronaut
from skimage.util import img_as_float64

from napari_denoise_ae import add_noise, psnr
from napari_denoise_ae.evaluation.pairs import find_clean_images, read_clean_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    #: Adds noise to a clean image in [0, 1], (Y, X) or (Y, X, 3), with a seed.
    AddNoise = Callable[[NDArray[np.float64], int], "Scene"]

# Percentiles of a measured truth that give its data range.
PERCENTILES = (0.1, 99.9)
# A camera: electronic units per photon, pedestal, read noise.
GAIN, PEDESTAL, READ_NOISE = 4, 100, 10
# With correlated noise and with counts, only so many images of the gray folder.
N_FEW = 6


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A noisy image and its truth.

    Parameters
    ----------
    noisy : numpy.ndarray
        Image or stack.
    clean : numpy.ndarray
        The truth in the units of `noisy`, same shape.
    data_range : tuple of float
        The lowest and highest intensity of the truth, in the same units.
    clip : bool
        Whether to clip results to `data_range` before scoring, as is the convention
        for noise added to photographs.
    """

    noisy: NDArray[Any]
    clean: NDArray[np.float64]
    data_range: tuple[float, float]
    clip: bool = True

    def psnr(self, result: NDArray[Any]) -> float:
        """Return the PSNR of a result."""
        low, high = self.data_range
        values = np.clip(result, low, high) if self.clip else result
        return psnr(self.clean, values, data_range=high - low)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: some noisy images whose PSNR is averaged.

    Parameters
    ----------
    name : str
        What the table calls it.
    scenes : callable
        Returns the images.
    options : dict
        Options of `denoise` that differ from their defaults.
    noise_grows : bool
        Whether the noise grows with the intensity.
    """

    name: str
    scenes: Callable[[], Iterable[Scene]]
    options: dict[str, Any] = field(default_factory=dict)
    noise_grows: bool = False

    @property
    def is_stack(self) -> bool:
        """Whether neighboring frames are used."""
        return "frames" in self.options


# --- real noise --------------------------------------------------------------


def example_rows(folder: Path) -> list[Row]:
    """Return the rows of photon counts, see `benchmarks/README.md`."""
    unrounded = {"dtype": "float32"}
    frames = {"axes": "TYX", "frames": 4, **unrounded}
    hazelnut = partial(repeats, folder / "hazelnut_thin10")
    seminal = partial(repeats, folder / "seminal_thin3")
    return [
        Row("hazelnut, thinned", hazelnut, unrounded, noise_grows=True),
        Row("hazelnut, frame 0", partial(photon_counts, folder), noise_grows=True),
        Row("seminal, thinned", seminal, unrounded, noise_grows=True),
        Row("hazelnut, thinned, 5 frames", partial(stack, hazelnut), frames),
    ]


def repeats(prefix: Path) -> Iterator[Scene]:
    """Yield the repeats of one field, each with the same reference."""
    (path,) = prefix.parent.glob(f"{prefix.name}*_TYX.tif")
    reference = tifffile.imread(f"{prefix}_reference.tif")
    for frame in tifffile.imread(path):
        yield measured(frame, reference)


def photon_counts(folder: Path) -> Iterator[Scene]:
    """Yield the first of five repeats, whose truth is the mean of the others."""
    frames = tifffile.imread(folder / "hazelnut_photons_TYX.tif")
    yield measured(frames[0], frames[1:].mean(axis=0))


def stack(scenes: Callable[[], Iterable[Scene]]) -> Iterator[Scene]:
    """Yield one scene, (T, Y, X), of all."""
    frames = list(scenes())
    noisy = np.stack([frame.noisy for frame in frames])
    clean = np.stack([frame.clean for frame in frames])
    yield Scene(noisy, clean, frames[0].data_range, clip=False)


def measured(noisy: NDArray[Any], reference: NDArray[Any]) -> Scene:
    """Return the scene of an image and a measured truth."""
    low, high = np.percentile(reference, PERCENTILES)
    return Scene(noisy, reference.astype(np.float64), (low, high), clip=False)


# --- noise added to photographs ----------------------------------------------


def white(clean: NDArray[np.float64], seed: int, *, sigma: float) -> Scene:
    """Add white noise of a level relative to 255, unclipped."""
    noise = f"gaussian:{sigma / 255},unclipped"
    noisy = add_noise(clean, noise, rng=seed, intensity_range=(0, 1))
    return Scene(noisy.astype(np.float32), clean, (0, 1))


def clipped(clean: NDArray[np.float64], seed: int, *, sigma: float) -> Scene:
    """Add white noise of a level relative to 255, and round and clip to 8 bits."""
    photograph = np.rint(255 * clean).astype(np.uint8)
    noisy = add_noise(photograph, f"gaussian:{sigma / 255}", rng=seed)
    return Scene(noisy, 255 * clean, (0, 255))


def blurred(clean: NDArray[np.float64], seed: int, *, blur: float) -> Scene:
    """Add noise of sigma 25 of 255 that a Gaussian filter has blurred, unclipped."""
    noise = np.random.default_rng(seed).standard_normal(clean.shape)
    noise = gaussian_filter(noise, (blur, blur, 0)[: clean.ndim], mode="wrap")
    noisy = clean + 25 / 255 * noise / noise.std()
    return Scene(noisy.astype(np.float32), clean, (0, 1))


def poisson(clean: NDArray[np.float64], seed: int, *, peak: float) -> Scene:
    """Count photons, a mean of `peak` where the image is white."""
    counts = np.random.default_rng(seed).poisson(peak * clean)
    return Scene(counts.astype(np.float32), peak * clean, (0, peak))


def camera(clean: NDArray[np.float64], seed: int, *, peak: float) -> Scene:
    """Record photons with a camera of 16 bits."""
    rng = np.random.default_rng(seed)
    signal = GAIN * rng.poisson(peak * clean) + PEDESTAL
    values = np.rint(signal + rng.normal(0, READ_NOISE, clean.shape))
    noisy = np.clip(values, 0, 65535).astype(np.uint16)
    return Scene(
        noisy, GAIN * peak * clean + PEDESTAL, (PEDESTAL, PEDESTAL + GAIN * peak)
    )


WHITE: dict[str, AddNoise] = {
    f"white, sigma {sigma}": partial(white, sigma=sigma) for sigma in (15, 25, 50)
}
CLIPPED: dict[str, AddNoise] = {"white, sigma 25, 8 bits": partial(clipped, sigma=25)}
COUNTS: dict[str, AddNoise] = {
    "Poisson, peak 20": partial(poisson, peak=20),
    "camera, peak 20": partial(camera, peak=20),
}
BLURRED: dict[str, AddNoise] = {
    f"sigma 25, blurred by {blur} px": partial(blurred, blur=blur)
    for blur in (0.5, 1.0, 1.5)
}


def photograph_rows(
    folder: Path, noises: dict[str, AddNoise], limit: int | None = None
) -> list[Row]:
    """Return a row for each kind of noise, of the photographs in a folder.

    Parameters
    ----------
    folder : Path
        Clean photographs. They are used in the order of their names.
    noises : dict
        The noises by name. The seed of image i is i.
    limit : int, optional
        Number of images. None means all.
    """
    count = "" if limit is None else f" 1 to {limit}"
    return [
        Row(
            f"{folder.name}{count}, {name}",
            partial(noisy_scenes, folder, noise, limit),
            noise_grows=name in COUNTS,
        )
        for name, noise in noises.items()
    ]


def noisy_scenes(folder: Path, noise: AddNoise, limit: int | None) -> Iterator[Scene]:
    """Yield the photographs of a folder with noise."""
    for seed, clean in enumerate(photographs(folder, limit)):
        yield noise(clean, seed)


def photographs(
    folder: Path, limit: int | None = None
) -> Iterator[NDArray[np.float64]]:
    """Yield the photographs of a folder, (Y, X) or (Y, X, 3), in [0, 1]."""
    for path in find_clean_images(folder)[:limit]:
        yield img_as_float64(read_clean_image(path).pixels)


def demo_row() -> Row:
    """Return the row of the sample that the plugin shows first."""
    return Row("astronaut, gaussian:0.1, 8 bits", _demo)


def _demo() -> Iterator[Scene]:
    clean = astronaut()
    noisy = add_noise(clean, "gaussian:0.1", rng=0)
    yield Scene(noisy, clean.astype(np.float64), (0, 255))
