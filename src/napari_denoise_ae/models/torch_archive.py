"""Check an archive of `torch.save` before anything in it is unpickled.

`torch.load` with ``weights_only=True`` runs no code of a file, but it trusts the sizes
that the file claims: a file of 1 kB can make it allocate gigabytes. The archives that
pass contain only tensors and plain values, each tensor with all of its data.
"""

from __future__ import annotations

import pickletools
import zipfile
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..errors import CheckpointError
from .plain_content import LARGEST_FILE, unsafe_error, unusable_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# Bytes and operations of the pickle; a record of 10,000 images has a quarter of them.
_LARGEST_PICKLE, _MOST_OPERATIONS = 2**23, 500_000
# Bytes of an element of each type of storage.
_STORAGES = {
    "torch DoubleStorage": 8,
    "torch FloatStorage": 4,
    "torch HalfStorage": 2,
    "torch BFloat16Storage": 2,
    "torch LongStorage": 8,
    "torch IntStorage": 4,
    "torch ShortStorage": 2,
    "torch CharStorage": 1,
    "torch ByteStorage": 1,
    "torch BoolStorage": 1,
    "torch ComplexFloatStorage": 8,
    "torch ComplexDoubleStorage": 16,
}
_FUNCTIONS = (
    "collections OrderedDict",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
)
_OPERATIONS = (
    *("PROTO", "STOP", "MARK", "GLOBAL", "REDUCE", "BUILD", "BINPERSID"),
    *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_LIST", "APPEND"),
    *("APPENDS", "EMPTY_DICT", "SETITEM", "SETITEMS", "NONE", "NEWFALSE", "NEWTRUE"),
    *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE"),
    *("BINGET", "LONG_BINGET", "BINPUT", "LONG_BINPUT"),
)
_PUTS = ("BINPUT", "LONG_BINPUT")
_GETS = ("BINGET", "LONG_BINGET")
# The operations that make the identifier of a storage, but for its length.
_IDENTIFIER = ["MARK", "BINUNICODE", "GLOBAL", "BINUNICODE", "BINUNICODE"]
_INTEGERS = ("BININT", "BININT1", "BININT2", "LONG1")


def require_safe_archive(path: Path) -> None:
    """Raise unless a file is an archive of `torch.save` that is safe to load.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Raises
    ------
    CheckpointError
        If the file cannot be read, is no such archive, is too large, claims more data
        than it has, or contains anything other than tensors and plain values.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _require_sizes(archive, path)
            pickled = _find_pickle(archive, path)
            prefix = pickled.filename.removesuffix("data.pkl")
            sizes = {
                entry.filename.removeprefix(f"{prefix}data/"): entry.file_size
                for entry in archive.infolist()
                if entry.filename.startswith(f"{prefix}data/")
            }
            _require_plain_pickle(archive.read(pickled), sizes, path)
    except OSError as error:
        raise CheckpointError(
            f"Cannot read the checkpoint {path}: {error.strerror or error}."
        ) from error
    except CheckpointError:
        raise
    # The parsers are not ours: a damaged or encrypted file raises errors of any type.
    except Exception as error:
        raise CheckpointError(
            f"{path.name} is not a checkpoint, or is incomplete: expected a "
            ".safetensors file, or a file written by torch.save. Copy it again or "
            "train a new one."
        ) from error


def _require_sizes(archive: zipfile.ZipFile, path: Path) -> None:
    entries = archive.infolist()
    size = sum(entry.file_size for entry in entries)
    if size > LARGEST_FILE:
        raise CheckpointError(
            f"{path.name} unpacks to {size / 2**20:.0f} MB; checkpoints of this "
            f"package have at most {LARGEST_FILE / 2**20:.0f} MB."
        )
    is_stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
    names = Counter(entry.filename for entry in entries)
    if not is_stored or size > path.stat().st_size or len(names) < len(entries):
        raise unusable_error(
            path.name, "it is compressed or repeats data, unlike files of torch.save"
        )


def _find_pickle(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    found = [e for e in archive.infolist() if e.filename.endswith("/data.pkl")]
    if len(found) != 1:
        raise unusable_error(path.name, "it is not written by torch.save")
    if found[0].file_size > _LARGEST_PICKLE:
        raise unusable_error(path.name, "it has too much text")
    return found[0]


def _require_plain_pickle(pickled: bytes, sizes: dict[str, int], path: Path) -> None:
    """Check each operation, and that each storage has the data that it claims."""
    operations = list(islice(_resolved(pickled), _MOST_OPERATIONS + 1))
    if len(operations) > _MOST_OPERATIONS:
        raise unusable_error(path.name, "it has too many values")
    n_storages = 0
    for index, (name, value) in enumerate(operations):
        is_storage = name == "GLOBAL" and value in _STORAGES
        is_function = name == "GLOBAL" and value in _FUNCTIONS
        if name not in _OPERATIONS or (
            name == "GLOBAL" and not is_storage | is_function
        ):
            raise unsafe_error(path.name)
        if is_storage:
            n_storages += 1
            _require_storage(operations[max(index - 2, 0) : index + 6], sizes, path)
    if n_storages != sum(name == "BINPERSID" for name, _ in operations):
        raise unsafe_error(path.name)


def _require_storage(
    operations: Sequence[tuple[str, Any]], sizes: dict[str, int], path: Path
) -> None:
    """Check the operations around the type of a storage, which make its identifier.

    Elsewhere, the type would be a function that allocates memory.
    """
    names = [name for name, _ in operations]
    values = [value for _, value in operations]
    if (
        names[:5] != _IDENTIFIER
        or values[1] != "storage"
        or names[5] not in _INTEGERS
        or names[6:] != ["TUPLE", "BINPERSID"]
    ):
        raise unsafe_error(path.name)
    if sizes.get(values[3]) != values[5] * _STORAGES[values[2]]:
        raise unusable_error(path.name, "it does not have all data of its tensors")


def _resolved(pickled: bytes) -> Iterator[tuple[str, Any]]:
    """Yield the name and value of each operation; those in the memo as they were put.

    What was put by operations without a value is None.
    """
    memo: dict[Any, tuple[str, Any]] = {}
    last: tuple[str, Any] = ("", None)
    for operation, value, _ in pickletools.genops(pickled):
        name = operation.name
        if name in _PUTS:
            memo[value] = last
            continue
        last = (name, value)
        if name in _GETS:
            stored, known = memo.get(value, ("", None))
            last = (stored, known) if stored in ("GLOBAL", "BINUNICODE") else last
        yield last
