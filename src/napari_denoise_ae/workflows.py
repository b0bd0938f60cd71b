"""A plain function with napari's types, for napari-workflows and magicgui.

Tools such as napari-workflows call functions with positional arguments, and find out by
the annotations what an image is. napari is not imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from .denoising.api import denoise

if TYPE_CHECKING:
    import napari.types

    from .noise.setting import NoiseType


# The annotations are the texts that tools look for.
def denoise_image(
    image: napari.types.ImageData,
    model: str = "auto",
    noise_type: str = "auto",
    strength: float = 1.0,
    axes: str = "",
) -> napari.types.ImageData:
    """Denoise an image.

    Parameters
    ----------
    image : array
        A NumPy or dask array, see `napari_denoise_ae.denoise`.
    model : str
        A built-in model's name, or a checkpoint file.
    noise_type : str
        ``"auto"``, ``"gaussian"`` or ``"poisson-gaussian"``.
    strength : float
        Noise level multiplier, 0 to 10.
    axes : str
        One letter for each dimension, such as ``"TYX"``. Empty means ``"YX"``, or
        ``"YXS"`` for (Y, X, 3) and (Y, X, 4).

    Returns
    -------
    array
        Shape and dtype of `image`.

    Raises
    ------
    InvalidInputError, CheckpointError, DeviceError
        See `napari_denoise_ae.denoise`.

    Examples
    --------
    >>> from skimage.data import camera
    >>> denoise_image(camera()[:64, :64], "gray").shape
    (64, 64)
    """
    return denoise(
        image,
        model=model,
        noise_type=cast("NoiseType", noise_type),
        strength=strength,
        axes=axes or None,
    )
