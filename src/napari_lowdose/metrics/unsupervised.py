"""The error of an estimate without truth, from noise that it has not seen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64, Real
from numpy import ndarray

from napari_lowdose.metrics.blocks import block_bootstrap, decibels, movie_sums, ratio
from napari_lowdose.metrics.metric import Score, Scored


class UnseenError:
    """The squared error against the unknown truth, as sums over tiles.

    Parameters
    ----------
    sums
        Of the squared error and of the number of voxels, for each tile.
    """

    def __init__(self, sums: Float64[ndarray, "tile 2"]) -> None:
        self.sums = sums

    def mse(self, rng: np.random.Generator) -> Scored:
        """Average it; where it is near zero, the mean may be slightly negative."""
        return block_bootstrap(self.sums, ratio, rng)

    def psnr(self, peak: float, rng: np.random.Generator) -> Scored:
        """Compare it with a peak, in decibels; NaN where the mean is not positive.

        The logarithm of an uncertain number is biased: by 4.3 dB times the square of
        the mean's relative standard error.
        """
        return block_bootstrap(self.sums, decibels(peak), rng)

    def above(self, other: UnseenError, rng: np.random.Generator) -> Scored:
        """Take another estimate's mean off; what chance does to both drops out.

        Both are to be judged by the same held-out counts, whose noise is most of the
        standard error of each.

        Raises
        ------
        ValueError
            If the tiles are not the same.
        """
        if self.sums.shape != other.sums.shape:
            raise ValueError(
                f"expected errors over the same tiles, got {len(self.sums)} and "
                f"{len(other.sums)}; judge both estimates by the same counts"
            )
        pairs = np.concatenate([self.sums, other.sums], axis=1)
        return block_bootstrap(pairs, _difference, rng)


def _difference(sums: Float64[ndarray, "draw 4"]) -> Float64[ndarray, " draw"]:
    """Compare the mean of the first two sums with that of the last two."""
    difference: ndarray = ratio(sums[:, :2]) - ratio(sums[:, 2:])
    return difference


def thinned_error(
    estimate: Real[ndarray, "t y x"],
    held_out: Real[ndarray, "_ _ _"],
    *,
    fraction: float,
    readout_std: float = 0.0,
) -> UnseenError:
    """Judge an estimate by electrons that were held out of it, without bias.

    Parameters
    ----------
    estimate
        What a method makes of the kept part divided by `fraction`, in electrons at the
        full dose.
    held_out
        The other part as `napari_lowdose.noise.thin` gives it, in electrons.
    fraction
        Share of the electrons in the kept part, between 0 and 1.
    readout_std
        Of the readout noise, in electrons, if `thin` was told of it.

    Raises
    ------
    ValueError
        If the shapes differ, or no part was held out.

    References
    ----------
    Notes on algorithms, section 7; see also `napari_lowdose.noise.thinned_error`.
    """
    refuse_unlike(estimate, held_out, "held-out counts")
    if not 0 < fraction < 1:
        raise ValueError(
            f"expected a kept share between 0 and 1, got {fraction:g}; "
            "hold out a part of the electrons"
        )
    share = 1 - fraction

    def errors() -> Iterator[tuple[ndarray, ndarray]]:
        for seen, unseen in zip(estimate, held_out, strict=True):
            unseen = unseen.astype(np.float64)
            square = (unseen / share - seen) ** 2
            yield (
                square - unseen / share**2 - readout_std**2 / share,
                np.ones(square.shape),
            )

    return UnseenError(movie_sums(errors()))


def umse(
    estimate: Real[ndarray, "t y x"],
    first: Real[ndarray, "_ _ _"],
    second: Real[ndarray, "_ _ _"],
    third: Real[ndarray, "_ _ _"],
) -> UnseenError:
    """Judge an estimate by three more recordings of the same, without bias.

    ``mean((a - f)^2) - mean((b - c)^2) / 2``: the first recording has the error of the
    estimate plus its own noise, and the other two tell how much that is.

    Parameters
    ----------
    estimate
        Made of a recording that is none of the three, in counts.
    first, second, third
        Counts of the same scene with independent noise of the same strength.

    Raises
    ------
    ValueError
        If the shapes differ.

    References
    ----------
    A. Marcos Morales et al., Proc. ICML (2023). Of its published code, which divides
    the sum of N terms by N - 1, nothing is kept.
    """
    for reference in (first, second, third):
        refuse_unlike(estimate, reference, "recordings")

    def errors() -> Iterator[tuple[ndarray, ndarray]]:
        for f, a, b, c in zip(estimate, first, second, third, strict=True):
            square = np.subtract(a, f, dtype=np.float64) ** 2
            noise = np.subtract(b, c, dtype=np.float64) ** 2 / 2
            yield square - noise, np.ones(square.shape)

    return UnseenError(movie_sums(errors()))


def umse_from_neighbours(
    estimate: Real[ndarray, "t y x"],
    noisy: Real[ndarray, "_ _ _"],
    *,
    seen_frames: int = 0,
) -> UnseenError:
    """Judge an estimate by other frames of the same movie.

    References for frame t are t - s - 1, t + s + 1 and t + s + 2, where `s` is how far
    the estimate looks. With the true frames x, motion adds a bias of
    ``mean((x_t - x_a)^2 + 2 (f - x_t) (x_t - x_a) - (x_b - x_c)^2 / 2)``. An estimate
    that gives a weight w to the reference's own noise is flattered by 2 w times the
    noise's variance, which soon is more than all of its error.

    Parameters
    ----------
    estimate, noisy
        Counts of shape (t, y, x).
    seen_frames
        Frames before and after t that went into the estimate of t; 0 for a filter of
        single frames.

    Raises
    ------
    ValueError
        If the shapes differ or there are too few frames.

    References
    ----------
    Notes on algorithms, section 7.
    """
    refuse_unlike(estimate, noisy, "noisy counts")
    step = seen_frames + 1
    n = len(noisy) - 2 * step - 1
    if n < 1:
        raise ValueError(
            f"expected at least {2 * step + 2} frames, so that three are left beside "
            f"those that the estimate has seen, got {len(noisy)}; use thinned counts"
        )
    here = slice(step, step + n)
    references = (noisy[start : start + n] for start in (0, 2 * step, 2 * step + 1))
    return umse(estimate[here], *references)


def refuse_unlike(one: ndarray, other: ndarray, what: str) -> None:
    """Refuse two stacks of different shapes.

    Raises
    ------
    ValueError
        If they are; `what` names the other one.
    """
    if one.shape != other.shape:
        raise ValueError(
            f"expected {what} of the estimate's shape {one.shape}, got {other.shape}"
        )


_POISSON = (
    "The method denoises 80 % of the electrons and is judged by the others, so it is "
    "the error at 0.8 of the dose. It lies where counts are not Poisson with the given "
    "gain, or one electron counts in several pixels."
)
THINNED_MSE = Score(
    unit="counts²",
    higher_is_better=False,
    range="from 0; below it by chance",
    summary=f"Mean squared error without truth, unbiased. {_POISSON}",
)
THINNED_PSNR = Score(
    unit="dB",
    higher_is_better=True,
    range="any number",
    summary="A peak over the root of the thinned mean squared error. The peak is the "
    "truth's range, or that of the smoothed noisy stack: compare only numbers of one "
    f"movie. {_POISSON}",
)
_NEIGHBOURING = (
    "It takes other frames for repetitions. It lies where things move between them (up "
    "for motion right beside the frame, down for motion between the two references), "
    "and flatters an estimate that has seen them."
)
UMSE = Score(
    unit="counts²",
    higher_is_better=False,
    range="from 0; below it by chance or where the estimate has seen the references",
    summary=f"Mean squared error from three other frames. {_NEIGHBOURING}",
)
UPSNR = Score(
    unit="dB",
    higher_is_better=True,
    range="any number",
    summary="A peak over the root of the mean squared error from three other frames. "
    f"{_NEIGHBOURING}",
)
