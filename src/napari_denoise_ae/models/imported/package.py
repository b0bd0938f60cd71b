"""Open a bioimage.io package, a ZIP file or a folder, without running its code."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import CheckpointError
from ..builtin import CHECKPOINT_FORMAT, PACKAGE_DESCRIPTIONS
from ..checkpoint_file import parse_checkpoint
from ..description import FORMAT_VERSION
from ..plain_content import LARGEST_FILE
from ..torch_file import read_torch_file
from .description import package_interface
from .interface import import_error
from .onnx_content import read_graph

if TYPE_CHECKING:
    from ..checkpoint import Checkpoint
    from .interface import Interface

#: Entry of the configuration of packages of this package, with the training record.
CONFIG = "napari_denoise_ae"
#: Module and function that build the network of such packages.
ARCHITECTURE = ("napari_denoise_ae.models.export.graph", "build_exported")
_PREFIX = "network."
_LONGEST_DESCRIPTION = 2**20
# Values of a description, counted each time that an alias refers to them, and levels.
_MOST_VALUES, _MOST_LEVELS = 300_000, 32
_VERSIONS = ("0.4.", "0.5.")


def load_package(path: Path) -> Checkpoint | tuple[bytes, Interface]:
    """Open a package.

    Parameters
    ----------
    path : pathlib.Path
        The ZIP file, or the folder of an unpacked one.

    Returns
    -------
    Checkpoint or tuple
        For a package that `export_bioimageio` wrote, the model that it was made from.
        Else the content of its ONNX file, and how to call it.

    Raises
    ------
    CheckpointError
        If it is no package, has no ONNX weights, or cannot be used for denoising.
    """
    content = _description(path)
    try:
        return _load(path, content)
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise import_error(path.name, "its description is invalid") from error


def _load(path: Path, content: dict[str, Any]) -> Checkpoint | tuple[bytes, Interface]:
    weights = content["weights"]
    own = weights.get("pytorch_state_dict") or {}
    architecture = own.get("architecture")
    if isinstance(architecture, dict):
        found = architecture.get("import_from"), architecture.get("callable")
        if found == ARCHITECTURE:
            return _load_own(path, own, architecture["kwargs"], content)
    entry = weights.get("onnx")
    if not entry:
        raise import_error(
            path.name,
            f"its weights are {', '.join(map(str, weights))}, but only ONNX weights "
            "can be used. Convert them to ONNX",
        )
    data = _read_weights(path, entry)
    return data, package_interface(content, read_graph(data, path.name))


def _load_own(
    path: Path, entry: dict[str, Any], options: dict[str, Any], content: dict[str, Any]
) -> Checkpoint:
    """Return the model of a package that this package wrote."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"{path.stem}.pt")
        file.write_bytes(_read_weights(path, entry))
        state_dict = read_torch_file(file)
    record = (content.get("config") or {}).get(CONFIG) or {}
    checkpoint = {
        "format": CHECKPOINT_FORMAT,
        "format_version": FORMAT_VERSION,
        "network": options["network"],
        "network_options": options["options"],
        "state_dict": {
            str(key).removeprefix(_PREFIX): each for key, each in state_dict.items()
        },
        "record": json.loads(record["record"]) if "record" in record else None,
    }
    return parse_checkpoint(checkpoint, name=path.name)


def _description(path: Path) -> dict[str, Any]:
    import yaml

    data = None
    for name in PACKAGE_DESCRIPTIONS:
        data = _read(path, name, _LONGEST_DESCRIPTION)
        if data is not None:
            break
    if data is None:
        raise CheckpointError(
            f"{path.name} is not a bioimage.io package: it has no "
            f"{PACKAGE_DESCRIPTIONS[0]}."
        )
    try:
        content = yaml.safe_load(data)
    # The parser is not ours: with a damaged file, it raises errors of any type.
    except Exception as error:
        raise import_error(path.name, "its description is not valid YAML") from error
    _require_few_values(content, path)
    if not isinstance(content, dict) or content.get("type") != "model":
        raise import_error(path.name, "its description is not of the type model")
    version = str(content.get("format_version"))
    if not version.startswith(_VERSIONS):
        raise import_error(
            path.name,
            f"its specification has version {version}; only 0.4 and 0.5 are supported",
        )
    return content


def _require_few_values(content: Any, path: Path) -> None:
    """Raise if aliases make a description far longer or deeper than its file."""
    stack, n_values = [(content, 0)], 1
    while stack:
        value, level = stack.pop()
        if not isinstance(value, (dict, list, set, tuple)):
            continue
        n_values += len(value)
        if n_values > _MOST_VALUES or level > _MOST_LEVELS:
            raise import_error(
                path.name,
                "its description has too many values, or nests them too deeply",
            )
        inside = value.values() if isinstance(value, dict) else value
        stack += [(each, level + 1) for each in inside]


def _read_weights(path: Path, entry: dict[str, Any]) -> bytes:
    """Read weights, which must lie in the package and have their checksum."""
    source = entry["source"]
    if isinstance(source, dict):
        source = source["source"]
    name = str(source).removeprefix("./")
    data = _read(path, name, LARGEST_FILE)
    if data is None:
        raise import_error(
            path.name,
            f"it does not contain its weights, {name}. Download the whole package",
        )
    expected = entry.get("sha256")
    if expected and hashlib.sha256(data).hexdigest() != expected:
        raise import_error(
            path.name, f"{name} does not have the checksum in its description"
        )
    return data


def _read(path: Path, name: str, longest: int) -> bytes | None:
    """Read a file of a package; None if there is no such file."""
    try:
        if path.is_dir():
            return _read_from_folder(path, name, longest)
        with zipfile.ZipFile(path) as archive:
            if name not in archive.namelist():
                return None
            entry = archive.getinfo(name)
            _require_size(path, name, entry.file_size, longest)
            with archive.open(entry) as file:
                # Not more than it claims, whatever it unpacks to.
                return file.read(entry.file_size)
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(
            f"Cannot read the model {path}: {error.strerror or error}."
        ) from error
    # The parser is not ours: a damaged or encrypted file raises errors of any type.
    except Exception as error:
        raise import_error(
            path.name, "it is not a ZIP file, or is incomplete"
        ) from error


def _read_from_folder(path: Path, name: str, longest: int) -> bytes | None:
    folder, file = path.resolve(), (path / name).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        return None
    _require_size(path, name, file.stat().st_size, longest)
    return file.read_bytes()


def _require_size(path: Path, name: str, n_bytes: int, longest: int) -> None:
    if n_bytes > longest:
        raise import_error(
            path.name,
            f"{name} has {n_bytes / 2**20:.0f} MB; the limit is "
            f"{longest / 2**20:.0f} MB",
        )
