"""Read Zarr from an address, ``https://`` or ``s3://``, through fsspec."""

from __future__ import annotations

import math
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import (
    DenoiseAEError,
    InvalidInputError,
    MissingDependencyError,
    one_line,
)
from .location import url_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import zarr
    from numpy.typing import NDArray

#: How long to wait for a connection, and for each piece of an answer, in seconds.
TIMEOUT = 30
_PACKAGES = {"http": "aiohttp", "https": "aiohttp", "s3": "s3fs"}
# What says that a user of S3 has credentials. Without them, reading is anonymous.
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE")


def open_remote(path: Path) -> Any:
    """Open a Zarr array or group at an address, to be read only.

    Raises
    ------
    InvalidInputError
        If there is none, it cannot be reached, or it does not answer in time.
    MissingDependencyError
        If the package for this kind of address is not installed.
    """
    import zarr

    from .zarr_store import RemoteStore

    url = url_of(path)
    with _explained(url):
        store = RemoteStore.from_url(url, storage_options=_options(url), read_only=True)
        return zarr.open(store, mode="r")


@dataclass(frozen=True, slots=True, eq=False)
class RemoteArray:
    """A Zarr array at an address, read on indexing.

    Parameters
    ----------
    array : zarr.Array
        The array.
    url : str
        Its address, for errors.
    """

    array: zarr.Array[Any]
    url: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Axis lengths."""
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the pixels."""
        return np.dtype(self.array.dtype)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        with _explained(self.url):
            return np.asarray(self.array[index])

    @property
    def n_missing(self) -> int:
        """Number of chunks that were missing when they were read."""
        outer = self.array.shards or self.array.chunks
        in_each = math.prod(outer) // math.prod(self.array.chunks)
        store: Any = self.array.store
        # Names of chunks end in a number, those of metadata in a letter.
        # Other threads may be reading, so a copy is counted.
        n_files: int = sum(key[-1:].isdigit() for key in store.missing.copy())
        return n_files * in_each


def _options(url: str) -> dict[str, Any]:
    """Return fsspec's options for an address."""
    if url.startswith("s3"):
        known = any(name in os.environ for name in _CREDENTIALS)
        return {
            "anon": not known and not Path("~/.aws").expanduser().is_dir(),
            "config_kwargs": {"connect_timeout": TIMEOUT, "read_timeout": TIMEOUT},
        }
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=TIMEOUT, sock_read=TIMEOUT)
    return {"client_kwargs": {"timeout": timeout}}


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn errors of network libraries into one that names the address."""
    try:
        yield
    except DenoiseAEError:
        raise
    except ImportError as error:
        package = _PACKAGES[url.partition(":")[0]]
        raise MissingDependencyError(
            f"Cannot read {url}: it needs the package {package}. Install it with: pip "
            "install 'napari-denoise-ae[remote]'"
        ) from error
    except TimeoutError as error:
        raise InvalidInputError(
            f"Cannot read {url}: no answer within {TIMEOUT} s. Check the network, or "
            "run the same command later."
        ) from error
    except FileNotFoundError as error:
        raise InvalidInputError(
            f"Cannot read {url}: there is no Zarr image at this address."
        ) from error
    # The errors of aiohttp and botocore have no base class in common.
    except Exception as error:
        reason = one_line(error, 300).rstrip(".") or type(error).__name__
        raise InvalidInputError(
            f"Cannot read {url}: {reason}. Check the address and the network."
        ) from error
