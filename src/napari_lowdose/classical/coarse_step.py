"""Saying when a filter's number of levels is too small for a stack's range."""

from __future__ import annotations

import warnings


class CoarseStep(UserWarning):
    """A filter rounds more coarsely than the noise allows."""


def warn_if_coarse(method: str, step: float, allowed: float) -> None:
    """Warn when a filter cannot tell counts apart that the noise can.

    Parameters
    ----------
    method
        Who rounds.
    step, allowed
        Distance of two levels, and the largest that does no harm, both in counts.
    """
    if step > allowed:
        warnings.warn(
            f"{method} works in steps of {step:.3g} counts, but this stack's noise "
            f"asks for {allowed:.3g} or less: a few extreme values stretch the range; "
            "replace or clip them first",
            CoarseStep,
            stacklevel=3,
        )
