"""Connect to a dask cluster whose workers can denoise."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import contextmanager
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from .._version import __version__
from ..errors import DeviceError, MissingDependencyError, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from distributed import Client

# Seconds for the scheduler to answer, for its first worker to connect, and for all
# workers to say their version, all together.
_TIMEOUT = 12
# Seconds that are left to each of these at least.
_LEAST = 2
_ADDRESS = re.compile(r"((?:tcp|tls|ws|wss)://)?([\w.-]+|\[[\da-fA-F:.%]+\]):(\d{1,5})")
# What every worker is asked for; the version decides how a run is pickled.
_VERSION = "napari_denoise_ae._version:__version__"
_MOST_LISTED = 3


@contextmanager
def connect(scheduler: str) -> Iterator[Client]:
    """Connect to a scheduler and wait for its first worker.

    Parameters
    ----------
    scheduler : str
        Its address, such as ``"tcp://10.0.0.1:8786"``. Without ``tcp://``, ``tls://``,
        ``ws://`` or ``wss://`` it is ``tcp://``. Certificates for ``tls://`` are those
        of dask's configuration.

    Raises
    ------
    DeviceError
        If the address is none, no scheduler answers, it has no workers, or some of
        them do not answer or lack this version of the package.
    MissingDependencyError
        If `distributed` is not installed.
    """
    try:
        from distributed import Client
        from distributed import TimeoutError as NoWorkerError
    except ImportError as error:
        raise MissingDependencyError(
            "A cluster needs the package distributed. Install it with: "
            "pip install 'napari-denoise-ae[distributed]'"
        ) from error
    address = _checked_address(scheduler)
    deadline = time.monotonic() + _TIMEOUT
    _require_scheduler(address)
    with Client(address, timeout=_TIMEOUT, set_as_default=False) as client:
        try:
            client.wait_for_workers(1, timeout=_left_until(deadline))
        except NoWorkerError as error:
            raise DeviceError(
                f"No worker connected to the scheduler at {scheduler!r} within "
                f"{_TIMEOUT} s. Start one with: dask worker {scheduler}"
            ) from error
        _require_versions(client, _left_until(deadline))
        yield client


def has_workers(client: Client) -> bool:
    """Return whether the scheduler has at least one worker; True if it is lost."""
    try:
        return bool(client.scheduler_info()["workers"])
    # A lost connection is noticed where results are awaited.
    except OSError:
        return True


def _left_until(deadline: float) -> float:
    """Return the number of seconds until a time of `time.monotonic`."""
    return max(deadline - time.monotonic(), _LEAST)


def _checked_address(scheduler: str) -> str:
    """Return the address of a scheduler with its scheme."""
    found = _ADDRESS.fullmatch(scheduler.strip())
    if found is None or not 0 < int(found[3]) < 2**16:
        raise DeviceError(
            f"{one_line(repr(scheduler), 200)} is not the address of a scheduler. Pass "
            "one such as tcp://10.0.0.1:8786."
        )
    return f"{found[1] or 'tcp://'}{found[2]}:{found[3]}"


def _require_scheduler(address: str) -> None:
    """Raise unless a scheduler answers.

    A client that cannot connect leaves a thread that keeps Python from ending.
    """
    try:
        asyncio.run(_shake_hands(address))
    # Another program at this address may answer anything.
    except Exception as error:
        reason = one_line(error, 200).rstrip(".") or type(error).__name__
        raise DeviceError(
            f"No scheduler answered at {address!r} within {_TIMEOUT} s ({reason}). "
            "Start one with: dask scheduler"
        ) from error


async def _shake_hands(address: str) -> None:
    from distributed.comm.core import connect as connect_to
    from distributed.security import Security

    arguments: dict[str, Any] = Security().get_connection_args("client")
    if address.startswith(("tls://", "wss://")) and not arguments.get("ssl_context"):
        raise ValueError("dask's configuration has no certificates for it")
    opening = connect_to(address, timeout=_TIMEOUT, **arguments)
    comm = await asyncio.wait_for(opening, _TIMEOUT)
    try:
        await comm.write({"op": "identity"})
        answer = await asyncio.wait_for(comm.read(), _TIMEOUT)
    finally:
        await comm.close()
    if answer.get("type") != "Scheduler":
        raise ValueError("another program answered")


def _require_versions(client: Client, seconds: float) -> None:
    """Raise unless all workers have this version of the package.

    A task that a worker cannot load makes the client wait without end.
    """
    answers = client.sync(_ask_workers, client, seconds)
    silent = [name for name, found in answers.items() if isinstance(found, OSError)]
    if silent:
        raise DeviceError(
            f"Workers did not answer within {seconds:.0f} s, although the scheduler "
            f"lists them: {_listed(silent)}. Restart or stop them."
        )
    others = [
        f"{name} {f'has {found}' if isinstance(found, str) else 'lacks it'}"
        for name, found in answers.items()
        if found != __version__
    ]
    if others:
        raise DeviceError(
            f"All workers need napari-denoise-ae {__version__}, but {_listed(others)}. "
            f"Install it there with: pip install napari-denoise-ae=={__version__}"
        )


def _listed(texts: Sequence[str]) -> str:
    more = "" if len(texts) <= _MOST_LISTED else f", ... ({len(texts)} in all)"
    return ", ".join(texts[:_MOST_LISTED]) + more


async def _ask_workers(client: Client, seconds: float) -> dict[str, Any]:
    """Return each worker's version, or the error that it had, by its address."""

    async def ask(worker: str) -> Any:
        asking: Any = client.run(
            resolve_name, _VERSION, workers=[worker], on_error="return"
        )
        try:
            return (await asyncio.wait_for(asking, seconds))[worker]
        # TimeoutError is one.
        except OSError as error:
            return error

    names = list(await client.nthreads())
    return dict(zip(names, await asyncio.gather(*map(ask, names)), strict=True))
