"""The model ``auto`` on images of several numbers of colors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from ..denoising.denoiser import Denoiser
    from ..models.checkpoint import Checkpoint
    from ..models.networks.base import DenoisingNetwork

    #: A model under its name in a table of scores.
    ScoredModel: TypeAlias = "Denoiser | FittingDenoiser"


@dataclass(frozen=True, slots=True, eq=False)
class FittingDenoiser:
    """Models of which each image is denoised with the one that fits its colors.

    Parameters
    ----------
    by_colors : mapping
        The models, by the number of colors of the images that they fit.
    """

    by_colors: Mapping[int, Denoiser]

    @property
    def checkpoint(self) -> Checkpoint:
        """The model for the most colors, which stands for all in warnings."""
        return self.by_colors[max(self.by_colors)].checkpoint

    @property
    def network(self) -> DenoisingNetwork:
        """Its network."""
        return self.by_colors[max(self.by_colors)].network


def denoisers_of(model: ScoredModel) -> list[Denoiser]:
    """Return the models that are used under one name."""
    if isinstance(model, FittingDenoiser):
        return list(model.by_colors.values())
    return [model]


def fitting_denoiser(model: ScoredModel, n_colors: int) -> Denoiser:
    """Return the model for images with a number of colors."""
    return model.by_colors[n_colors] if isinstance(model, FittingDenoiser) else model
