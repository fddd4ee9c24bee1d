"""Noise that rows or columns share."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.noise.stage import Stage

Deviation = Annotated[float, Ge(0), Le(1e6)]


class LineNoise(Stage):
    """Lines: rows and columns are brighter or darker as a whole."""

    row_std: Deviation = 0.5
    """Standard deviation of rows, new in each frame, in counts."""

    column_std: Deviation = 0.0
    """Standard deviation of columns, new in each frame, in counts."""

    stripe_std: Deviation = 0.0
    """Standard deviation of columns, the same in all frames, in counts."""

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> Float[ndarray, "t y x"]:
        """Add one number to each row, one to each column, and the fixed stripes."""
        frames, rows, columns = counts.shape
        stripes = rng.spawn(1)[0].normal(0, self.stripe_std, (1, 1, columns))
        lines = stripes + rng.normal(0, self.column_std, (frames, 1, columns))
        counts += rng.normal(0, self.row_std, (frames, rows, 1)).astype(counts.dtype)
        counts += lines.astype(counts.dtype)
        return counts
