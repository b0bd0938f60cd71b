"""Write an OME-Zarr image chunk by chunk, each atomically."""

from __future__ import annotations

import math
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .._version import __version__
from ..errors import OutputError
from .atomic import flush_to_disk, real_path, replace_folder
from .compression import BLOSC, DEFLATE, NONE, ZSTD
from .ome_attributes import image_attributes
from .temporary import remove, temporary_beside
from .zarr_result import METADATA_KEY, damaged_result, state_to_resume

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from .ome_metadata import OmeMetadata

# Name under which zarr writes a file before it renames it.
_PARTIAL = "*.partial"


@dataclass(frozen=True, kw_only=True)
class ZarrTarget:
    """An OME-Zarr image that is being written.

    Parameters
    ----------
    path : pathlib.Path
        Its folder.
    shapes : tuple of tuple of int
        Shape of each level, full resolution first.
    chunks : tuple of int
        Chunk shape, the same at all levels.
    dtype : str
        Data type of the pixels.
    metadata : OmeMetadata
        Metadata of the finished image.
    settings : mapping
        Its source and settings, as JSON values.
    description : str
        How the image was made.
    compression : str
        Compression of the pixels, see `choose_compression`.
    """

    path: Path
    shapes: tuple[tuple[int, ...], ...]
    chunks: tuple[int, ...]
    dtype: str
    metadata: OmeMetadata
    settings: Mapping[str, Any]
    description: str = f"denoised by napari-denoise-ae {__version__}"
    compression: str = ZSTD

    def begin(self, found: Mapping[str, Any], *, overwrite: bool) -> dict[str, Any]:
        """Create the image, or resume one with the same settings.

        Parameters
        ----------
        found : mapping
            Measurements of the source, stored for when the image is resumed.
        overwrite : bool
            Whether to replace a result with other settings.

        Returns
        -------
        dict
            `found`, or the stored measurements if the image is resumed.

        Raises
        ------
        OutputError
            If something else exists at `path`, or it cannot be written.
        """
        state = state_to_resume(self.path, self.settings, overwrite=overwrite)
        if state is None:
            state = {
                "settings": dict(self.settings),
                "found": dict(found),
                "finished": False,
            }
            with _as_output_error(self.path):
                self._build(state)
        else:
            with _as_output_error(self.path):
                self._repair()
        return dict(state["found"])

    def _build(self, state: Mapping[str, Any]) -> None:
        """Create the empty image beside its path, then rename it."""
        import zarr

        path = real_path(self.path)
        building = temporary_beside(path)
        try:
            root = zarr.create_group(
                building,
                zarr_format=2 if self.metadata.version == "0.4" else 3,
                attributes={METADATA_KEY: state},
            )
            for level, shape in enumerate(self.shapes):
                self._create(root, str(level), shape)
            replace_folder(building, path)
        finally:
            remove(building)

    def _repair(self) -> None:
        """Create missing levels, and remove chunks that a kill left unfinished."""
        import zarr

        root = zarr.open_group(self.path, mode="r+")
        for level, shape in enumerate(self.shapes):
            if str(level) not in root:
                self._create(root, str(level), shape)
        for partial in self.path.rglob(_PARTIAL):
            partial.unlink(missing_ok=True)

    def finish(self) -> None:
        """Write the image metadata, which mark the result as finished."""
        import zarr

        content = image_attributes(
            self.metadata,
            name=self.path.name.partition(".")[0],
            n_levels=len(self.shapes),
            description=self.description,
        )
        with _as_output_error(self.path):
            root = zarr.open_group(self.path, mode="r+")
            state: Any = dict(root.attrs)[METADATA_KEY]
            state = {**state, "finished": True, "version": __version__}
            root.update_attributes({**content, METADATA_KEY: state})

    def is_done(self, level: int, chunk: Sequence[int]) -> bool:
        """Return whether a chunk has been written; an empty file is none."""
        file = self._chunk_file(level, chunk)
        with suppress(FileNotFoundError):
            return file.stat().st_size > 0
        return False

    def missing(self, level: int) -> list[tuple[int, ...]]:
        """Return the grid indices of chunks that are not written, or unreadable."""
        return [n for n in self.numbers(level) if not self._is_sound(level, n)]

    def write(self, level: int, chunk: Sequence[int], pixels: NDArray[Any]) -> None:
        """Write a chunk atomically.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        where = self._where(chunk, pixels.shape)
        with _as_output_error(self.path):
            self.levels[level][where] = pixels
            flush_to_disk(self._chunk_file(level, chunk))

    def read(self, level: int, where: tuple[slice, ...]) -> NDArray[Any]:
        """Read pixels that have been written."""
        return np.asarray(self.levels[level][where])

    def n_chunks(self, level: int) -> int:
        """Return the number of chunks of a level."""
        return math.prod(self._grid(level))

    @property
    def total(self) -> int:
        """Number of chunks of all levels."""
        return sum(self.n_chunks(level) for level in range(len(self.shapes)))

    def numbers(self, level: int) -> Iterator[tuple[int, ...]]:
        """Yield the grid index of every chunk of a level."""
        yield from np.ndindex(*self._grid(level))

    def _grid(self, level: int) -> tuple[int, ...]:
        shape = self.shapes[level]
        return tuple(-(-n // side) for n, side in zip(shape, self.chunks, strict=True))

    @cached_property
    def levels(self) -> list[Any]:
        """Arrays of the levels."""
        import zarr

        # Chunks of zeros must be written, too: `is_done` looks for their files.
        with (
            _as_output_error(self.path),
            zarr.config.set({"array.write_empty_chunks": True}),
        ):
            root = zarr.open_group(self.path, mode="r+")
            found = [root[str(level)] for level in range(len(self.shapes))]
            self._require_same(found)
        return found

    def _require_same(self, levels: Sequence[Any]) -> None:
        """Raise `ValueError` unless levels are those that `_create` makes."""
        for level, shape in zip(levels, self.shapes, strict=True):
            expected = (shape, self.chunks, np.dtype(self.dtype))
            if (level.shape, level.chunks, level.dtype) != expected:
                raise ValueError(
                    f"its level {level.basename} has another shape or type"
                )

    def _create(self, root: Any, name: str, shape: tuple[int, ...]) -> None:
        options: dict[str, Any] = {"dimension_names": list(self.metadata.axes.lower())}
        if self.metadata.version == "0.4":
            encoding = {"name": "v2", "separator": "/"}
            options = {"chunk_key_encoding": encoding}
        root.create_array(
            name,
            shape=shape,
            chunks=self.chunks,
            dtype=self.dtype,
            compressors=_codec(self.compression, self.metadata.version),
            **options,
        )

    def _is_sound(self, level: int, chunk: Sequence[int]) -> bool:
        """Return whether a chunk has been written and can be decoded."""
        try:
            if not self.is_done(level, chunk):
                return False
            self.read(level, self._where(chunk, self.chunks))
        # A power cut leaves any bytes, and each codec has its own errors.
        except Exception:  # noqa: BLE001
            return False
        return True

    def _where(self, chunk: Sequence[int], shape: Sequence[int]) -> tuple[slice, ...]:
        """Return the pixels from the first one of a chunk on."""
        return tuple(
            slice(number * side, number * side + length)
            for number, side, length in zip(chunk, self.chunks, shape, strict=True)
        )

    def _chunk_file(self, level: int, chunk: Sequence[int]) -> Path:
        key: str = self.levels[level].metadata.encode_chunk_key(tuple(chunk))
        return self.path / str(level) / key


def _codec(compression: str, version: str) -> Any:
    """Return the codec of a compression for zarr; None for no compression."""
    if compression == NONE:
        return None
    if version == "0.4":
        import numcodecs

        kinds = {
            DEFLATE: numcodecs.GZip,
            ZSTD: numcodecs.Zstd,
            BLOSC: numcodecs.Blosc,
        }
        return kinds[compression]()
    from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

    return {DEFLATE: GzipCodec, ZSTD: ZstdCodec, BLOSC: BloscCodec}[compression]()


@contextmanager
def _as_output_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(
            f"Cannot write {path}: {error.strerror or error}. Choose another folder or "
            "free disk space; the same command resumes where it stopped."
        ) from error
    # Given damaged metadata, zarr raises errors of any kind.
    except Exception as error:
        raise damaged_result(path, error) from error
