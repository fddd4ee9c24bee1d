"""How many particles a denoiser invents, beside what it shows in the movie itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Float64, Real
from numpy import ndarray
from scipy import sparse, spatial, stats

_SAME_PX = 3.0  # from frame to frame, of one fluctuation
_LEVEL = 0.95
_N_STEPS = 12  # of the curve


@dataclass(frozen=True)
class NullReport:
    """How many particles a denoiser shows where there are none.

    Parameters
    ----------
    n_frames
        Of one movie.
    n_movies
        Movies of pure noise.
    invented
        Spots in all of these, as `napari_lowdose.particles.detect` gives them, and in
        which `movie`.
    real
        Spots in the estimate of the real movie, found in the same way. The strength of
        both is their column n_std, or the response where there is none.
    notes
        Sentences on what the null movie lacks.
    """

    n_frames: int
    n_movies: int
    invented: pd.DataFrame
    real: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def invented_per_frame(self) -> float:
        """Spots per frame of pure noise."""
        return len(self.invented) / (self.n_frames * self.n_movies)

    @property
    def real_per_frame(self) -> float:
        """Spots per frame of the real movie."""
        return len(self.real) / self.n_frames

    @property
    def share(self) -> float:
        """Share of the real movie's spots that could be invented; 0 without spots."""
        if self.real.empty:
            return 0.0
        return min(self.invented_per_frame / self.real_per_frame, 1.0)

    @cached_property
    def separate(self) -> Float64[ndarray, " n"]:
        """Spots of each fluctuation: those in frames one after the other are one."""
        return _sizes(self.invented)

    @cached_property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the spots per frame of pure noise.

        It is Poisson's for fluctuations that are independent, each of which makes
        several spots: of `n` spots in groups of `s`, ``sum(s^2) / sum(s)`` count as
        one.

        References
        ----------
        F. Garwood, Biometrika 28, 437 (1936).
        """
        frames = self.n_frames * self.n_movies
        weight = float(np.sum(self.separate**2) / max(np.sum(self.separate), 1.0)) or 1
        low, high = poisson_interval(len(self.invented) / weight)
        return low * weight / frames, high * weight / frames

    @cached_property
    def false_discovery(self) -> Float64[ndarray, " n"]:
        """Share that could be invented of what is as strong as each real spot."""
        real, invented = _strength(self.real), _strength(self.invented)
        return false_discovery(real, invented, n_movies=self.n_movies)

    @property
    def curve(self) -> pd.DataFrame:
        """Both counts by threshold: strength, real and invented per frame, share."""
        real, invented = _strength(self.real), _strength(self.invented)
        every = np.concatenate([real, invented])
        if not len(every):
            return pd.DataFrame(columns=["strength", "real", "invented", "share"])
        steps = np.geomspace(every.min(), every.max(), _N_STEPS)
        seen = (real >= steps[:, None]).sum(axis=1) / self.n_frames
        made = (invented >= steps[:, None]).sum(axis=1)
        made = made / (self.n_frames * self.n_movies)
        share = np.where(made > 0, np.minimum(made / np.maximum(seen, 1e-300), 1), 0.0)
        return pd.DataFrame(
            {"strength": steps, "real": seen, "invented": made, "share": share}
        )

    @property
    def content(self) -> Mapping[str, object]:
        """Everything as plain numbers."""
        low, high = self.interval
        return {
            "frames": self.n_frames,
            "movies": self.n_movies,
            "invented": len(self.invented),
            "invented_separate": len(self.separate),
            "invented_per_frame": self.invented_per_frame,
            "invented_per_frame_95": [low, high],
            "real": len(self.real),
            "real_per_frame": self.real_per_frame,
            "share": self.share,
            "curve": self.curve.to_dict("records"),
            "notes": list(self.notes),
        }

    @property
    def in_words(self) -> tuple[str, ...]:
        """The result in full sentences."""
        return (*self._counts(), *self._share(), *self.notes)

    def _counts(self) -> Iterator[str]:
        low, high = self.interval
        frames = self.n_frames * self.n_movies
        of_noise = f"In {_many(frames, 'frame')} of pure noise the denoiser shows "
        if self.invented.empty:
            yield (
                f"{of_noise}no particle, so it invents fewer than {high:.2g} per frame "
                "(95 %)."
            )
        else:
            yield (
                f"{of_noise}{_many(len(self.invented), 'particle')} from "
                f"{_many(len(self.separate), 'separate fluctuation')}: "
                f"{self.invented_per_frame:.2g} per frame (95 %: {low:.2g} to "
                f"{high:.2g})."
            )

    def _share(self) -> Iterator[str]:
        if self.real.empty:
            yield "In the movie itself it shows none, at the same threshold."
            return
        seen = (
            f"In the movie itself it shows {self.real_per_frame:.3g} per frame, at the "
            "same threshold"
        )
        most = min(self.interval[1] / self.real_per_frame, 1.0)
        if self.invented.empty:
            yield f"{seen}: less than {_percent(most)} of these could be invented."
        else:
            yield (
                f"{seen}: {_percent(self.share)} of these could be invented, at most "
                f"{_percent(most)}; the strongest are the surest."
            )


def poisson_interval(number: float) -> tuple[float, float]:
    """Give the central 95 % interval of a Poisson mean from one count.

    Parameters
    ----------
    number
        The count; a fraction where several events count as one.

    References
    ----------
    F. Garwood, Biometrika 28, 437 (1936).
    """
    tail = (1 - _LEVEL) / 2
    low = stats.chi2.ppf(tail, 2 * number) / 2 if number else 0.0
    return float(low), float(stats.chi2.isf(tail, 2 * number + 2) / 2)


def false_discovery(
    real: Real[ndarray, " n"], invented: Real[ndarray, " m"], *, n_movies: int = 1
) -> Float64[ndarray, " n"]:
    """Estimate, for each real detection, the share of invented ones at its strength.

    Of the detections that are as strong or stronger, it is the number of invented ones
    over that of real ones; the least of that at any lower threshold, so that stronger
    ones are never less sure.

    Parameters
    ----------
    real
        Strength of each detection, such as its response or ``-log p``.
    invented
        That of those in pure noise.
    n_movies
        Movies of pure noise, each as large as the real one.

    References
    ----------
    J. D. Storey and R. Tibshirani, Proc. Natl. Acad. Sci. 100, 9440 (2003).
    """
    order = np.argsort(-real, kind="stable")
    falling = real[order]
    # How many are as strong, equal ones included.
    seen = np.searchsorted(-falling, -falling, side="right")
    made = len(invented) - np.searchsorted(np.sort(invented), falling, side="left")
    share = np.minimum(made / (n_movies * np.maximum(seen, 1)), 1.0)
    least = np.minimum.accumulate(share[::-1])[::-1]
    sure = np.empty(len(real))
    sure[order] = least
    return sure


def _strength(spots: pd.DataFrame) -> Float64[ndarray, " n"]:
    """Give what one threshold at all scales asks for."""
    values = spots["n_std" if "n_std" in spots else "response"]
    strength: ndarray = np.abs(values.to_numpy(np.float64))
    return strength


def _sizes(spots: pd.DataFrame) -> Float64[ndarray, " n"]:
    """Count the spots of each fluctuation that lasts from frame to frame."""
    if spots.empty:
        return np.empty(0)
    movie, frame, y, x = (
        spots[name].to_numpy(float) for name in ("movie", "frame", "y", "x")
    )
    # Frames one apart are neighbours, as pixels up to three apart; movies never are.
    places = np.column_stack([frame * _SAME_PX, y, x, movie * 4 * _SAME_PX])
    tree = spatial.cKDTree(places / _SAME_PX)
    pairs = tree.query_pairs(1.0 + 1e-9, p=np.inf, output_type="ndarray")
    links = sparse.coo_array(
        (np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (len(spots),) * 2
    )
    _, group = sparse.csgraph.connected_components(links, directed=False)
    return np.bincount(group).astype(np.float64)


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _percent(share: float) -> str:
    return f"{float(f'{100 * share:.2g}'):g} %"
