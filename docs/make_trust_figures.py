"""Draw the pictures of trust.md and print the reports that they show."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.data import camera

from napari_denoise_ae import add_noise, assess, denoise
from napari_denoise_ae.evaluation.figures import save_panels
from napari_denoise_ae.evaluation.trust.pictures import draw_window
from napari_denoise_ae.image.intensity import IntensityRange

IMAGES = Path(__file__).parent / "images"
PART = camera()[40:296, 100:356].astype(np.float64)
GRAY_LEVELS = (0.0, 255.0)
N_COLORS = 64
# Noise, and the strength of the denoising, by picture.
CASES = {
    "good": ("gaussian:0.1,unclipped", 1.0),
    "over-smoothed": ("gaussian:0.1,unclipped", 3.0),
    "correlated": ("gaussian:0.1,blur=1,unclipped", 1.0),
    "invention": ("gaussian:0.4,unclipped", 1.0),
}
# A part in which the network invents and omits objects.
INVENTED = np.s_[160:256, 100:228]


def main() -> None:
    """Draw all pictures."""
    for name, (noise, strength) in CASES.items():
        noisy = add_noise(PART, noise, rng=0, intensity_range=GRAY_LEVELS)
        options = {"strength": strength, "device": "cpu"}
        denoised = denoise(noisy, **options)
        report = assess(noisy, denoised, data_range=GRAY_LEVELS, **options)
        error = float(np.sqrt(np.square(denoised - PART).mean()))
        print(f"--- {name}, true error {error:.2f}\n{report}\n")
        picture = IMAGES / f"trust-{name}.png"
        if name != "invention":
            drawn = Image.open(BytesIO(draw_window(report.windows[0])))
            drawn.quantize(N_COLORS).save(picture, optimize=True)
            continue
        panels = [image[INVENTED] for image in (noisy, denoised, PART)]
        save_panels(
            [panels],
            ["noisy", "denoised", "clean"],
            picture,
            intensity_range=IntensityRange(*GRAY_LEVELS),
        )


if __name__ == "__main__":
    main()
