"""The registry of networks, by name.

It contains import paths, not classes, so that names can be listed and checked
without importing torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ...errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import DenoisingNetwork

#: Module and class of each network, by name.
NETWORKS: dict[str, tuple[str, str]] = {
    "conv": ("conv", "ConvAutoencoder"),
    "residual": ("residual", "ResidualAutoencoder"),
    "unet": ("unet", "UNet"),
}

#: Options of each network, with the defaults of its constructor.
DEFAULT_OPTIONS: dict[str, dict[str, int | bool]] = {
    "conv": {"in_channels": 3, "base_channels": 32},
    "residual": {
        "in_channels": 3,
        "base_channels": 16,
        "latent_dim": 128,
        "skip_connections": True,
    },
    "unet": {
        "in_channels": 3,
        "base_channels": 32,
        "noise_level": True,
        "correlation": False,
        "self_ensemble": False,
    },
}


def network_class(name: str) -> type[DenoisingNetwork]:
    """Import and return the class of a network.

    Parameters
    ----------
    name : str
        A key of `NETWORKS`.

    Returns
    -------
    type
        The class. Its constructor takes the options of the network.

    Raises
    ------
    InvalidInputError
        If the name is unknown.
    """
    if name not in NETWORKS:
        raise InvalidInputError(
            f"Unknown network {name!r}. Known networks: {', '.join(NETWORKS)}."
        )
    module, class_name = NETWORKS[name]
    loaded: type[DenoisingNetwork] = getattr(
        import_module(f".{module}", __package__), class_name
    )
    return loaded


def build_network(name: str, options: Mapping[str, Any]) -> DenoisingNetwork:
    """Build a network with random initial weights.

    Parameters
    ----------
    name : str
        A key of `NETWORKS`.
    options : mapping
        Arguments of the network's constructor; the others have its defaults.

    Returns
    -------
    DenoisingNetwork
        The network, in training mode, on torch's default device.

    Raises
    ------
    InvalidInputError
        If the name or an option is unknown, or an option is out of range.
    """
    cls = network_class(name)
    known = DEFAULT_OPTIONS[name]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise InvalidInputError(
            f"The network {name!r} has no option {', '.join(unknown)}. "
            f"Its options are: {', '.join(known)}."
        )
    return cls(**options)


def outline_network(name: str, options: Mapping[str, Any]) -> DenoisingNetwork:
    """Build a network without weights, to read its stride and other attributes.

    Its parameters are on torch's meta device and take no memory.

    Parameters
    ----------
    name, options
        See `build_network`.

    Returns
    -------
    DenoisingNetwork
        The network, for inference.

    Raises
    ------
    InvalidInputError
        See `build_network`.
    """
    import torch

    with torch.device("meta"):
        return build_network(name, options).eval()
