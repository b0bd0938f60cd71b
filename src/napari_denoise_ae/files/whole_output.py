"""Write the images and the figure of a file denoised in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError
from ..evaluation.figures import save_panels
from ..image.axes import middle_plane
from ..io.atomic import atomic_write, real_path, require_writable
from ..io.calibration import pixel_density
from ..io.images import ImageFile, require_storable, write_image
from ..io.source import TIFF
from ..io.tiff import write_tiff
from .overwrite import require_replaceable
from .planes import select
from .report import provenance, provenance_of_denoised
from .tiff_layout import tiff_layout

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ..image.intensity import IntensityRange
    from ..io.source import Volume
    from .job import FileJob
    from .planes import Selection
from .report import FileResult


def require_outputs(job: FileJob, pixels: NDArray[Any], axes: str) -> None:
    """Raise, before denoising, if a result of a job cannot be written.

    Parameters
    ----------
    job : FileJob
        The settings.
    pixels : numpy.ndarray
        An array with the shape of the results and the dtype of the input.
    axes : str
        Axes of `pixels`.

    Raises
    ------
    DenoiseAEError
        If a format cannot store the pixels, a file cannot be written, or it would
        replace another file of the job.
    """
    dtypes = {job.output: job.options.result_dtype(pixels.dtype)}
    if job.add_noise is not None:
        dtypes[job.noisy_output] = pixels.dtype
    for path, dtype in dtypes.items():
        require_storable(path, pixels.shape, dtype, axes)
    figures = [] if job.figure is None else [job.figure]
    if figures and figures[0].suffix.lower() != ".png":
        raise InvalidInputError(f"The figure must be a .png file, got {figures[0]}.")
    taken = {real_path(path) for path in (job.input, job.reference) if path is not None}
    for path in [*dtypes, *figures]:
        if real_path(path) in taken:
            raise InvalidInputError(
                f"Writing {path} would replace the input, the reference or another "
                "result. Choose another name."
            )
        taken.add(real_path(path))
        require_writable(path)
    require_replaceable([*dtypes, *figures], overwrite=job.overwrite)


def write_result(result: FileResult, volume: Volume, shown: IntensityRange) -> None:
    """Write the denoised image, the noisy image if noise was added, and the figure.

    Parameters
    ----------
    result : FileResult
        The result.
    volume : Volume
        The input, whose metadata are kept.
    shown : IntensityRange
        Intensities shown as black and white in the figure.
    """
    job, selection = result.job, select(volume, result.job.select)
    if job.add_noise is not None:
        before = provenance(result.intensity_range)
        origin = f"{before}, added {job.add_noise} with seed {job.seed}"
        _write(job, job.noisy_output, result.noisy, volume, selection, origin)
    origin = provenance_of_denoised(job, result.intensity_range)
    _write(job, job.output, result.denoised, volume, selection, origin)
    if job.figure is not None:
        _draw(result, job.figure, shown)


def _write(
    job: FileJob,
    path: Path,
    pixels: NDArray[Any],
    volume: Volume,
    selection: Selection,
    origin: str,
) -> None:
    if path.suffix.lower() not in TIFF:
        density = pixel_density(volume.scale, volume.units)
        image = ImageFile(pixels, volume.axes, picture=volume.picture, density=density)
        write_image(path, image, job.before_replacing)
        return
    compression = job.compression
    layout = tiff_layout(path, volume, selection, pixels.dtype, compression=compression)
    order = [volume.axes.index(letter) for letter in layout.axes]
    with atomic_write(path, job.before_replacing) as temporary:
        write_tiff(temporary, pixels.transpose(order), layout, provenance=origin)


def _draw(result: FileResult, path: Path, shown: IntensityRange) -> None:
    images = {"noisy": result.noisy, "denoised": result.denoised}
    if result.clean is not None:
        images["clean"] = result.clean
    titles = list(images) if result.comparison is None else result.comparison.titles()
    panels = [middle_plane(image, result.axes) for image in images.values()]
    save_panels([panels], titles, path, intensity_range=shown)
