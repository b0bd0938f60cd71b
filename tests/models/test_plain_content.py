from __future__ import annotations

import pytest
import torch
from hostile_files import nested

from napari_denoise_ae.errors import CheckpointError
from napari_denoise_ae.models.plain_content import require_plain, unusable_error


def test_plain_values_and_tensors_of_the_size_of_the_file_pass():
    content = {"a": [1, 2.5, None, True, ("text",)], "b": torch.zeros(4)}
    require_plain(content, 16, "a.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (nested(7, 9), "too many values"),
        (nested(20, 1), "nests them too deeply"),
        ({"a": "x" * 20_001}, "a text of 20,001 characters"),
        ({"x" * 20_001: 1}, "a text of 20,001 characters"),
        ([10**30], "an integer of more than 64 bits"),
        ([b"bytes"], "contains a bytes"),
        ([torch.float32], "contains a dtype"),
        ([torch.zeros(1).expand(1000)], "not have all data"),
        ([torch.zeros(3), torch.zeros(3)], "not have all data"),
    ],
)
def test_anything_else_is_refused(content, message):
    with pytest.raises(CheckpointError, match=message):
        require_plain(content, 20, "a.pt")


def test_a_long_reason_is_cut():
    assert len(str(unusable_error("a.pt", "x" * 10_000))) < 400
