"""Compare trust reports, which need no clean image, with the truth.

``python benchmarks/trust.py --images DIR ... --examples DIR`` denoises crops of clean
photographs to which noise is added, and measured photon counts, with the right
settings, at half and 2.5 times the strength, and with a model that does not fit. It
prints quantiles of the errors of the estimates, and how often each alarm is raised and
should be. Only images with odd numbers are used, counted from 0 in the order of their
names, unless ``--all`` is given. The limits were chosen on Set12 and the first six
images of McMaster18.
"""

from __future__ import annotations

import argparse
import math
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from trust_truth import SIDE, Trial, trials_of

from napari_denoise_ae.errors import DenoiseAEWarning
from napari_denoise_ae.evaluation.trust.report import DO_NOT_TRUST, FINE

if TYPE_CHECKING:
    from collections.abc import Callable

# An alarm for too much smoothing is due if the PSNR is so much below that of the right
# settings.
LOSS = 1.0


def print_ranges(trials: list[Trial]) -> None:
    """Print how often the range of the PSNR holds the truth, and its width."""
    groups: dict[str, Callable[[Trial], bool]] = {
        "right, all noises": lambda t: t.variant == "right",
        "  gaussian": lambda t: t.variant == "right" and t.noise[:2] == "ga",
        "  poisson, camera": lambda t: t.variant == "right" and t.noise[0] in "pc",
        "  8 bits, clipped": lambda t: t.variant == "right" and t.noise[0] == "8",
        "strength 0.5": lambda t: t.variant == "0.5",
        "strength 2.5": lambda t: t.variant == "2.5",
        "misfit": lambda t: t.variant == "misfit",
        "all": lambda t: t.variant != "given",
    }
    print("\nPSNR range, noise measured")
    print(
        f"{'':<24}{'given':>12}{'holds truth':>13}{'width':>9}{'90 %':>8}{'error':>8}"
    )
    for name, is_chosen in groups.items():
        chosen = [t for t in trials if is_chosen(t) and not t.noise.startswith("blur")]
        ranges = [(t, t.report.figures) for t in chosen]
        given = [(t, f) for t, f in ranges if "psnr_low" in f]
        if not given:
            continue
        inside = [f["psnr_low"] <= t.psnr <= f["psnr_high"] for t, f in given]
        widths = [f["psnr_high"] - f["psnr_low"] for _, f in given]
        errors = [abs(f["psnr"] - t.psnr) for t, f in given]
        print(
            f"{name:<24}{f'{len(given)} of {len(chosen)}':>12}{np.mean(inside):>13.1%}"
            f"{np.median(widths):>9.2f}{np.quantile(widths, 0.9):>8.2f}"
            f"{np.median(errors):>8.2f}"
        )


def print_given(trials: list[Trial]) -> None:
    """Print the error of the estimated PSNR if the level is known."""
    errors = [
        abs(t.report.figures["psnr"] - t.psnr)
        for t in trials
        if t.variant == "given" and "psnr" in t.report.figures
    ]
    print("\nPSNR, known sigma: |estimated - true| in dB")
    print_quantiles(errors, "{:.2f}")


def print_cutoffs(trials: list[Trial]) -> None:
    """Print the error of the 50 % frequency."""
    print("\n50 % frequency of the transfer, |estimated / true - 1|")
    for noise in ("gaussian 25", "gaussian 50", "poisson 10", "camera 20"):
        chosen = [t for t in trials if t.noise == noise and t.variant == "right"]
        pairs = [
            (float(t.report.figures["cutoff_cycles_per_pixel"]), t.cutoff)
            for t in chosen
            if "cutoff_cycles_per_pixel" in t.report.figures
        ]
        errors = [abs(found / true - 1) for found, true in pairs if true > 0]
        within = np.mean(np.array(errors) <= 0.2) if errors else math.nan
        print(
            f"{noise}: given for {len(pairs)} of {len(chosen)}, true one missing for "
            f"{len(pairs) - len(errors)}, within 20 % {within:.0%}"
        )
        print_quantiles(errors, "{:.1%}")


