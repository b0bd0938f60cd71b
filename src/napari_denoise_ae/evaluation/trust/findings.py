"""Put what was measured of a denoised image into words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .report import DO_NOT_TRUST, FINE, LOOK_CLOSER, Finding
from .transfer import cutoff

if TYPE_CHECKING:
    from .facts import Facts
    from .report import TransferCurve

# Rounding that costs less is not worth a word.
_LEAST_LOSS = 0.2


def describe(
    facts: Facts, pixel_size: tuple[float, str] | None
) -> tuple[tuple[Finding, ...], TransferCurve | None]:
    """Describe the facts.

    Parameters
    ----------
    facts : Facts
        What was measured.
    pixel_size : tuple or None
        Size of a pixel and its unit.

    Returns
    -------
    findings : tuple of Finding
        The parts of the report.
    curve : TransferCurve or None
        The signal transfer, if it was measured.
    """
    curve = facts.transfer.curve() if facts.has_reruns else None
    if curve is not None and not curve.frequencies.size:
        curve = None
    findings = [
        _noise(facts),
        _resolution(facts, curve, pixel_size),
        _error(facts),
        _error_map(facts),
        _smoothing(facts),
        _leftover(facts),
        _structure(facts),
    ]
    return tuple(findings), curve


def _not_checked(name: str, facts: Facts) -> Finding:
    return Finding(
        name=name,
        sentence=f"Not checked: {facts.reason_unchecked}.",
        light=LOOK_CLOSER,
    )


def _noise(facts: Facts) -> Finding:
    noise, light, validity = facts.noise, FINE, ""
    sentence = str(noise)[0].upper() + str(noise)[1:] + "."
    figures: dict[str, float | str] = {"noise_kind": noise.kind}
    if noise.is_detected:
        x, y = facts.measured.correlation
        figures |= {
            "noise_level": facts.level,
            "noise_correlation_x": x,
            "noise_correlation_y": y,
        }
    else:
        light = LOOK_CLOSER
    if facts.is_correlated:
        light = LOOK_CLOSER
        sentence = f"Neighboring pixels share noise. {sentence}"
        validity = "The other figures hold only for independent pixels."
    elif facts.is_level_doubtful:
        light = LOOK_CLOSER
        sentence += (
            f" The noise measured in the image is another one ({facts.measured})."
        )
        validity = "The figures hold only if the given noise is right."
    elif facts.is_unchanged and noise.is_detected:
        light = DO_NOT_TRUST
        sentence += " Hardly any of it was removed: the result equals the image."
    return Finding(
        name="noise",
        sentence=sentence,
        light=light,
        validity=validity or "A given level is taken as it is."
        if facts.is_given
        else validity
        or "Fine texture all over the image is taken for noise, so that the level may "
        "be too high.",
        figures=figures,
    )


def _resolution(
    facts: Facts, curve: TransferCurve | None, pixel_size: tuple[float, str] | None
) -> Finding:
    if not facts.has_reruns:
        return _not_checked("resolution", facts)
    validity = (
        "Measured with 12 % more noise than the image has, and on its contents: other "
        "objects may be kept better or worse."
    )
    if curve is None:
        return Finding(
            name="resolution",
            sentence="Not checked: the noise hides the signal at all frequencies.",
            light=LOOK_CLOSER,
        )
    half = cutoff(curve)
    size, unit = pixel_size or (1.0, "pixels")
    figures: dict[str, float | str] = {
        "finest_checked_period": size / float(curve.frequencies[-1]),
        "period_unit": unit,
    }
    if math.isnan(half):
        return Finding(
            name="resolution",
            sentence="Details are kept as far as they can be checked: down to a period "
            f"of {size / float(curve.frequencies[-1]):.3g} {unit}. Finer ones are "
            "hidden by the noise.",
            validity=validity,
            figures=figures,
        )
    figures |= {"cutoff_period": size / half, "cutoff_cycles_per_pixel": half}
    return Finding(
        name="resolution",
        sentence=f"Details with a period below {size / half:.3g} {unit} are weakened "
        "to less than half (± 20 %).",
        validity=validity,
        figures=figures,
    )


def _error(facts: Facts) -> Finding:
    if not facts.has_reruns:
        return _not_checked("error", facts)
    estimate = facts.error()
    validity = (
        "Nine of ten ranges held the truth for photographs with noise that was "
        "measured. Fine texture that looks like noise is not noticed."
    )
    if not estimate.is_certain:
        return Finding(
            name="error",
            sentence="Uncertain: little of the error can be told from the noise, whose "
            "level is not known well enough.",
            light=LOOK_CLOSER,
            validity=validity,
        )
    low, high = facts.data_range
    width = high - low
    of_mse = [_psnr(width, mse) for mse in (estimate.high, estimate.mse, estimate.low)]
    figures: dict[str, float | str] = {
        "typical_error": math.sqrt(estimate.mse),
        "typical_error_low": math.sqrt(estimate.low),
        "typical_error_high": math.sqrt(estimate.high),
    }
    sentence = (
        f"The typical error of a pixel is {math.sqrt(estimate.low):.3g} to "
        f"{math.sqrt(estimate.high):.3g}"
    )
    if width > 0:
        names = ("psnr_low", "psnr", "psnr_high")
        figures |= dict(zip(names, of_mse, strict=True))
        figures |= {"data_range_low": low, "data_range_high": high}
        sentence += f"; PSNR {of_mse[0]:.1f} to {of_mse[2]:.1f} dB"
        source = "" if facts.is_range_given else ", from the result"
        sentence += f" for a data range of {low:.4g} to {high:.4g}{source}"
    loss = -10 * math.log10(max(1.0 - facts.rounding / estimate.mse, 0.1))
    light = FINE
    if loss > _LEAST_LOSS:
        light = LOOK_CLOSER
        figures["rounding_loss_db"] = loss
        sentence += (
            f". Rounding to whole numbers costs {loss:.1f} dB of it: use dtype float32"
        )
    return Finding(
        name="error",
        sentence=sentence + ".",
        light=light,
        validity=validity,
        figures=figures,
    )


def _psnr(width: float, mse: float) -> float:
    return 10 * math.log10(width**2 / mse) if width > 0 else math.nan


def _error_map(facts: Facts) -> Finding:
    left_out, n_left_out = "", len(facts.left_out)
    if n_left_out:
        left_out = (
            f" Left out of the checks: {n_left_out} of {facts.n_windows} parts of the "
            f"image ({facts.reasons_left_out})."
        )
    if facts.has_map:
        return Finding(
            name="error map",
            sentence="The map shows where the result is least certain, in blocks of "
            f"16 x 16 pixels.{left_out}",
            light=LOOK_CLOSER if left_out else FINE,
            validity="It ranks regions. Structure that was removed completely, or "
            "invented, is not in it.",
        )
    if facts.has_reruns:
        return Finding(
            name="error map",
            sentence=f"The error map is left out: {facts.map_obstacle}.{left_out}",
            light=LOOK_CLOSER,
        )
    return _not_checked("error map", facts)


def _smoothing(facts: Facts) -> Finding:
    if not facts.has_noise or math.isnan(facts.residuals.spread):
        return _not_checked("smoothing", facts)
    figures = {"removed_structure": facts.residuals.spread}
    if facts.is_over_smoothed and facts.has_few_photons:
        return Finding(
            name="smoothing",
            sentence="The removed part is not noise alone. With fewer than 2 photons "
            "per pixel this may be a bias in the dark, not too much smoothing.",
            light=LOOK_CLOSER,
            figures=figures,
        )
    if facts.is_over_smoothed:
        return Finding(
            name="smoothing",
            sentence="Too much was removed: the removed part has structure all over. "
            "Reduce the strength, or check the noise.",
            light=DO_NOT_TRUST,
            figures=figures,
        )
    return Finding(
        name="smoothing",
        sentence="No sign of too much smoothing.",
        validity="A loss of less than 1 dB may go unnoticed.",
        figures=figures,
    )


def _leftover(facts: Facts) -> Finding:
    if not facts.has_noise or not facts.n:
        return _not_checked("leftover noise", facts)
    figures: dict[str, float | str] = {}
    if facts.has_reruns:
        figures["removed_over_expected"] = facts.errors.excess
    if facts.has_leftover:
        return Finding(
            name="leftover noise",
            sentence="Noise was left that the model could have removed.",
            light=LOOK_CLOSER,
            figures=figures,
        )
    return Finding(
        name="leftover noise", sentence="No sign of leftover noise.", figures=figures
    )


def _structure(facts: Facts) -> Finding:
    if not facts.has_noise or math.isnan(facts.residuals.share_far):
        return _not_checked("structure", facts)
    share = facts.residuals.share_far
    figures: dict[str, float | str] = {"structure_share": share}
    if facts.has_reruns:
        figures["pattern"] = facts.pattern
    if facts.has_pattern:
        return Finding(
            name="structure",
            sentence="A repeating pattern, such as stripes or a grid, was removed with "
            "the noise. Look at the difference between the image and the result.",
            light=LOOK_CLOSER,
            figures=figures,
        )
    if facts.has_structure:
        return Finding(
            name="structure",
            sentence=f"Structure was removed with the noise in {share:.2%} of the "
            "pixels. The map shows where.",
            light=LOOK_CLOSER,
            figures=figures,
        )
    if not facts.has_reruns:
        return Finding(
            name="structure",
            sentence=f"No coarse structure was removed. Patterns were not checked: "
            f"{facts.reason_unchecked}.",
            light=LOOK_CLOSER,
            figures=figures,
        )
    return Finding(
        name="structure",
        sentence="No structure was found in what was removed.",
        validity="Structure that is weaker than the noise at its size is not noticed, "
        "nor is structure that the model invented.",
        figures=figures,
    )
