"""A model from another program, wherever a checkpoint is accepted."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ...errors import CheckpointError, DenoiseAEWarning
from ..checkpoint import Checkpoint
from ..devices import DeviceChoice
from ..plain_content import LARGEST_FILE
from .interface import Interface, import_error
from .network import ImportedNetwork
from .onnx_content import METADATA, open_session, plain_interface, read_graph
from .package import load_package

if TYPE_CHECKING:
    from pathlib import Path

    from ..networks.base import DenoisingNetwork

#: Name of the network of imported models.
ONNX = "onnx"
_SUFFIX = ".onnx"
_CONTENT = "onnx"
# Rows and columns of the image on which a model is tried, at least.
_TRIED = 64


@dataclass(frozen=True, slots=True, eq=False)
class ImportedModel(Checkpoint):
    """An ONNX graph from another program.

    Parameters
    ----------
    name, network, network_options, state_dict, record
        See `Checkpoint`. The `state_dict` has the content of the ONNX file as bytes.
    interface : Interface
        How to call the graph.
    """

    interface: Interface

    def build(self, device: torch.device) -> DenoisingNetwork:  # noqa: ARG002
        """Load the graph into ONNX Runtime, for inference on the CPU."""
        data = self.state_dict[_CONTENT].numpy().tobytes()
        session = open_session(data, self.name)
        return ImportedNetwork(self.interface, self.name, session).eval()

    def outline(self) -> DenoisingNetwork:
        """Return the network without its graph."""
        return ImportedNetwork(self.interface, self.name)

    @property
    def identity(self) -> str:
        """A text that, with the graph, identifies the model."""
        return f"{self.network} {self.interface}"

    def usable_device(self, device: DeviceChoice) -> DeviceChoice:
        """Return the CPU."""
        if device.device.type == "cpu":
            return device
        return DeviceChoice(torch.device("cpu"), "ONNX Runtime computes on the CPU")


def is_imported(path: Path) -> bool:
    """Return whether a file or folder is opened by `load_imported`."""
    return path.suffix.lower() in (_SUFFIX, ".zip") or path.is_dir()


def load_imported(path: Path) -> Checkpoint:
    """Open an ONNX file or a bioimage.io package as a model.

    Parameters
    ----------
    path : pathlib.Path
        An ``.onnx`` file, a ``.zip`` file, or the folder of an unpacked package.

    Returns
    -------
    Checkpoint
        An `ImportedModel`; for a package that `export_bioimageio` wrote, the model that
        it was made from.

    Raises
    ------
    CheckpointError
        If it cannot be used as a model.
    MissingDependencyError
        If onnx or onnxruntime is not installed and needed.

    Warns
    -----
    DenoiseAEWarning
        If an ONNX file does not say which intensities it expects.
    """
    if path.suffix.lower() != _SUFFIX:
        found = load_package(path)
        if isinstance(found, Checkpoint):
            return found
        data, interface = found
    else:
        data = _read(path)
        graph = read_graph(data, path.name)
        interface = plain_interface(graph)
        if METADATA not in graph.metadata:
            _warn(interface, path.name)
    content = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    options = interface.describe()
    model = ImportedModel(
        path.name, ONNX, options, {_CONTENT: content}, None, interface
    )
    _try(model)
    return model


def _read(path: Path) -> bytes:
    try:
        n_bytes = path.stat().st_size
        if n_bytes <= LARGEST_FILE:
            return path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"Cannot read the model {path}: {error.strerror or error}."
        ) from error
    raise import_error(
        path.name,
        f"it has {n_bytes / 2**20:.0f} MB; the limit is {LARGEST_FILE / 2**20:.0f} MB",
    )


def _warn(interface: Interface, name: str) -> None:
    warnings.warn(
        f"{name} does not say which images it expects. It is assumed to expect "
        f"intensities in [0, 1] and this size: {interface.sides}. A bioimage.io "
        "package declares both.",
        DenoiseAEWarning,
        stacklevel=4,
    )


def _try(model: ImportedModel) -> None:
    """Denoise a small image, so that a model that cannot be used is refused now."""
    network = model.build(torch.device("cpu"))
    side = network.shortest_side or -(-_TRIED // network.stride) * network.stride
    shape = (1, network.n_inputs, side, side)
    with torch.inference_mode():
        denoised = network(torch.linspace(0.1, 0.9, side).expand(shape))
    if not denoised.isfinite().all():
        raise import_error(model.name, "its result is not finite")
