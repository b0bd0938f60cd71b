from __future__ import annotations

import inspect

import pytest

from napari_denoise_ae.errors import InvalidInputError
from napari_denoise_ae.models.networks.registry import (
    DEFAULT_OPTIONS,
    NETWORKS,
    build_network,
    network_class,
)


def test_unknown_network_lists_the_networks():
    with pytest.raises(InvalidInputError, match=r"'unet9'.*conv"):
        network_class("unet9")


def test_unknown_option_lists_the_options():
    with pytest.raises(InvalidInputError, match=r"depth.*in_channels, base_channels"):
        build_network("conv", {"depth": 3})


@pytest.mark.parametrize("name", NETWORKS)
def test_default_options_are_those_of_the_constructor(name):
    parameters = inspect.signature(network_class(name)).parameters.values()
    defaults = {each.name: each.default for each in parameters}
    assert defaults == DEFAULT_OPTIONS[name]
