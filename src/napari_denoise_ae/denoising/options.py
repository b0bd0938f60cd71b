"""What a user may say of a run of `denoise`, apart from image and model."""

from __future__ import annotations

import inspect
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

import numpy as np

from ..errors import InvalidInputError
from ..image.axes import checked_axes
from ..image.checks import is_integer
from ..image.ranges import checked_given_range, require_range_of
from ..image.tiling import require_tile_size
from ..noise.noise_estimate import NoiseEstimate, as_plain_estimate
from ..noise.setting import NoiseSetting

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..image.intensity import GivenRange
    from ..noise.setting import NoiseType

Function = TypeVar("Function", bound="Callable[..., Any]")

#: Values of `dtype`: the result has that of the image, or is float32.
AS_INPUT = "input"
FLOAT32 = "float32"
DTYPES = (AS_INPUT, FLOAT32)

#: Values of `precision`.
FAST = "fast"
PRECISIONS = (FAST, FLOAT32)

#: The largest value of `frames`.
MOST_FRAMES = 8

# These decide how a result is computed, and not the result.
_ONLY_COMPUTING = ("device", "tile_size")


@dataclass(frozen=True, slots=True, kw_only=True)
class DenoiseOptions(NoiseSetting):
    """The options of `denoise`, checked as far as no image and no model is needed.

    The faces build one, and everything below takes it whole, so that an option is
    a field here and a keyword in `DenoiseKeywords`.

    Parameters
    ----------
    sigma, correlation, noise_type, strength, replace_hot_pixels
        See `NoiseSetting`.
    axes : str, optional
        The axes of the image, upper case.
    intensity_range : tuple of float, optional
        One pair for all channels or one pair for each, as tuples of float.
    range_of : str
        ``"stack"`` or ``"image"``.
    frames : int
        Number of neighboring frames on each side, 0 to 8.
    dtype : str
        ``"input"`` or ``"float32"``.
    device : str
        ``"auto"`` or one of torch's names.
    precision : str
        ``"fast"`` or ``"float32"``.
    tile_size : int, optional
        Rows and columns that are computed at once.

    Raises
    ------
    InvalidInputError
        If an option cannot be used.

    Examples
    --------
    >>> DenoiseOptions(strength=0.5, intensity_range=[0, 255]).non_defaults()
    {'strength': 0.5, 'intensity_range': (0.0, 255.0)}
    """

    axes: str | None = None
    intensity_range: GivenRange | None = None
    range_of: str = "stack"
    frames: int = 0
    dtype: str = AS_INPUT
    device: str = "auto"
    precision: str = FAST
    tile_size: int | None = None

    def __post_init__(self) -> None:
        NoiseSetting.__post_init__(self)
        require_range_of(self.range_of)
        require_tile_size(self.tile_size)
        object.__setattr__(self, "frames", _checked_frames(self.frames))
        if not isinstance(self.dtype, str) or self.dtype not in DTYPES:
            raise InvalidInputError(
                f"dtype must be one of {', '.join(DTYPES)}, got {self.dtype!r}."
            )
        if not isinstance(self.precision, str) or self.precision not in PRECISIONS:
            raise InvalidInputError(
                f"precision must be one of {', '.join(PRECISIONS)}, got "
                f"{self.precision!r}."
            )
        if self.axes is not None:
            object.__setattr__(self, "axes", checked_axes(self.axes))
        if self.intensity_range is not None:
            checked = checked_given_range(self.intensity_range)
            object.__setattr__(self, "intensity_range", checked)

    @property
    def noise(self) -> NoiseSetting:
        """The noise to remove."""
        names = [field.name for field in fields(NoiseSetting)]
        return NoiseSetting(**{name: getattr(self, name) for name in names})

    def result_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of the result for an image of a dtype."""
        return dtype if self.dtype == AS_INPUT else np.dtype(self.dtype)

    def without_noise(self) -> DenoiseOptions:
        """Return the options for a model that takes no noise level."""
        return replace(self, **asdict(NoiseSetting()), frames=0)

    @property
    def for_noise(self) -> dict[str, Any]:
        """Those of `non_defaults` that need a model that takes a noise level."""
        without = self.without_noise().non_defaults()
        return {k: v for k, v in self.non_defaults().items() if k not in without}

    def as_record(self) -> dict[str, Any]:
        """Return all options as JSON values."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: _as_json(value) for name, value in values}

    def of_result(self) -> dict[str, Any]:
        """Return those of `non_defaults` that decide the result, as JSON values."""
        return {
            name: _as_json(value)
            for name, value in self.non_defaults().items()
            if name not in _ONLY_COMPUTING
        }


def _checked_frames(frames: Any) -> int:
    if not is_integer(frames) or not 0 <= frames <= MOST_FRAMES:
        raise InvalidInputError(
            f"frames must be an integer from 0 to {MOST_FRAMES}, the number of "
            f"neighboring frames on each side, got {frames!r}."
        )
    return int(frames)


def _as_json(value: Any) -> Any:
    if isinstance(value, NoiseEstimate):
        return as_plain_estimate(value)
    if isinstance(value, tuple) and all(isinstance(x, NoiseEstimate) for x in value):
        return [as_plain_estimate(each) for each in value]
    return value


class DenoiseKeywords(TypedDict, total=False):
    """The fields of `DenoiseOptions`, for functions that take them by name."""

    sigma: float | None
    correlation: tuple[float, float] | None
    noise_type: NoiseType
    strength: float
    replace_hot_pixels: bool
    axes: str | None
    intensity_range: GivenRange | None
    range_of: str
    frames: int
    dtype: str
    device: str
    precision: str
    tile_size: int | None


def shows_options(function: Function) -> Function:
    """Show the options in the signature of a function that takes `DenoiseKeywords`.

    Type checkers read them from the annotation; `help` and completion read the
    signature.
    """
    signature = inspect.signature(function)
    own = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    options = inspect.signature(DenoiseOptions).parameters.values()
    shown = signature.replace(parameters=[*own, *options])
    cast("Any", function).__signature__ = shown
    return function
