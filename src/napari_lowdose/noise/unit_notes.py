"""What a stack has that base models are not trained for, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from napari_lowdose.noise.measurement import Measured, NoiseMeasurement

TRAINED_DOSE = (0.3, 100.0)
"""Quanta per pixel and frame that base models are trained for."""

_LAGGED = 0.2  # correlation with the next frame that things that move do not make
_NOTABLE = 1e-3  # share of pixels or values


def untrained_for(
    measured: NoiseMeasurement | None,
    n_frames: int,
    *,
    faint: bool,
    shared: float,
    evened_pixels: bool,
) -> Iterator[str]:
    """Say what a base model was not trained for.

    Parameters
    ----------
    measured
        The noise of the stack; None where it could not be read.
    n_frames
        Of the stack.
    faint
        Whether there is next to no noise.
    shared
        Correlation of the noise with that of the next frame, see `shared_with_next`.
    evened_pixels
        Whether that of neighbouring pixels was made independent: little of it is left.
    """
    if faint:
        yield (
            "Almost no noise was found: the movie may have been denoised or simulated; "
            "base models are not trained for that."
        )
    if n_frames == 1:
        yield (
            "There is one frame only: the noise was read from neighbouring pixels, so "
            "fine texture counts as noise."
        )
    if measured is None:
        if not faint:
            yield "The stack tells little of its noise: the level is a rough guess."
        return
    if n_frames > 1 and not measured.alike:
        yield (
            "Neighbouring frames have nothing in common: the noise was read within "
            "each frame, so fine texture counts as noise."
        )
    if measured.gain_told and not faint:
        yield from _dose(measured.dose)
    if measured.correlated and not evened_pixels:
        yield (
            "Neighbouring pixels share noise, which base models are not trained for: "
            "expect residual blotches; bin the movie, or train on it."
        )
    # What moves may feign much, but then hardly in whole counts.
    lagging = frames_share_noise(measured) and not measured.counting
    if shared or lagging:
        much = f" (a correlation of {shared:.2g})" if shared else ""
        yield (
            f"Frames share noise with the next one{much}, which base models are not "
            "trained for: expect blotches that last, or train on the movie."
        )
    for share, what in (
        (measured.saturated, "values are saturated: what is brighter is lost"),
        (
            measured.clipped,
            "values are clipped at the lowest: dark places look brighter",
        ),
        (measured.defects, "pixels are hot, dead or stuck: they may stay as dots"),
    ):
        if share > _NOTABLE:
            yield f"{100 * share:.2g} % of the {what}."


def _dose(dose: Measured) -> Iterator[str]:
    """Say whether the dose is one that base models know."""
    low, high = TRAINED_DOSE
    if low <= dose.value <= high:
        return
    what = "bin frames or pixels" if dose.value < low else "expect little change"
    yield (
        f"The dose is about {dose.value:.2g} quanta per pixel and frame "
        f"({dose.low:.2g} to {dose.high:.2g}); base models are trained for {low:g} to "
        f"{high:g}: {what}."
    )


def frames_share_noise(measured: NoiseMeasurement) -> bool:
    """Tell whether frames share more noise with the next than motion may feign."""
    return len(measured.lags) > 1 and float(measured.lags[1]) > _LAGGED
