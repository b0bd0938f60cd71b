"""The file ``NAME.run.toml``, from which a training run can be repeated."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from .._version import __version__
from ..errors import InvalidInputError
from ..models.builtin import DEFAULT_MODEL, builtin_models
from ..models.presets import DATA_KINDS, preset_config
from .job import TrainingJob
from .run_files import RunFiles, default_checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..models.checkpoint import Checkpoint
    from ..models.config import TrainingConfig

#: The names of the images in a file, of which it has one.
IMAGE_KEYS = ("data", *DATA_KINDS)
# Kinds of images to which the noise of the settings is added.
_CLEAN = ("data", "images")
# What belongs to the images, and is replaced with them.
_ABOUT_IMAGES = (*IMAGE_KEYS, "axes", "channel")
#: Stands for images and models that have no path.
IN_MEMORY = "<in memory>"
_TEXTS = ("axes", "start_from", "preset", "device")


def run_config_text(job: TrainingJob, config: TrainingConfig) -> str:
    """Return the contents of the file that repeats a run.

    Parameters
    ----------
    job : TrainingJob
        The run. Its images and its model to start from are named by absolute paths;
        those in memory have none, but keep the names that a mapping gives them. For
        a run that is resumed, the file that it has supplies what the job leaves out.
    config : TrainingConfig
        All settings of the run.

    Returns
    -------
    str
        TOML: the images with their axes and channel, `start_from`, `preset`, and
        `device` as far as they were given, and the table `settings`.
    """
    settings = config.as_dict()
    # The images and the model to start from determine it if it was not given.
    del settings["preset"]
    content = {
        job.kind: _as_paths(getattr(job, job.kind)),
        "axes": job.axes,
        "channel": job.channel,
        "start_from": None if job.start_from is None else _as_model(job.start_from),
        "preset": job.preset,
        "device": None if job.device == "auto" else job.device,
        "settings": settings,
    }
    known = {name: value for name, value in content.items() if value is not None}
    if job.resume:
        # Without a usable file, the job is all that is known.
        with suppress(InvalidInputError):
            known = read_run_config(job.files.run_config) | known
    name = job.files.run_config.name
    return (
        f"# Repeats a training run of napari-denoise-ae {__version__}:\n"
        f"# napari-denoise-ae train --config {name} --output NEW.pt\n\n"
        f"{tomli_w.dumps(known)}"
    )


def make_job(
    config: str | Path | None, given: Mapping[str, Any], **flags: Any
) -> TrainingJob:
    """Make a job from the arguments of a user and, optionally, a run to repeat.

    Parameters
    ----------
    config : path, optional
        A file ``NAME.run.toml``. Relative paths in it start from its folder. If a run
        is resumed without images, None means its own file.
    given : mapping
        Arguments of `TrainingJob`; None means not given. They override those of the
        file. Other images also replace what the file says about its own.
    **flags
        Arguments of `TrainingJob` that no file contains.

    Returns
    -------
    TrainingJob
        The job. Its output is `default_checkpoint`, or ``NAME.pt`` or
        ``NAME.safetensors`` beside the file, unless it is given.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, a key is unknown, a value is invalid, something
        that was in memory is not given, or noise is given for images that have noise.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    arguments = {"output": default_checkpoint(_preset(chosen))} | chosen
    if config is None and flags.get("resume") and not chosen.keys() & set(IMAGE_KEYS):
        saved = RunFiles(Path(arguments["output"])).run_config
        config = saved if saved.is_file() else None
    if config is not None:
        arguments = _merge(Path(config), chosen)
    job = TrainingJob(**arguments, **flags)
    if "noise" in chosen.get("settings", {}) and job.kind not in _CLEAN:
        raise InvalidInputError(
            f"noise is added to clean images (data, images); that of {job.kind} is "
            "measured. Leave it out."
        )
    return job


def _preset(arguments: Mapping[str, Any]) -> str | None:
    """Return the preset, None if it depends on the user's own images."""
    preset: str | None = arguments.get("preset")
    return "conv" if preset is None and "data" in arguments else preset


