"""Which device to compute on, and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..errors import DeviceError


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """A device and the reason for it.

    Parameters
    ----------
    device : torch.device
        The device to compute on.
    reason : str
        Why it was taken, for a user to read.
    """

    device: torch.device
    reason: str

    def __str__(self) -> str:
        return f"{self.device} ({self.reason})"


def choose_device(name: str = "auto") -> DeviceChoice:
    """Choose a device by name.

    Parameters
    ----------
    name : str
        ``"auto"`` takes CUDA, else MPS, else the CPU. Any of torch's names
        takes that device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.

    Returns
    -------
    DeviceChoice
        The device and the reason for it.

    Raises
    ------
    DeviceError
        If the name is unknown, or the device is not there.
    """
    if name == "auto":
        return _best_device()
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(
            f"Unknown device {name!r}. Use auto, cpu, cuda, cuda:N or mps."
        ) from None
    # torch wraps large numbers round: cuda:99999 becomes cuda:-97.
    if str(device) != name or not _is_there(device):
        raise DeviceError(
            f"The device {name!r} was asked for, but torch {torch.__version__} finds "
            "none here. Use 'auto' or 'cpu', or install a torch and a driver that "
            "support it."
        )
    return DeviceChoice(device, "asked for")


def free_memory(device: torch.device) -> int | None:
    """Return how many bytes a device has free; None where it does not say."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        # What torch holds in reserve is free for it.
        reserve = torch.cuda.memory_reserved(device)
        return free + reserve - torch.cuda.memory_allocated(device)
    if device.type == "mps":
        limit = torch.mps.recommended_max_memory()
        return limit - torch.mps.current_allocated_memory()
    return _available_main_memory() if device.type == "cpu" else None


def has_fast_bfloat16() -> bool:
    """Tell whether the CPU has instructions for bfloat16, as Linux and torch see it."""
    # Older versions of torch do not say.
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))


def _available_main_memory() -> int | None:
    """Read what Linux says is available; other systems have no such file."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = {
        key: value for key, _, value in (line.partition(":") for line in lines)
    }
    available = kilobytes.get("MemAvailable", "").split()
    return 1024 * int(available[0]) if available else None


def _best_device() -> DeviceChoice:
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
        return DeviceChoice(torch.device("cuda"), f"auto: {name} found")
    if torch.backends.mps.is_available():
        return DeviceChoice(torch.device("mps"), "auto: Apple GPU found")
    return DeviceChoice(torch.device("cpu"), "auto: neither CUDA nor MPS found")


def _is_there(device: torch.device) -> bool:
    if device.type == "cuda":
        return 0 <= (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    return device.type == "cpu"
