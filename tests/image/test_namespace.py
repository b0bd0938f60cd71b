"""The same formulas for arrays and tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_denoise_ae.image.namespace import (
    any_of,
    as_floating,
    as_type_of,
    find_nan,
    namespace_of,
    places_of,
)


@pytest.fixture(params=[np.array, torch.tensor], ids=["array", "tensor"])
def make(request):
    return request.param


def test_the_namespace_is_that_of_the_values():
    assert namespace_of(np.zeros(3)) is np
    assert namespace_of(torch.zeros(3)) is torch


def test_arrays_become_float64_and_tensors_stay():
    assert as_floating(np.zeros(3, np.float16)).dtype == np.float64
    assert as_floating(torch.zeros(3)).dtype == torch.float32


def test_nan_is_found_or_there_is_no_mask(make):
    assert find_nan(make([1.0, np.inf])) is None
    assert find_nan(make([np.inf, np.nan, -np.inf])).tolist() == [False, True, False]


@pytest.mark.parametrize("dtype", ["uint8", "int64", "uint64"])
def test_integers_have_no_nan(dtype):
    assert find_nan(np.zeros(3, dtype)) is None


@pytest.mark.parametrize("fraction", [0.0, 0.01, 0.9])
def test_places_are_those_of_nonzero(make, fraction):
    mask = np.random.default_rng(0).random((30, 20, 3)) < fraction
    given = make(mask)
    assert any_of(given) == mask.any()
    for found, expected in zip(places_of(given), np.nonzero(mask), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_table_takes_the_type_of_the_values():
    table = np.arange(3.0)
    assert as_type_of(np.zeros(1), table) is table
    assert as_type_of(torch.zeros(1), table).dtype == torch.float32
