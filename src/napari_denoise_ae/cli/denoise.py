"""The subcommand ``denoise``."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import contextmanager, nullcontext
from dataclasses import fields
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..files.steps import FileOutcome, FileRemark
from ..io.location import shown
from .arguments import INTERRUPTED, SOME_FAILED, require_names
from .denoise_options import add_arguments
from .messages import show_warning
from .streams import is_standard_output, silent_output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ..denoising.options import DenoiseOptions
    from ..files.job import FileJob
    from ..files.run_record import RunRecord


def _denoise(arguments: argparse.Namespace) -> None:
    require_names(
        models=[arguments.model], noise=arguments.add_noise, device=arguments.device
    )
    if arguments.seed < 0:
        raise InvalidInputError(
            f"seed must be an integer of at least 0, got {arguments.seed}."
        )
    from ..files.find import is_batch
    from ..io.source import is_zarr

    if arguments.recursive and not is_batch(arguments.input):
        raise InvalidInputError(
            "--recursive has no effect without a folder among the inputs. Omit it."
        )
    job = _job(arguments)
    try:
        with _recording(arguments, job) as record:
            if is_batch(arguments.input):
                _denoise_batch(arguments, job, record)
            else:
                _denoise_file(arguments, job, record)
    except KeyboardInterrupt:
        if not (is_zarr(job.output) or is_batch(arguments.input)):
            raise
        print(
            "interrupted: finished results are kept, and the same command resumes the "
            "run",
            file=sys.stderr,
        )
        raise SystemExit(INTERRUPTED) from None


@contextmanager
def _recording(arguments: argparse.Namespace, job: FileJob) -> Iterator[RunRecord]:
    """Write the record of a run, also if the run ends early."""
    from ..files.run_record import RunRecord, require_record

    path: Path | None = arguments.json
    is_printed = is_standard_output(path)
    if path is not None and not is_printed:
        require_record(path, job)
    record = RunRecord()
    try:
        with silent_output() if is_printed else nullcontext():
            yield record
    finally:
        if is_printed and len(record):
            arguments.standard_output.write(record.text())
        elif path is not None and len(record):
            record.write(path)


def _job(arguments: argparse.Namespace) -> FileJob:
    from ..files.find import is_batch
    from ..files.job import FileJob
    from ..files.naming import result_name
    from ..io.find import is_folder

    output = arguments.output
    if is_folder(output) and not is_batch(arguments.input):
        output /= result_name(arguments.input[0])
    return FileJob(
        input=arguments.input[0],
        output=output,
        model=arguments.model,
        add_noise=arguments.add_noise,
        seed=arguments.seed,
        reference=arguments.reference,
        figure=arguments.figure,
        reports=tuple(arguments.report),
        options=_options(arguments),
        series=arguments.series,
        select=_selections(arguments.select),
        compression=arguments.compression,
        overwrite=arguments.overwrite,
        scheduler=arguments.scheduler,
    )


def _selections(
    parts: Sequence[tuple[str, tuple[int, int]]],
) -> dict[str, tuple[int, int]]:
    """Return the first index and the one after the last, by axis."""
    for axis, times in Counter(axis for axis, _ in parts).items():
        if times > 1:
            raise InvalidInputError(
                f"The axis {axis} is selected from twice. Give one --select for each "
                "axis."
            )
    return dict(parts)


def _denoise_file(
    arguments: argparse.Namespace, job: FileJob, record: RunRecord
) -> None:
    from ..files.route import FileDenoising
    from .progress import show_progress

    run = FileDenoising(job)
    for step in show_progress(run, visible=not arguments.quiet):
        record.add(step)
        if isinstance(step, FileRemark):
            show_warning(step.text)
    record.add(FileOutcome(job.input, "done", result=run.as_record()))
    for line in run.result.lines():
        print(line)
    for report in run.trust:
        print(f"trust      {'. '.join([report.light, *report.reasons])}")
    for path in job.reports:
        print(f"report     {path}")


def _denoise_batch(
    arguments: argparse.Namespace, job: FileJob, record: RunRecord
) -> None:
    """Denoise files into a folder; list the failed ones at the end."""
    from ..files.batch import denoise_files
    from ..files.find import find_files
    from .progress import show_progress

    outcomes = []
    inputs, recursive = arguments.input, arguments.recursive
    files = find_files(inputs, job.output, recursive=recursive)
    tree_of = inputs if recursive else ()
    steps = denoise_files(files, job.output, job, tree_of=tree_of)
    for step in show_progress(steps, visible=not arguments.quiet):
        record.add(step)
        if isinstance(step, FileRemark):
            show_warning(f"{shown(step.input)}: {step.text}")
        else:
            outcomes.append(step)
            print(f"{step.outcome:<10} {shown(step.input)}", flush=True)
    counts = Counter(step.outcome for step in outcomes)
    print(", ".join(f"{counts[name]} {name}" for name in ("done", "skipped", "failed")))
    for step in outcomes:
        if step.outcome == "failed":
            print(f"failed: {shown(step.input)}: {step.reason}", file=sys.stderr)
    if counts["failed"]:
        raise SystemExit(SOME_FAILED)


def _options(arguments: argparse.Namespace) -> DenoiseOptions:
    """Return the options; the arguments have the same names as the fields."""
    from ..denoising.options import DenoiseOptions

    names = [field.name for field in fields(DenoiseOptions)]
    return DenoiseOptions(**{name: getattr(arguments, name) for name in names})


def add_denoise(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``denoise``."""
    parser.set_defaults(command=_denoise)
    add_arguments(parser)
