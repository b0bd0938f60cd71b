"""What a user asks for when denoising a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..denoising.options import DenoiseOptions
from ..io.tiff import is_ome_tiff

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class FileJob:
    """What to denoise and where to put it.

    Parameters
    ----------
    input, output : pathlib.Path
        PNG, JPEG or TIFF files, or OME-Zarr folders.
    model : str
        A built-in model's name, or a checkpoint file.
    add_noise : str, optional
        The input is clean: noise to add first.
    seed : int
        Seed of that noise.
    reference : pathlib.Path, optional
        Clean image to compare a noisy input with.
    figure : pathlib.Path, optional
        PNG to draw the images side by side in.
    options : DenoiseOptions
        See `denoise`.
    select : mapping
        First index and the one after the last of what to denoise, by axis.
    overwrite : bool
        Replace an OME-Zarr that is a result of other settings.
    scheduler : str, optional
        Address of the scheduler of a dask cluster that computes.
    """

    input: Path
    output: Path
    model: str
    add_noise: str | None = None
    seed: int = 0
    reference: Path | None = None
    figure: Path | None = None
    options: DenoiseOptions = field(default_factory=DenoiseOptions)
    select: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    overwrite: bool = False
    scheduler: str | None = None

    @property
    def noisy_output(self) -> Path:
        """Where the noisy preview goes: ``NAME_noisy`` beside the output."""
        name, suffix = self.output.name, self.output.suffix
        first = len(name) - len(f".ome{suffix}" if is_ome_tiff(self.output) else suffix)
        return self.output.with_name(f"{name[:first]}_noisy{name[first:]}")

    @property
    def compares(self) -> bool:
        """Whether noisy and clean images are looked at, too."""
        return any((self.add_noise, self.reference, self.figure))
