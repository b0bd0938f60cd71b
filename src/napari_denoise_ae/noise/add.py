"""Add synthetic noise to a clean image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InvalidInputError
from ..image.axes import resolve_axes
from ..image.casting import cast_saturating
from ..image.checks import as_array, require_image
from ..image.planes import ArrayPlanes, plane_indices
from ..image.ranges import resolve_intensity_ranges
from .call import apply_noise
from .spec import parse_noise

if TYPE_CHECKING:
    from numpy.random import BitGenerator, SeedSequence
    from numpy.typing import ArrayLike, NDArray
    from torch import Generator

    from ..image.intensity import GivenRange, IntensityRanges
    from .base import NoiseModel

    Rng = (
        int | np.integer[Any] | np.random.Generator | BitGenerator | SeedSequence | None
    )

# torch takes seeds up to this one; NumPy derives such a seed from larger integers.
_LARGEST_SEED = 2**63 - 1


def add_noise(
    image: ArrayLike,
    noise: str | NoiseModel,
    *,
    rng: Rng = 0,
    axes: str | None = None,
    intensity_range: GivenRange | None = None,
) -> NDArray[Any]:
    """Add synthetic noise to a clean image or stack.

    Parameters
    ----------
    image : array_like
        Integers or floating-point numbers; not modified. An alpha channel is kept
        unchanged.
    noise : str or NoiseModel
        For example ``"gaussian:0.1"``; amounts are fractions of the intensity
        range.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of the random numbers, as in `numpy.random.default_rng`. The same
        seed gives the same noise; a generator gives new noise at each call; None
        draws a seed from the operating system. Default: 0.
    axes : str, optional
        See `denoise`.
    intensity_range : tuple of float, optional
        ``(low, high)`` in the image's units, see `denoise`.

    Returns
    -------
    numpy.ndarray
        Noisy image, same shape and dtype as `image`. Integers are rounded and
        saturated, so even unclipped noise is cut off at the limits of an integer
        dtype.

    Raises
    ------
    InvalidInputError
        If the image, its axes, the noise or the range cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> add_noise(np.full((2, 2), 100, dtype=np.uint8), "gaussian:0.1", rng=1)
    array([[117, 107],
           [102, 116]], dtype=uint8)
    """
    import torch

    array = as_array(image)
    require_image(array)
    model: Any = noise if hasattr(noise, "apply") else parse_noise(noise)
    noisy = array.copy()
    resolved = resolve_axes(array.shape, axes)
    planes = ArrayPlanes.of(noisy, resolved)
    ranges = resolve_intensity_ranges(planes, intensity_range)
    _require_width(ranges)
    indices = list(plane_indices(planes))
    clean = np.stack([ranges.of(i).normalize(planes.pixels[i]) for i in indices])
    missing = np.isnan(clean)
    clean[missing] = 0.5  # torch.poisson raises for NaN
    images = torch.from_numpy(clean)
    generator = _seeded_generator(rng)
    unit = apply_noise(model, images, generator, channel_axis=-1).numpy()
    unit[missing] = np.nan
    for index, plane in zip(indices, unit, strict=True):
        values = ranges.of(index).denormalize(plane)
        planes.pixels[index] = cast_saturating(values, array.dtype)
    return noisy


def _require_width(ranges: IntensityRanges) -> None:
    for scale in ranges.ranges:
        if scale.width == 0:
            raise InvalidInputError(
                f"The image is constant ({scale.low:g}), so its intensity range, which "
                "scales the noise, is unknown. Give it as intensity_range."
            )


def _seeded_generator(rng: Rng) -> Generator:
    import torch

    return torch.Generator().manual_seed(_seed_of(rng))


def _seed_of(rng: Rng) -> int:
    if isinstance(rng, np.timedelta64):
        raise _invalid_rng(rng)
    if isinstance(rng, int | np.integer) and 0 <= rng <= _LARGEST_SEED:
        return int(rng)
    try:
        return int(np.random.default_rng(rng).integers(_LARGEST_SEED))
    except (TypeError, ValueError):
        raise _invalid_rng(rng) from None


def _invalid_rng(rng: Any) -> InvalidInputError:
    return InvalidInputError(
        "rng must be an integer of at least 0, a numpy.random.Generator, a "
        f"numpy.random.SeedSequence or None, got {rng!r}."
    )
