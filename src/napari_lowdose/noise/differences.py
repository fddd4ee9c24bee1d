"""The noise set free of the specimen: what a frame has and its neighbours have not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

_MOST_PIXELS = 2**18  # of a frame that are looked at
_MOST_FRAMES = 60
_WINDOW_PX = 128
_FEW_PAIRS = 5
# Pixels of unlike scenes know their neighbours; noise shares less with them than that.
_CLEAR = 0.8
_IN_COMMON = 0.2
_LOPSIDED = 0.25  # of quantiles; blurred shot noise above 0.1 quanta has 0.1 at most
_BLUR_PX = 2.0

_TRIPLE = np.array([-0.5, 1, -0.5])
_PAIR = np.array([-1, 1]) / np.sqrt(2)
_SECOND = np.outer([1, -2, 1], [1, -2, 1]) / 6  # along y and x
_RING = np.ones((5, 5), np.float32)
_RING[1:4, 1:4] = 0
_NEAR = np.ones((5, 5), np.float32)
_NEAR[2, 2] = 0


@dataclass(frozen=True)
class Difference:
    """One frame's noise, and what is known of the same pixels without it.

    Parameters
    ----------
    noise
        A weighted sum of frames (pixels, for a single frame) whose weights add up to
        zero, in counts.
    mean
        The average of the same values, in counts.
    guide
        Brightness seen in other frames or pixels, smoothed: independent of the noise.
    change
        By how much the brightness changed meanwhile, seen in those other frames.
    again
        Noise of the same pixels a little earlier or later, in other frames.
    """

    noise: Float[ndarray, "y x"]
    mean: Float[ndarray, "y x"]
    guide: Float[ndarray, "y x"]
    change: Float[ndarray, "y x"] | None = None
    again: Float[ndarray, "y x"] | None = None


@dataclass(frozen=True)
class Differences:
    """Differences of a stack, frame by frame, read when asked for.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x).
    pivot
        Counts taken off all values, so that single precision is enough.
    blur_px
        Standard deviation of the Gaussian that smooths the guide.
    alike
        Whether neighbouring frames show the same scene.
    """

    stack: Real[ndarray, "t y x"]
    pivot: float = 0.0
    blur_px: float = 1.5
    alike: bool = True

    @property
    def n_frames(self) -> int:
        """How many frames can be compared."""
        return len(self.stack) if self.alike else 1

    @property
    def shares(self) -> tuple[float, float, float]:
        """Give the 2nd, 3rd and 4th cumulant of `noise` over that of single pixels."""
        return cumulant_shares({1: _SECOND, 2: _PAIR}.get(self.n_frames, _TRIPLE))

    def frames(self, most: int = _MOST_FRAMES) -> list[int]:
        """Choose the middle frames of at most so many differences, evenly spread."""
        if not self.alike:
            last = len(self.stack) - 1
            return sorted({int(t) for t in np.linspace(0, last, most)})
        if self.n_frames < 3:
            return [0]
        reach = 2 if self.n_frames >= 5 else 1
        usable = np.arange(reach, self.n_frames - reach)
        return sorted({int(t) for t in np.linspace(usable[0], usable[-1], most)})

    def read(self, most: int = _MOST_FRAMES) -> Iterator[Difference]:
        """Go through the differences."""
        frame = lru_cache(maxsize=8)(self._frame)
        for t in self.frames(most):
            if self.n_frames == 1:
                yield self._within(frame(t))
            elif self.n_frames < 5:
                near = [frame(s) for s in range(max(t - 1, 0), t + 2)]
                yield self._between(near)
            else:
                near = [frame(s) for s in (t - 1, t, t + 1)]
                # Two frames on either side tell more of dim specimens than one.
                before = _mean(frame(s) for s in (t - 2, t - 3) if s >= 0)
                after = _mean(frame(s) for s in (t + 2, t + 3) if s < self.n_frames)
                between = self._between(near, self._smooth(before), self._smooth(after))
                other = t + 3 if t + 4 < self.n_frames else t - 3
                if other > 0:
                    again = _triple(*(frame(s) for s in range(other - 1, other + 2)))
                    between = replace(between, again=again)
                yield between

    def _frame(self, t: int) -> Float[ndarray, "y x"]:
        counts = spread_windows(self.stack[t])
        if counts.dtype.itemsize > 2 and counts.dtype != np.float32:
            # Single precision holds the noise on a large offset only without that.
            return (counts.astype(np.float64) - self.pivot).astype(np.float32)
        return counts.astype(np.float32) - np.float32(self.pivot)

    def apart(self, t: int, gap: int) -> Float[ndarray, "y x"] | None:
        """Take one frame near `t` from another, so many frames apart, if there are."""
        first = t - gap // 2
        if first < 0 or first + gap >= len(self.stack):
            return None
        noise: ndarray = self._frame(first + gap) - self._frame(first)
        return noise / np.float32(np.sqrt(2))

    def _between(
        self,
        near: list[Float[ndarray, "y x"]],
        before: Float[ndarray, "y x"] | None = None,
        after: Float[ndarray, "y x"] | None = None,
    ) -> Difference:
        """Take the noise from neighbouring frames."""
        if len(near) == 2:
            noise, mean = (near[1] - near[0]) / np.sqrt(2), (near[0] + near[1]) / 2
        else:
            noise = _triple(*near)
            mean = (near[1] + (near[0] + near[2]) / 4) / 1.5
        if before is None or after is None:
            # Neighbouring pixels, where there is no other frame.
            return Difference(noise, mean, _around(_mean(near), _NEAR))
        guide = (before + after) / 2
        return Difference(steadied(noise, guide), mean, guide, after - before)

    def _within(self, frame: Float[ndarray, "y x"]) -> Difference:
        """Take the noise from neighbouring pixels."""
        noise = cv2.filter2D(frame, -1, _SECOND)
        mean = cv2.filter2D(frame, -1, _SECOND**2)
        return Difference(noise, mean, _around(frame, _RING))

    def _smooth(self, frame: Float[ndarray, "y x"]) -> Float[ndarray, "y x"]:
        return cv2.GaussianBlur(frame, (0, 0), self.blur_px)


def show_the_same(stack: Real[ndarray, "t y x"]) -> bool:
    """Tell whether neighbouring frames have in common what each shows clearly.

    A frame shows clearly what pixels share with their neighbours, and things that stay
    on a ground when the noise is smoothed away.
    """
    shared, clear = [], True
    smoothed, lopsided = [], []
    for t in sorted({int(t) for t in np.linspace(0, len(stack) - 2, _FEW_PAIRS)}):
        one, other = (spread_windows(f).astype(np.float64) for f in stack[t : t + 2])
        one, other = one - one.mean(), other - other.mean()
        beside = np.mean(one[:, 1:] * one[:, :-1])
        clear = clear and bool(beside >= _CLEAR * one.var() and beside > 0)
        if clear:
            shared.append(np.mean(one * other) / beside)
        one, other = (cv2.GaussianBlur(f, (0, 0), _BLUR_PX) for f in (one, other))
        power = one.std() * other.std()
        smoothed.append(np.mean(one * other) / power if power > 0 else 1.0)
        lopsided.append(_lopsidedness(one))
    if clear and float(np.median(shared)) <= _IN_COMMON:
        return False
    stands_out = abs(float(np.median(lopsided))) > _LOPSIDED
    return not stands_out or float(np.median(smoothed)) > _IN_COMMON


def _lopsidedness(frame: Float[ndarray, "y x"]) -> float:
    """Compare the bright and the dark side of a frame: from -1 to 1, 0 for noise."""
    low, middle, high = np.quantile(frame, (0.03, 0.5, 0.97))
    return float((high + low - 2 * middle) / (high - low)) if high > low else 0.0


def cumulant_shares(kernel: Float[ndarray, "..."]) -> tuple[float, float, float]:
    """Tell what weighted sums make of the cumulants of independent noise.

    Variances add up with the weights squared, third cumulants with their cubes, fourth
    ones with their fourth powers. A Laplacian of 1 and eight times -1/8, for one, has
    1.125 times the noise's variance.
    """
    second, third, fourth = (float(np.sum(kernel**power)) for power in (2, 3, 4))
    return second, third, fourth


def spread_windows(frame: Real[ndarray, "y x"]) -> Real[ndarray, "h w"]:
    """Cut windows from all over a large frame, one below the other; keep a small one.

    Every 128th row has a neighbour that it had not before: too few to matter.
    """
    if frame.size <= _MOST_PIXELS:
        return frame
    height, width = (min(_WINDOW_PX, n) for n in frame.shape)
    n_windows = max(_MOST_PIXELS // (height * width), 1)
    places = np.linspace(0, 1, n_windows)
    # The golden ratio spreads the columns evenly for any number of windows.
    tops = np.rint(places * (frame.shape[0] - height)).astype(int)
    lefts = np.rint(np.arange(n_windows) * 0.618034 % 1 * (frame.shape[1] - width))
    return np.concatenate(
        [
            frame[top : top + height, left : left + width]
            for top, left in zip(tops, lefts.astype(int), strict=True)
        ]
    )


def _triple(
    before: Float[ndarray, "y x"],
    frame: Float[ndarray, "y x"],
    after: Float[ndarray, "y x"],
) -> Float[ndarray, "y x"]:
    """Take the mean of its neighbours off a frame; steady change cancels too."""
    noise: ndarray = frame - (before + after) / 2
    return noise


def steadied(
    noise: Float[ndarray, "y x"], guide: Float[ndarray, "y x"]
) -> Float[ndarray, "y x"]:
    """Take off what flicker does: the whole frame brighter, or by a factor."""
    contrast = guide - guide.mean()
    power = float(np.vdot(contrast, contrast))
    factor = float(np.vdot(contrast, noise)) / power if power else 0.0
    steady: ndarray = noise - noise.mean() - contrast * np.float32(factor)
    return steady


def _mean(frames: Iterable[Float[ndarray, "y x"]]) -> Float[ndarray, "y x"]:
    first, *others = frames
    for other in others:
        first = first + other
    mean: ndarray = first / np.float32(1 + len(others))
    return mean


def _around(
    frame: Float[ndarray, "y x"], kernel: Float[ndarray, "k k"]
) -> Float[ndarray, "y x"]:
    around: ndarray = cv2.filter2D(frame, -1, kernel / kernel.sum())
    return around
