"""Numbers by chance, as specimens and data sets vary."""

from __future__ import annotations

import numpy as np


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose order of magnitude is evenly spread."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