def _merge(file: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a file, overridden by those given."""
    content = read_run_config(file)
    if given.get("preset", content.get("preset")) != content.get("preset"):
        raise InvalidInputError(
            f"{file} contains all settings, so a preset would have no effect. Omit the "
            "preset, or use it without the file."
        )
    if any(name in given for name in IMAGE_KEYS):
        for name in _ABOUT_IMAGES:
            content.pop(name, None)
    name = file.name.removesuffix(".toml").removesuffix(".run")
    settings = content.get("settings", {}) | dict(given.get("settings", {}))
    preset = _preset(content | given)
    output = {"output": default_checkpoint(preset, file.parent, name)}
    arguments = output | content | given | {"settings": settings}
    for key in (*IMAGE_KEYS, "start_from"):
        if key not in given and IN_MEMORY in _leaves(arguments.get(key)):
            raise InvalidInputError(
                f"{file} cannot name {key}, which was in memory. Pass {key} together "
                "with the file."
            )
    return arguments


def _as_paths(images: Any) -> Any:
    """Return absolute paths, in the given structure."""
    if isinstance(images, (str, os.PathLike)):
        return str(Path(images).absolute())
    if isinstance(images, Mapping):
        return {str(name): _as_paths(image) for name, image in images.items()}
    if not isinstance(images, (list, tuple)):
        return IN_MEMORY
    paths = [_as_paths(image) for image in images]
    return IN_MEMORY if IN_MEMORY in paths else paths


def _as_model(model: str | Path | Checkpoint) -> str:
    """Return the name of a built-in model, or the absolute path of a checkpoint."""
    if str(model) in _model_names():
        return str(model)
    return str(_as_paths(model))


def _model_names() -> list[str]:
    return [DEFAULT_MODEL, *builtin_models()]


def _leaves(value: Any) -> Iterator[Any]:
    """Yield what lists and tables contain, or a value that is neither."""
    if not isinstance(value, (list, dict)):
        yield value
        return
    for each in value.values() if isinstance(value, dict) else value:
        yield from _leaves(each)


def read_run_config(path: Path) -> dict[str, Any]:
    """Read and check a file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    dict
        Its contents, see `run_config_text`. Paths are absolute; `IN_MEMORY` stands
        for images and a model that have none.

    Raises
    ------
    InvalidInputError
        If it cannot be read, a key is unknown, or a value is invalid.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidInputError(f"Cannot read {path}: {error.strerror}.") from error
    # Text that is not UTF-8 raises a ValueError, too.
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"{path} is not valid TOML: {error}.") from error
    known = (*_ABOUT_IMAGES, "start_from", "preset", "device", "settings")
    unknown = sorted(content.keys() - set(known))
    if unknown:
        raise InvalidInputError(
            f"{path}: unknown key {', '.join(unknown)}. Known keys: {', '.join(known)}."
        )
    _require_types(content, path)
    if "preset" in content.get("settings", {}):
        raise InvalidInputError(f"{path}: preset must stand outside settings.")
    try:
        preset_config(content.get("preset", "conv"), **content.get("settings", {}))
    except InvalidInputError as error:
        raise InvalidInputError(f"{path}: {error}") from error
    for name in (*IMAGE_KEYS, "start_from"):
        is_model = name == "start_from" and content.get(name) in _model_names()
        if name in content and not is_model:
            content[name] = _beside(path, content[name])
    return content


def _require_types(content: dict[str, Any], path: Path) -> None:
    for name, value in content.items():
        if name == "channel":
            usable = isinstance(value, int) and not isinstance(value, bool)
            expected = "an integer"
        elif name == "settings":
            usable, expected = isinstance(value, dict), "a table"
        elif name in _TEXTS:
            usable, expected = isinstance(value, str), "a string"
        else:
            usable, expected = _is_paths(value), "a path or a list of paths"
        if not usable:
            raise InvalidInputError(
                f"{path}: {name} must be {expected}, got {value!r}."
            )


def _is_paths(value: Any) -> bool:
    return all(isinstance(each, str) for each in _leaves(value))


def _beside(path: Path, names: Any) -> Any:
    """Return absolute paths, starting from the folder of a file."""
    if isinstance(names, str):
        return names if names == IN_MEMORY else str(path.absolute().parent / names)
    if isinstance(names, dict):
        return {name: _beside(path, each) for name, each in names.items()}
    return [_beside(path, name) for name in names]
