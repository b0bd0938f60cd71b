from __future__ import annotations

import pytest
import torch

from napari_denoise_ae.errors import DeviceError
from napari_denoise_ae.models.devices import choose_device, has_fast_bfloat16


def pretend(monkeypatch, *, cuda: int = 0, mps: bool = False) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a fast GPU")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("available", "device", "reason"),
    [
        ({"cuda": 1, "mps": True}, "cuda", "auto: a fast GPU found"),
        ({"mps": True}, "mps", "auto: Apple GPU found"),
        ({}, "cpu", "auto: neither CUDA nor MPS found"),
    ],
)
def test_auto_prefers_cuda_then_mps_then_cpu_and_says_why(
    monkeypatch, available, device, reason
):
    pretend(monkeypatch, **available)
    choice = choose_device("auto")
    assert (choice.device.type, choice.reason) == (device, reason)
    assert str(choice) == f"{device} ({reason})"
    assert choose_device() == choice


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:0", "cuda:1", "mps"])
def test_available_device_is_chosen_by_name(monkeypatch, name):
    pretend(monkeypatch, cuda=2, mps=True)
    choice = choose_device(name)
    assert (str(choice.device), choice.reason) == (name, "requested")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps", "meta", "xpu"])
def test_unavailable_device_is_rejected_with_advice(monkeypatch, name):
    pretend(monkeypatch)
    with pytest.raises(DeviceError, match=rf"'{name}' is not avail.*'auto' or 'cpu'"):
        choose_device(name)


@pytest.mark.parametrize("name", ["cuda:2", "cuda:99999"])
def test_device_number_out_of_range_is_rejected(monkeypatch, name):
    pretend(monkeypatch, cuda=2)
    with pytest.raises(DeviceError, match=name):
        choose_device(name)


@pytest.mark.parametrize(
    "name", ["", "gpu", "CPU", "cuda:x", "cuda:-1", "cuda:" + 20 * "9"]
)
def test_unknown_device_lists_the_valid_names(name):
    with pytest.raises(DeviceError, match="auto, cpu, cuda, cuda:N or mps"):
        choose_device(name)


@pytest.mark.parametrize(
    ("found", "is_fast"),
    [
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({"avx2": True}, False),
    ],
)
def test_bfloat16_is_fast_on_processors_with_instructions_for_it(
    monkeypatch, found, is_fast
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found, raising=False)
    assert has_fast_bfloat16(torch.device("cpu")) is is_fast
    assert not has_fast_bfloat16(torch.device("mps"))
