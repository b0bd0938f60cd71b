"""Load and build each model of a run over files once."""

from __future__ import annotations

from ..denoising.dask_blocks import Model
from ..denoising.denoiser import Denoiser
from ..models.devices import choose_device
from ..models.load import load_checkpoint


class LoadedModels:
    """Models that several files share.

    Parameters
    ----------
    device : str
        See `denoise`.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._models: dict[str, Model] = {}
        self._denoisers: dict[str, Denoiser] = {}

    def model(self, name: str) -> Model:
        """Return a built-in model or one from a checkpoint file."""
        if name not in self._models:
            self._models[name] = Model.of(load_checkpoint(name))
        return self._models[name]

    def denoiser(self, name: str) -> Denoiser:
        """Return a model on the device, ready for a new file."""
        if name not in self._denoisers:
            device = choose_device(self._device)
            self._denoisers[name] = Denoiser(self.model(name).checkpoint, device)
        return self._denoisers[name].for_new_run()
