"""The texts and the cover of a package of the BioImage Model Zoo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..._version import __version__
from ..describe import describe_model
from ..summary import summarize

if TYPE_CHECKING:
    from pathlib import Path

    from ..checkpoint import Checkpoint
    from .graph import ExportedNetwork
    from .sample import TestCase

_README = """# {name}

Denoises 2D images. Each plane of a stack is denoised on its own. The model was
exported by napari-denoise-ae {version}; its license is {license}.

## Inputs

All inputs are float32, with a value for each of the N images of a batch.

{inputs}

The normalization is part of the model. It measures no noise: measure it in regions
without structure, or by `measure_noise` of napari-denoise-ae. Photon counts need the
Anscombe transform before and after.

Images that are cut into tiles need a halo of {halo} pixels on each side, which is
cropped.

## How it was trained

```text
{training}
```

## Validation

Compare the result with the noisy image: their difference must look like noise, without
structure. With a clean image of the same scene, compute PSNR or SSIM. Do not measure
anything in a denoised image that you have not compared with the noisy one.

The test image is a photograph of intensities 0 to 255: scikit-image's astronaut, a
picture by NASA in the public domain. The noise that was added to it: {noise}. The cover
shows the noisy image on the left, and the result on the right.
"""
_ENVIRONMENT = """name: napari-denoise-ae
channels:
  - conda-forge
dependencies:
  - python>=3.11
  - pytorch>=2.10
  - pip
  - pip:
      - napari-denoise-ae=={version}
"""


def environment() -> str:
    """Return the conda environment in which the `state_dict` can be loaded."""
    return _ENVIRONMENT.format(version=__version__)


def write_readme(
    path: Path,
    checkpoint: Checkpoint,
    graph: ExportedNetwork,
    case: TestCase,
    license_name: str,
) -> None:
    """Write the documentation of a package.

    Parameters
    ----------
    path : pathlib.Path
        The file to write.
    checkpoint : Checkpoint
        The model.
    graph : ExportedNetwork
        Its network.
    case : TestCase
        The test image.
    license_name : str
        SPDX identifier.
    """
    inputs = [("image", graph.image_meaning)]
    inputs += [(number.name, number.meaning) for number in graph.numbers]
    text = _README.format(
        name=checkpoint.name,
        version=__version__,
        license=license_name,
        inputs="\n".join(f"- `{name}`: {meaning}" for name, meaning in inputs),
        halo=graph.halo,
        training="\n".join(describe_model(summarize(checkpoint))),
        noise=case.noise,
    )
    path.write_text(text, encoding="utf-8")


def write_cover(path: Path, case: TestCase) -> None:
    """Write the noisy test image and its result side by side, 256 x 512 pixels.

    Parameters
    ----------
    path : pathlib.Path
        The PNG to write.
    case : TestCase
        The test image.
    """
    from PIL import Image

    noisy = next(iter(case.inputs.values()))
    pair = np.concatenate([noisy[0], case.denoised[0]], axis=2)  # (C, Y, X)
    pixels = np.clip(pair.round(), 0, 255).astype(np.uint8).transpose(1, 2, 0)
    shown = pixels if pixels.shape[2] == 3 else pixels[..., 0]
    Image.fromarray(shown).save(path, optimize=True)
