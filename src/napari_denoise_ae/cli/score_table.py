"""Print scores as a table and write them to a file."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING

from ..errors import DenoiseAEWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..evaluation.run import Evaluation
    from ..evaluation.score import Score


def report_scores(evaluation: Evaluation) -> None:
    """Score the methods, and print each as soon as it is scored.

    Parameters
    ----------
    evaluation : Evaluation
        The evaluation to run.
    """
    print(f"device  {evaluation.device}")
    print(f"images  {evaluation.task.origin}")
    print(f"noise   {evaluation.task.noise}", flush=True)
    for message in evaluation.find_incompatibilities():
        warnings.warn(message, DenoiseAEWarning, stacklevel=2)
    width = max(24, 2 + max(map(len, evaluation.models)))
    print(
        f"{'method':<{width}}{'PSNR / dB':>16}{'SSIM':>18}{'parameters':>13}"
        f"{'ms / image':>12}"
    )
    for score in evaluation:
        print(_table_row(score, width), flush=True)


def report_checks(evaluation: Evaluation) -> None:
    """Print the trust reports of the first model beside the truth.

    Parameters
    ----------
    evaluation : Evaluation
        The evaluation. Nothing is printed if its images are too small.
    """
    from ..evaluation.trust.check import check_reports

    task, (model, *_) = evaluation.task, evaluation.models.values()
    inside = []
    for number, check in enumerate(check_reports(task.pairs, model, task.setting), 1):
        if number == 1:
            print("\ntrust reports, made without the clean images, beside the truth")
            print(f"{'image':>5}{'PSNR / dB':>12}{'reported':>18}   light")
        low_high = check.estimated
        reported = "not given"
        if low_high is not None:
            reported = f"{low_high[0]:.2f} to {low_high[1]:.2f}"
            inside.append(check.is_inside)
        print(f"{number:>5}{check.psnr:>12.2f}{reported:>18}   {check.report.light}")
    if inside:
        print(f"{sum(map(bool, inside))} of {len(inside)} ranges hold the truth")


def _table_row(score: Score, width: int) -> str:
    psnr = f"{score.psnr_mean:.2f} ± {score.psnr_std:.2f}"
    ssim = f"{score.ssim_mean:.3f} ± {score.ssim_std:.3f}"
    size = "" if score.n_parameters is None else f"{score.n_parameters:,}"
    milliseconds = f"{1000 * score.seconds_per_image:.2f}"
    name = score.method
    if score.parameter is not None:
        name += f" ({score.parameter:g})"
    return f"{name:<{width}}{psnr:>16}{ssim:>18}{size:>13}{milliseconds:>12}"


def as_json(scores: Sequence[Score]) -> str:
    """Return scores as a JSON document."""
    return json.dumps([score.as_record() for score in scores], indent=2) + "\n"