def print_ranks(trials: list[Trial]) -> None:
    """Print the rank correlation of the error map and the true error."""
    known = [t for t in trials if t.variant == "right" and not math.isnan(t.rank)]
    ranks = sorted(t.rank for t in known)
    print("\nerror map, rank correlation with the true error of 16 x 16 blocks")
    for trial in sorted(known, key=lambda t: t.rank)[:5]:
        print(f"  {trial.rank:.2f} {trial.noise}, image {trial.image}")
    print(
        f"n {len(ranks)}, lowest {ranks[0]:.2f}, 5 % {np.quantile(ranks, 0.05):.2f}, "
        f"median {np.median(ranks):.2f}"
    )


def print_alarms(trials: list[Trial]) -> None:
    """Print how often alarms are raised."""
    white = [t for t in trials if not t.noise.startswith("blurred")]
    right = {(t.image, t.noise, t.psnr) for t in white if t.variant == "right"}
    best = {(image, noise): psnr for image, noise, psnr in right}

    def loss(trial: Trial) -> float:
        return best[trial.image, trial.noise] - trial.psnr

    strong = [t for t in white if t.variant == "2.5" and loss(t) > LOSS]
    print("\nalarms: found, false")
    print(
        f"too much smoothing, losing more than {LOSS:g} dB: "
        f"{share(strong, 'smoothing')}, "
        f"{share([t for t in white if t.variant in ('right', '0.5')], 'smoothing')}"
    )
    weak = [t for t in white if t.variant == "0.5"]
    others = [t for t in white if t.variant in ("right", "2.5")]
    print(
        f"leftover noise, strength 0.5: {share(weak, 'leftover noise')}, "
        f"{share(others, 'leftover noise')}"
    )
    for noise in sorted({t.noise for t in trials if t.noise.startswith("blurred")}):
        chosen = [t for t in trials if t.noise == noise]
        print(f"correlated, {noise} px: {share(chosen, 'correlated')}")
    settled = [t for t in white if t.variant == "right"]
    print(f"correlated, white noise: {share(settled, 'correlated')}")
    for variant in ("right", "0.5", "2.5", "misfit"):
        lights = [t.report.light for t in white if t.variant == variant]
        counts = [f"{lights.count(light)} {light}" for light in sorted(set(lights))]
        print(f"lights, {variant}: {', '.join(counts)}")


def share(trials: list[Trial], name: str) -> str:
    """Return in how many trials an alarm is raised."""
    raised = [has_alarm(trial, name) for trial in trials]
    return f"{sum(raised)} of {len(raised)}"


def has_alarm(trial: Trial, name: str) -> bool:
    """Return whether a report has an alarm."""
    if name == "correlated":
        return any("share noise" in each for each in trial.report.reasons)
    (finding,) = (each for each in trial.report.findings if each.name == name)
    is_checked = not finding.sentence.startswith("Not checked")
    light = DO_NOT_TRUST if name == "smoothing" else FINE
    return is_checked and (finding.light == light) == (name == "smoothing")


def print_quantiles(values: list[float], style: str) -> None:
    """Print the median, two quantiles and the maximum of some values."""
    if values:
        found = (style.format(x) for x in np.quantile(values, (0.5, 0.9, 0.95, 1)))
        print(f"  n {len(values)}, 50 / 90 / 95 / 100 %: {' / '.join(found)}")


def main() -> None:
    """Parse the arguments and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, nargs="+", default=[], metavar="DIR")
    parser.add_argument("--examples", type=Path, metavar="DIR")
    parser.add_argument(
        "--limit", type=int, metavar="N", help="only the first N images of each folder"
    )
    parser.add_argument(
        "--all", action="store_true", help="include the images with even numbers"
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore", DenoiseAEWarning)
    start = time.process_time()
    trials = list(
        trials_of(
            options.images, options.examples, options.limit, include_all=options.all
        )
    )
    print(f"{len(trials)} reports on {SIDE} x {SIDE} pixels")
    for show in (print_ranges, print_given, print_cutoffs, print_ranks, print_alarms):
        show(trials)
    seconds = time.process_time() - start
    print(f"\n{seconds:.0f} CPU seconds")


if __name__ == "__main__":
    main()
