"""How a model from another program is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import CheckpointError, one_line

if TYPE_CHECKING:
    from ...image.intensity_rule import IntensityRule

#: Roles of the inputs of a model.
IMAGE, LEVEL, CORRELATION, LOW, HIGH = "image", "level", "correlation", "low", "high"
#: Names of the inputs of `napari_denoise_ae.models.export`, and their roles.
ROLES = {
    "noise_level": LEVEL,
    "sigma": LEVEL,
    "correlation": CORRELATION,
    "low": LOW,
    "high": HIGH,
}
#: Axes in the order in which images are kept: batch, channel, Y and X.
AXES = "bcyx"
#: Halo and step of the sides of a model that declares none, in pixels: enough for most
#: U-Nets of up to five levels.
USUAL_RADIUS, USUAL_STRIDE = 96, 32
# Larger windows would be denoised with a halo of thousands of pixels.
_LARGEST_WINDOW = 1024


def import_error(name: str, reason: object) -> CheckpointError:
    """Return the error to raise for a file that cannot be used as a model."""
    return CheckpointError(
        f"{name} cannot be used as a model: {one_line(reason, 400)}."
    )


@dataclass(frozen=True, slots=True)
class Step:
    """A linear or clipping step before or after the network, pixel by pixel.

    Parameters
    ----------
    name : str
        ``"linear"``: multiply by `first` and add `second`. ``"clip"``: clip to
        `first` and `second`.
    first, second : float
        See `name`.
    """

    name: str
    first: float
    second: float

    def apply(self, values: Any) -> Any:
        """Apply the step to an array."""
        if self.name == "clip":
            return values.clip(self.first, self.second)
        return values * values.dtype.type(self.first) + values.dtype.type(self.second)

    def undo(self, values: Any) -> Any:
        """Invert a linear step; clipped values stay unchanged."""
        if self.name == "clip":
            return values
        return (values - values.dtype.type(self.second)) / values.dtype.type(self.first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Sizes of the images that a model takes, in pixels.

    Parameters
    ----------
    stride : int
        Sides are multiples of it.
    shortest : int
        Smallest side, a multiple of `stride`.
    radius : int
        Pixels from the border of a tile at which the result is that of the whole image.
    window : int or None
        The side of a model for images of one size.
    """

    stride: int = USUAL_STRIDE
    shortest: int = 0
    radius: int = USUAL_RADIUS
    window: int | None = None

    def __str__(self) -> str:
        if self.window is not None:
            return f"{self.window} x {self.window} pixels, in windows that overlap"
        least = f", at least {self.shortest}" if self.shortest else ""
        return f"multiples of {self.stride} pixels{least}; halo {self.radius}"


def window_sides(height: int, width: int, name: str) -> Sides:
    """Return the sides of a model for images of one size.

    Raises
    ------
    CheckpointError
        If the images are not square, or have an odd or very long side.
    """
    is_usable = height == width and height % 2 == 0 and 0 < height <= _LARGEST_WINDOW
    if not is_usable:
        raise import_error(
            name,
            f"it takes images of {height} x {width} pixels only. A fixed size must be "
            f"square, with an even side of at most {_LARGEST_WINDOW} pixels",
        )
    return Sides(stride=height // 2, radius=height - 1, window=height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """How to call an ONNX graph.

    Parameters
    ----------
    inputs : tuple of tuple of str
        Name and role of each input, in order. A role is `IMAGE` or a value of `ROLES`.
    output : str
        Name of the denoised image.
    axes, output_axes : str
        Axes of the image and of the result, some of `AXES` in any order.
    dtype : str
        NumPy's name of the image's dtype.
    n_channels : int
        Channels of the image.
    n_parameters : int
        Number of floating-point weights.
    sides : Sides
        Sizes of images.
    rule : IntensityRule or None
        See `DenoisingNetwork.intensity_rule`.
    before, after : tuple of Step
        Steps before and after the graph.
    is_inverted : bool
        Whether the steps before the graph are undone after it.
    """

    inputs: tuple[tuple[str, str], ...]
    output: str
    axes: str
    output_axes: str
    dtype: str
    n_channels: int
    n_parameters: int
    sides: Sides
    rule: IntensityRule | None = None
    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    is_inverted: bool = True

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of the inputs, in order."""
        return tuple(role for _, role in self.inputs)

    def describe(self) -> dict[str, Any]:
        """Return the facts that users may want, as JSON values."""
        return {
            "in_channels": self.n_channels,
            "sides": str(self.sides),
            "intensities": self._describe_intensities(),
            "noise level": "an input" if LEVEL in self.roles else "no input",
        }

    def _describe_intensities(self) -> str:
        if LEVEL in self.roles:
            text = "centered at 0 and scaled"
        elif self.rule is None:
            text = "the intensity range mapped to 0 and 1"
        else:
            text = str(self.rule)
        for step in self.before:
            values = f"{step.first:g}, {step.second:g}"
            text += (
                f"; {'clipped to' if step.name == 'clip' else 'times, plus'} {values}"
            )
        return text
