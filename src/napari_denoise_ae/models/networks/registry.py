"""The registry of networks, by name.

It contains import paths, not classes, so that names can be listed and checked
without importing torch. Other packages add networks by entry points, see `plugins`.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from ... import plugins
from ...errors import InvalidInputError, one_line

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


def network_names() -> list[str]:
    """Return the names of all networks, of this package and of others."""
    return list(dict.fromkeys([*NETWORKS, *plugins.added(plugins.NETWORKS)]))


def is_network(name: str) -> bool:
    """Return whether there is a network of a name; nothing is imported."""
    return name in NETWORKS or name in plugins.added(plugins.NETWORKS)


def unknown_network(name: object) -> InvalidInputError:
    """Return the error for a name that no network has."""
    return InvalidInputError(
        f"Unknown network {name!r}. Known networks: {', '.join(network_names())}. "
        "Others must be added by an installed package."
    )


def network_class(name: str) -> type[DenoisingNetwork]:
    """Import and return the class of a network.

    Parameters
    ----------
    name : str
        One of `network_names`.

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
        loaded: type[DenoisingNetwork] | None = plugins.load(
            plugins.NETWORKS, name, _is_network_class
        )
        if loaded is None:
            raise unknown_network(name)
        return loaded
    module, class_name = NETWORKS[name]
    own = getattr(import_module(f".{module}", __package__), class_name)
    return cast("type[DenoisingNetwork]", own)


def _is_network_class(_name: str, loaded: Any) -> bool:
    from .base import DenoisingNetwork

    if not isinstance(loaded, type) or not issubclass(loaded, DenoisingNetwork):
        return False
    options = inspect.signature(loaded).parameters.values()
    return all(each.default is not each.empty for each in options)


def default_options(name: str) -> dict[str, Any]:
    """Return the options of a network with their defaults.

    Parameters
    ----------
    name : str
        One of `network_names`.

    Raises
    ------
    InvalidInputError
        If the name is unknown.
    """
    if name in DEFAULT_OPTIONS:
        return dict(DEFAULT_OPTIONS[name])
    parameters = inspect.signature(network_class(name)).parameters.values()
    return {each.name: each.default for each in parameters}


def build_network(name: str, options: Mapping[str, Any]) -> DenoisingNetwork:
    """Build a network with random initial weights.

    Parameters
    ----------
    name : str
        One of `network_names`.
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
    known = default_options(name)
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise InvalidInputError(
            f"The network {name!r} has no option {', '.join(unknown)}. "
            f"Its options are: {', '.join(known)}."
        )
    if name in NETWORKS:
        return cls(**options)
    try:
        network = cls(**options)
        _require_attributes(network)
    # Another package may raise anything.
    except Exception as error:
        reason = f"{type(error).__name__}: {one_line(error, 200).rstrip('.')}"
        raise InvalidInputError(
            f"The network {name!r} cannot be built with {dict(options)}: {reason}."
        ) from error
    return network


def _require_attributes(network: DenoisingNetwork) -> None:
    """Raise unless a network declares what its base class says."""
    lowest = {"in_channels": 1, "stride": 1, "receptive_field_radius": 0}
    if getattr(network, "image_size", None) is not None:
        lowest["image_size"] = 1
    for name, least in lowest.items():
        value = getattr(network, name, None)
        if not isinstance(value, int) or value < least:
            raise TypeError(
                f"its {name} must be an integer of at least {least}, got {value!r}"
            )


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
