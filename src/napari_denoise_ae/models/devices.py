"""Choose the device to compute on, and recognize its lack of memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..errors import DeviceError

# On these devices torch raises a RuntimeError with such a message: the CPU, the CPU
# on Windows, and MPS.
_OUT_OF_MEMORY_MESSAGES = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
)


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """A device and why it was chosen.

    Parameters
    ----------
    device : torch.device
        The device to compute on.
    reason : str
        Why it was chosen, for display.
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
        A torch device: ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
        ``"auto"``, the default, is CUDA if available, else MPS if available,
        else the CPU.

    Returns
    -------
    DeviceChoice
        The device and why it was chosen.

    Raises
    ------
    DeviceError
        If the name is unknown or the device is not available.
    """
    if not isinstance(name, str):
        raise DeviceError(
            f"Unknown device {name!r}. Use auto, cpu, cuda, cuda:N or mps."
        )
    if name == "auto":
        return _best_device()
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(
            f"Unknown device {name!r}. Use auto, cpu, cuda, cuda:N or mps."
        ) from None
    # torch wraps large numbers around: cuda:99999 becomes cuda:-97.
    if str(device) != name or not _is_available(device):
        raise DeviceError(
            f"The device {name!r} is not available to torch {torch.__version__} on "
            "this machine. Use 'auto' or 'cpu', or install a version of torch and a "
            "driver that support it."
        )
    return DeviceChoice(device, "requested")


def free_memory(device: torch.device) -> int | None:
    """Return the free memory of a device in bytes, or None if it is unknown."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        # torch can use the memory that it has reserved but not allocated.
        reserved = torch.cuda.memory_reserved(device)
        return free + reserved - torch.cuda.memory_allocated(device)
    if device.type == "mps":
        limit = torch.mps.recommended_max_memory()
        return limit - torch.mps.current_allocated_memory()
    return _available_main_memory() if device.type == "cpu" else None


def is_lack_of_memory(error: Exception) -> bool:
    """Return whether an error means that memory ran out.

    The message is searched as well as the type, because torch raises a RuntimeError
    on some devices.
    """
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    message = str(error).lower()
    return any(known in message for known in _OUT_OF_MEMORY_MESSAGES)


def has_fast_bfloat16(device: torch.device) -> bool:
    """Return whether torch reports that a CPU or GPU has bfloat16 instructions."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    # Older versions of torch have no `get_capabilities`.
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))


def _available_main_memory() -> int | None:
    """Return the available main memory in bytes on Linux, None on other systems."""
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


def _is_available(device: torch.device) -> bool:
    if device.type == "cuda":
        return 0 <= (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    return device.type == "cpu"
