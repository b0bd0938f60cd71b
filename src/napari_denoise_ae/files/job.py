"""The settings for denoising one file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..denoising.options import DenoiseOptions
from ..io.compression import AUTO
from ..io.tiff import is_ome_tiff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class FileJob:
    """The input, the output and the settings of denoising one file.

    Parameters
    ----------
    input : pathlib.Path
        File or OME-Zarr folder in one of the formats of `open_image`.
    output : pathlib.Path
        File or OME-Zarr folder to write.
    model : str
        A built-in model's name, ``"auto"`` or a checkpoint file.
    add_noise : str, optional
        Synthetic noise to add to a clean input before denoising, see `add_noise`.
    seed : int
        Seed of the synthetic noise.
    reference : pathlib.Path, optional
        Clean image to compare a noisy input with.
    figure : pathlib.Path, optional
        PNG file for a figure that shows the images side by side.
    reports : tuple of pathlib.Path
        Trust reports to write, .html or .json.
    options : DenoiseOptions
        See `denoise`.
    series : int, optional
        Number of the image in a file that holds several, see `open_image`.
    select : mapping
        Region to denoise: first index and the index after the last, by axis letter.
        Axes that are not given are denoised completely.
    compression : str
        Compression of a TIFF or OME-Zarr, see `choose_compression`.
    overwrite : bool
        Whether to replace files that exist, and OME-Zarr results with other settings.
    scheduler : str, optional
        Address of the scheduler of a dask cluster to denoise on. None, the default,
        means this process.
    before_replacing : callable, optional
        Called with the path of a result and the complete temporary file that is about
        to replace it; not for an OME-Zarr.
    """

    input: Path
    output: Path
    model: str
    add_noise: str | None = None
    seed: int = 0
    reference: Path | None = None
    figure: Path | None = None
    reports: tuple[Path, ...] = ()
    options: DenoiseOptions = field(default_factory=DenoiseOptions)
    series: int | None = None
    select: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    compression: str = AUTO
    overwrite: bool = False
    scheduler: str | None = None
    before_replacing: Callable[[Path, Path], None] | None = field(
        default=None, compare=False, repr=False
    )

    @property
    def noisy_output(self) -> Path:
        """Path of the image with added noise: ``NAME_noisy``, beside the output."""
        name, suffix = self.output.name, self.output.suffix
        first = len(name) - len(f".ome{suffix}" if is_ome_tiff(self.output) else suffix)
        return self.output.with_name(f"{name[:first]}_noisy{name[first:]}")

    @property
    def results(self) -> list[Path]:
        """The images that the job writes."""
        return (
            [self.output]
            if self.add_noise is None
            else [self.output, self.noisy_output]
        )

    @property
    def compares(self) -> bool:
        """Whether noise is added, a reference is given or a figure is drawn."""
        return any((self.add_noise, self.reference, self.figure))
