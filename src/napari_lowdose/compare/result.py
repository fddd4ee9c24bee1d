"""What a method made of a stack, and how its scores are to be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from napari_lowdose.metrics import METRICS, Score
from napari_lowdose.stack import Stack

SCORES: Mapping[str, Score] = {
    **METRICS,
    "thinned_mse": Score(
        unit="counts²",
        higher_is_better=False,
        summary="Mean squared error without truth: each method denoises 80 % of the "
        "electrons and is compared with the others, whose own noise is taken off. It "
        "judges at 0.8 of the dose, and only Poisson counts; differences between "
        "methods are surer than the numbers.",
    ),
    "gain_db": Score(
        unit="dB",
        higher_is_better=True,
        summary="PSNR above that of the noisy stack; the range drops out.",
    ),
}
"""How every score of a table is to be read, `METRICS` included."""


@dataclass(frozen=True)
class Result:
    """What one method made of the noisy stack.

    Parameters
    ----------
    name
        ``noisy``, a baseline's name, a plane, or ``fused``.
    stack
        The estimate, float32 counts, in the noisy stack's place; None if it failed.
    scores
        By name, as in `SCORES`.
    seconds
        Time to denoise, without tuning and scoring. The planes are estimated together:
        each gets an equal share of the time, and fused the whole of it.
    settings
        What was tuned; empty for networks.
    criterion
        By what it was tuned, in one sentence.
    error
        Why there is no stack, in one sentence; empty when there is one.
    """

    name: str
    stack: Stack | None
    scores: dict[str, float]
    seconds: float
    settings: Mapping[str, float]
    criterion: str = ""
    error: str = ""
