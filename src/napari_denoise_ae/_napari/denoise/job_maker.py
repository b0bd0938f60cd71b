"""Make jobs from the Denoise form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import InvalidInputError
from ...noise.spec import parse_noise
from ..shared.model_choice import model_choice
from ..viewer.axes import layer_axes
from ..viewer.layers import kind_of, lazy_levels
from ..viewer.view import current_plane, part_in_scope
from .fields import REPLACE
from .job import DenoiseJob

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

    from .form import DenoiseForm


class JobMaker:
    """Makes the jobs that a form describes.

    The methods raise an `InvalidInputError` if a field is invalid.

    Parameters
    ----------
    form : DenoiseForm
        The form.
    viewer : napari.viewer.Viewer
        The viewer that shows the layers.
    """

    def __init__(self, form: DenoiseForm, viewer: Viewer) -> None:
        self._form, self._viewer = form, viewer

    def source(self) -> Image:
        """Return the layer to denoise."""
        if (layer := self._form.source) is None:
            raise InvalidInputError("There is no image layer to denoise.")
        return layer

    def job(self, **changes: Any) -> DenoiseJob:
        """Return a job for the whole layer, with changed fields."""
        form, layer = self._form, self.source()
        levels = lazy_levels(layer)
        self._require_usable_settings(layer, is_lazy=bool(levels))
        reference = form.reference_layer
        settings = {
            "data": layer.data,
            "model": model_choice(self._viewer).chosen,
            "options": form.denoise_options(layer_axes(layer)),
            "noise": form.noise_to_add,
            "seed": form.seed.value,
            "reference": None if reference is None else reference.data,
            "plane": current_plane(self._viewer, layer),
            "residual": form.residual.value,
            "replaces": form.results.value == REPLACE,
            "levels": levels,
        }
        return DenoiseJob(**{**settings, **changes})

    def job_in_scope(self) -> DenoiseJob:
        """Return a job for the part of the layer in the chosen scope."""
        scope = self._form.scope
        part = part_in_scope(
            self._viewer,
            self.source(),
            scope.value,
            scope.first.value(),
            scope.last.value(),
        )
        return self.job(part=part)

    def comparison(self) -> tuple[Image, DenoiseJob]:
        """Return the layer on which to compare models, and a job for it."""
        layer, job = self.source(), self.job(residual=False)
        if job.levels:
            raise InvalidInputError(
                f"Models can be compared only on a single-scale layer in memory, and "
                f"{layer.name!r} is {kind_of(layer)}. Add a part of it as a new layer."
            )
        return layer, job

    def _require_usable_settings(self, layer: Image, *, is_lazy: bool) -> None:
        form, reference = self._form, self._form.reference_layer
        if form.noise_to_add is not None:
            parse_noise(form.noise_to_add)
        if reference is not None and reference.data.shape != layer.data.shape:
            raise InvalidInputError(
                f"The clean reference has the shape {reference.data.shape}, the layer "
                f"{layer.data.shape}. Choose a reference of the same shape."
            )
        if is_lazy and form.noise_to_add is not None:
            raise InvalidInputError(
                "Noise can be added only to a single-scale layer in memory, but this "
                f"layer is {kind_of(layer)}. Choose 'this layer is: noisy'."
            )
