"""What is known of a model without its weights, read without importing torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .builtin import MODEL_SUFFIX, builtin_file, builtin_models, require_model
from .description import parse_description
from .networks.registry import DEFAULT_OPTIONS, default_options, is_network
from .safetensors_file import read_safetensors_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .checkpoint import Checkpoint
    from .record import TrainingRecord

# Tensors of batch normalization that are not trained.
_BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A model without its weights.

    Parameters
    ----------
    name : str
        Name of the built-in model or of the file.
    network : str
        One of `network_names`, or ``"onnx"``.
    network_options : mapping
        Arguments of the network's constructor; the others have its defaults. For a
        model from another program, the facts that are known about it.
    n_parameters : int
        Trained numbers of the network.
    record : TrainingRecord or None
        How the network was trained; None if unknown.
    """

    name: str
    network: str
    network_options: Mapping[str, Any]
    n_parameters: int
    record: TrainingRecord | None

    def option(self, name: str) -> Any:
        """Return an option of the network, or None if it has no such option."""
        is_built = is_network(self.network)
        defaults = default_options(self.network) if is_built else {}
        return (defaults | dict(self.network_options)).get(name)


def read_summary(source: str | Path) -> ModelSummary:
    """Read the summary of a checkpoint file or a built-in model.

    The weights of a safetensors file are not read. Any other file is loaded whole.

    Parameters
    ----------
    source : path or str
        See `load_checkpoint`.

    Raises
    ------
    CheckpointError
        If there is no such file or it is not a checkpoint.
    """
    require_model(source)
    if str(source) in builtin_models():
        with builtin_file(str(source)) as file:
            summary = _read_header(file, str(source))
    else:
        summary = _read_header(Path(source), Path(source).name)
    if summary is not None:
        return summary
    from .load import load_checkpoint

    return summarize(load_checkpoint(source))


def summarize(checkpoint: Checkpoint) -> ModelSummary:
    """Return the summary of a checkpoint that has been loaded."""
    return ModelSummary(
        checkpoint.name,
        checkpoint.network,
        checkpoint.network_options,
        checkpoint.outline().n_parameters,
        checkpoint.record,
    )


def _read_header(file: Path, name: str) -> ModelSummary | None:
    """Return None if the file must be loaded to know, or to say what is wrong."""
    if file.suffix != MODEL_SUFFIX:
        return None
    content = read_safetensors_header(file)
    if content is None:
        return None
    about = parse_description(content, name)
    if not _is_known(about.network, about.network_options):
        return None
    return ModelSummary(
        name,
        about.network,
        about.network_options,
        _count(content["state_dict"]),
        about.record,
    )


def _is_known(network: Any, options: Any) -> bool:
    if not isinstance(network, str) or not isinstance(options, dict):
        return False
    defaults = DEFAULT_OPTIONS.get(network, {})
    return network in DEFAULT_OPTIONS and all(
        key in defaults and type(value) is type(defaults[key])
        for key, value in options.items()
    )


def _count(shapes: Mapping[str, Iterable[int]]) -> int:
    return sum(
        math.prod(shape)
        for key, shape in shapes.items()
        if key.rpartition(".")[2] not in _BUFFERS
    )
