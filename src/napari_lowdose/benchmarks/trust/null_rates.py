"""How often noise passes the test of a spot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from napari_lowdose.particles import Ground, test_spots

LEVELS = (0.05, 0.01, 0.001)
_FRAME_PX = 256
_APART_PX = 16  # windows of 7.5 pixels do not overlap
_AT_ONCE = 16  # frames


def null_rates(
    background: float,
    n_trials: int,
    rng: np.random.Generator,
    ground: Ground | None = Ground.ANNULUS,
    *,
    levels: Sequence[float] = LEVELS,
    sigma_px: float = 1.5,
    dark: bool = False,
) -> dict[float, float]:
    """Count how often `napari_lowdose.particles.test_spots` takes noise for a spot.

    Spots are put on flat Poisson noise at places that do not depend on it, anywhere in
    a pixel and far enough from each other to be independent.

    Parameters
    ----------
    background
        Quanta per pixel.
    n_trials
        Spots. A rate `r` is then known to ``sqrt(r (1 - r) / n_trials)``.
    rng
        Where noise and places come from.
    ground
        What the test is told of the background; None for the truth.
    levels
        Chances below which noise passes, each nominally as often.
    sigma_px
        Size of the spots, in pixels, up to 1.5.
    dark
        Whether dark spots are looked for.

    Returns
    -------
    dict
        The rate at each level.

    References
    ----------
    Notes on algorithms, section 28.1 (table).
    """
    grid = np.arange(_APART_PX // 2, _FRAME_PX, _APART_PX)
    per_frame = len(grid) ** 2
    passed = np.zeros(len(levels))
    left = n_trials
    while left:
        n = min(left, _AT_ONCE * per_frame)
        n_frames = -(-n // per_frame)
        counts = rng.poisson(background, (n_frames, _FRAME_PX, _FRAME_PX))
        place = np.arange(n) % per_frame
        beside = rng.uniform(-0.5, 0.5, (2, n))
        spots = pd.DataFrame(
            {
                "frame": np.arange(n) // per_frame,
                "y": grid[place // len(grid)] + beside[0],
                "x": grid[place % len(grid)] + beside[1],
                "sigma": sigma_px,
                "response": -1.0 if dark else 1.0,
            }
        )
        known = np.full(counts.shape, background)
        tested = test_spots(counts, spots, ground=known if ground is None else ground)
        p = tested["p"].to_numpy()
        passed += [int(np.sum(p < level)) for level in levels]
        left -= n
    return dict(zip(levels, (passed / n_trials).tolist(), strict=True))
