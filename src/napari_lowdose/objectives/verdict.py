"""How well a way of training suits the data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NOT_TOLD = "whether neighbouring pixels share noise could not be told"


class Fit(StrEnum):
    """How well a way of training suits the data."""

    SUITS = "suits"  # its conditions hold
    CAREFUL = "careful"  # they hold in part, or nobody knows
    AVOID = "avoid"  # it would learn the noise, or something false


@dataclass(frozen=True)
class Verdict:
    """Whether to train that way, and why, in one sentence."""

    fit: Fit
    reason: str
