"""Load and build each model of a run over files once."""

from __future__ import annotations

from ..denoising.dask_blocks import Model
from ..denoising.denoiser import Denoiser
from ..models.devices import choose_device
from ..models.load import load_checkpoint


class LoadedModels:
    """Models shared by the files of a run.

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
        """Load a model on first use.

        Parameters
        ----------
        name : str
            A built-in model's name or a checkpoint file.
        """
        if name not in self._models:
            self._models[name] = Model.of(load_checkpoint(name))
        return self._models[name]

    def denoiser(self, name: str, precision: str) -> Denoiser:
        """Return a denoiser for a new file; the model is built on first use.

        Parameters
        ----------
        name : str
            A built-in model's name or a checkpoint file.
        precision : str
            See `denoise`.
        """
        if name not in self._denoisers:
            device = choose_device(self._device)
            self._denoisers[name] = Denoiser(self.model(name).checkpoint, device)
        return self._denoisers[name].for_new_run(precision)
