"""Draw the pictures of the gallery, before and after, and print their scores.

    python docs/make_gallery.py --examples DIR

DIR is the folder of photon counts of `benchmarks/real_noise.py`. Without it, only the
pictures of scikit-image's photographs are drawn.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from skimage.data import astronaut, coins
from tifffile import imread

from napari_denoise_ae import add_noise, denoise, measure_noise, psnr
from napari_denoise_ae.evaluation.figures import save_panels
from napari_denoise_ae.image.intensity import IntensityRange

if TYPE_CHECKING:
    from numpy.typing import NDArray

IMAGES = Path(__file__).parent / "images"
# Rows and columns of a crop of 192 x 192 pixels.
CROP = (slice(32, 224), slice(32, 224))


def main() -> None:
    """Draw all pictures that the data allows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=Path, metavar="DIR")
    folder = parser.parse_args().examples
    draw_photograph()
    draw_coins()
    if folder is not None:
        draw_photons(folder, "hazelnut", "hazelnut_thin10")
        draw_photons(folder, "seminal", "seminal_thin3")
        draw_live(folder)


def draw_photograph() -> None:
    """Draw a color photograph with Gaussian noise."""
    clean = astronaut()[10:186, 132:308]
    draw_clean("photograph", clean, add_noise(clean, "gaussian:0.15", rng=0))


def draw_coins() -> None:
    """Draw a gray photograph as a camera with few photons would have taken it."""
    clean = coins()[20:212, 20:212]
    draw_clean("coins", clean, add_noise(clean, "poisson-gaussian:0.02,0.02", rng=0))


def draw_clean(name: str, clean: NDArray[Any], noisy: NDArray[Any]) -> None:
    """Draw a picture of 8 bits whose clean version is known."""
    panels = {"noisy": noisy, "denoised": denoise(noisy), "clean": clean}
    draw(name, panels, (0.0, 255.0), truth=clean)
    print(f"  {measure_noise(noisy)}")


def draw_photons(folder: Path, name: str, file: str) -> None:
    """Draw a frame of photon counts, and the sum of other photons as a reference."""
    (stack,) = folder.glob(f"{file}*_TYX.tif")
    counts = imread(stack)
    reference = imread(folder / f"{file}_reference.tif").astype(np.float64)
    low, high = np.percentile(reference[CROP], (0.1, 99.9))
    single = denoise(counts[0], dtype="float32")
    panels = {"one frame": counts[0][CROP], "denoised": single[CROP]}
    if len(counts) > 2:
        averaged = denoise(counts, axes="TYX", frames=4, dtype="float32")[0]
        panels[f"{len(counts)} frames, denoised"] = averaged[CROP]
    panels["reference"] = reference[CROP]
    draw(name, panels, (low, high), truth=reference[CROP])
    print(f"  {measure_noise(counts[0])}; mean {counts[0].mean():.2f} photons")


def draw_live(folder: Path) -> None:
    """Draw a frame of a live series, for which there is no truth."""
    series = imread(folder / "lysosome_live_dim_TYX_u16.tif")
    denoised = denoise(series, axes="TYX")
    low, high = np.percentile(denoised[25], (0.1, 98))
    averaged = denoise(series[21:30], axes="TYX", frames=4)[4]
    panels = {
        "frame 25 of 50": series[25],
        "denoised": denoised[25],
        "9 frames, denoised": averaged,
    }
    draw("lysosomes", panels, (low, high))
    print(f"  {measure_noise(series, axes='TYX')}")


def draw(
    name: str,
    panels: dict[str, NDArray[Any]],
    shown: tuple[float, float],
    truth: NDArray[Any] | None = None,
) -> None:
    """Write one picture, with the PSNR of each panel if the truth is known."""
    path = IMAGES / f"gallery-{name}.png"
    captions = [
        ""
        if truth is None or title in ("clean", "reference")
        else f"{psnr(truth, panel, data_range=shown[1] - shown[0]):.1f} dB"
        for title, panel in panels.items()
    ]
    save_panels(
        [list(panels.values())],
        list(panels),
        path,
        intensity_range=IntensityRange(*(float(each) for each in shown)),
        captions=[captions] if any(captions) else (),
        panel_width=2.2,
    )
    is_gray = next(iter(panels.values())).ndim == 2
    with Image.open(path) as picture:
        reduced = picture.convert("L" if is_gray else "RGB")
    reduced.save(path, optimize=True)
    print(f"{path.name:<24}{path.stat().st_size / 1000:>6.0f} kB", *captions)


if __name__ == "__main__":
    main()
