"""What is around a spot, estimated from the counts together with the spot."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Bool, Float64, Int
from numpy import ndarray

_STEPS = 10
_CLOSE = 0.01
# Quanta strewn over a window so that a plane stays above zero in all of it.
_STREWN = 1.0
_INWARDS = 0.9  # how far a step may go towards a plane that is zero somewhere
_WITHIN = 1 - 1e-9
# Of a spot; a smaller part in the frame says too little about it.
_LEAST_SHARE = 0.1


class Ground(StrEnum):
    """What the background of a spot is like, where it is not known."""

    ANNULUS = "annulus"  # flat: as bright as the ring around the spot
    PLANE = "plane"  # as in the ring, and it may lean


@dataclass(frozen=True)
class Grounds:
    """The backgrounds of windows beneath spots, and what a change of the spots does.

    Another quantum in the spot adds `h` and lowers the background that fits best by
    ``basis @ taken``. What is left is uncorrelated with the background.

    Parameters
    ----------
    counts, shape
        Quanta, and each pixel's share `h` of the spot; zero in pixels that are left
        out.
    valid
        Which pixels count.
    basis
        Constant, or constant and slopes along y and x, at each pixel of a window.
    amplitude
        Of each spot, in quanta.
    coefficients
        Of the basis, in quanta per pixel: the background that fits best.
    taken
        Of the basis, per quantum in the spot.
    expected
        Quanta of background and spot in each pixel that counts; zero elsewhere.
    contrast
        ``(h - basis @ taken) / expected``.
    """

    counts: Float64[ndarray, "n p"]
    shape: Float64[ndarray, "n p"]
    valid: Bool[ndarray, "n p"]
    basis: Float64[ndarray, "p q"]
    amplitude: Float64[ndarray, " n"]
    coefficients: Float64[ndarray, "n q"]
    taken: Float64[ndarray, "n q"]
    expected: Float64[ndarray, "n p"]
    contrast: Float64[ndarray, "n p"]

    @property
    def limits(self) -> tuple[Float64[ndarray, " n"], Float64[ndarray, " n"]]:
        """Give the changes of amplitude for which all intensities are above zero."""
        most = np.maximum(self.contrast.max(axis=1), 1e-300)
        least = np.maximum(-self.contrast.min(axis=1), 1e-300)
        return -_WITHIN / most, _WITHIN / least

    @property
    def lost(self) -> Float64[ndarray, " n"]:
        """Give the quanta that are expected per quantum in the spot."""
        each: ndarray = np.einsum("np,np->n", self.contrast, self.expected)
        return each

    @property
    def quanta_per_share(self) -> Float64[ndarray, " n"]:
        """Give the amplitude of a spot that has all quanta of its window."""
        whole = self.shape.sum(axis=1)
        total = np.maximum(self.counts.sum(axis=1), 0)
        scale: ndarray = total / np.where(whole > 0, whole, np.inf)
        return scale

    def background(self, change: Float64[ndarray, " n"]) -> Float64[ndarray, " n"]:
        """Give the quanta per pixel in the middle, the amplitude being changed."""
        middle: ndarray = self.coefficients[:, 0] - change * self.taken[:, 0]
        return middle

    def information(self, change: Float64[ndarray, " n"]) -> Float64[ndarray, " n"]:
        """Say how well the amplitude is known, the background being fitted as well."""
        expected = self.expected * (1 + change[:, None] * self.contrast)
        _, own = _projected(self.shape, _inverse(expected), self.basis)
        return own

    def gain_over(
        self, other: Grounds, rows: Int[ndarray, " n"]
    ) -> Float64[ndarray, " n"]:
        """Give the log-likelihood above that of some windows of others."""
        before = other.expected[rows]
        both = (self.expected > 0) & (before > 0)
        ratio = np.where(both, self.expected, 1.0) / np.where(both, before, 1.0)
        gained: ndarray = np.einsum("np,np->n", self.counts, np.log(ratio))
        gained -= self.expected.sum(axis=1)
        gained += before.sum(axis=1)
        return gained

    def refitted(
        self, rows: Int[ndarray, " m"], amplitude: Float64[ndarray, " m"]
    ) -> Grounds:
        """Fit the backgrounds of some windows again, beneath other amplitudes."""
        return fit_grounds(
            self.counts[rows],
            self.shape[rows],
            self.valid[rows],
            self.basis,
            amplitude=amplitude,
        )


def basis_of(offsets: Int[ndarray, "2 p"], ground: Ground) -> Float64[ndarray, "p q"]:
    """Give what the background of a window is made of."""
    constant = np.ones(offsets.shape[1])
    if ground is Ground.ANNULUS:
        return constant[:, None]
    return np.stack([constant, *(offsets / max(np.abs(offsets).max(), 1))], axis=1)


def fit_grounds(
    counts: Float64[ndarray, "n p"],
    shape: Float64[ndarray, "n p"],
    valid: Bool[ndarray, "n p"],
    basis: Float64[ndarray, "p q"],
    *,
    amplitude: Float64[ndarray, " n"] | None = None,
) -> Grounds:
    """Fit backgrounds beneath spots, and find what another amplitude would change.

    Parameters
    ----------
    counts, shape, valid, basis
        As in `Grounds`.
    amplitude
        Of the spots; without it there are none. With a basis that is only a constant
        the background is then not needed.

    References
    ----------
    J. Neyman, in: Probability and Statistics, The Harald Cramer Volume (1959), tests
    that are orthogonal to what is not asked; Notes on algorithms, section 28.2.
    """
    counts, shape = np.where(valid, counts, 0.0), np.where(valid, shape, 0.0)
    spot = np.zeros(len(counts)) if amplitude is None else amplitude
    total, n_pixels = counts.sum(axis=1), np.maximum(valid.sum(axis=1), 1)
    usable = (total > 0) & (shape.sum(axis=1) > _LEAST_SHARE)
    coefficients = np.zeros((len(counts), basis.shape[1]))
    coefficients[:, 0] = np.where(usable, total, 0.0) / n_pixels
    if basis.shape[1] > 1:
        coefficients = _plane(counts, valid, basis, spot[:, None] * shape, usable)
    expected = coefficients @ basis.T + spot[:, None] * shape
    expected = np.where(valid & usable[:, None], np.maximum(expected, 0), 0.0)
    weight = _inverse(expected)
    taken, _ = _projected(shape, weight, basis)
    contrast = (shape - taken @ basis.T) * weight
    return Grounds(
        counts, shape, valid, basis, spot, coefficients, taken, expected, contrast
    )


def _plane(
    counts: Float64[ndarray, "n p"],
    valid: Bool[ndarray, "n p"],
    basis: Float64[ndarray, "p q"],
    spot: Float64[ndarray, "n p"],
    usable: Bool[ndarray, " n"],
) -> Float64[ndarray, "n q"]:
    """Climb to the most likely plane, by steps that keep it above zero."""
    n_pixels = np.maximum(valid.sum(axis=1), 1)
    strewn = counts + _STREWN * valid / n_pixels[:, None]
    products = _products(basis)
    q = basis.shape[1]
    coefficients = np.zeros((len(counts), q))
    hole = np.minimum(spot, 0.0)
    coefficients[:, 0] = np.where(usable, counts.sum(axis=1), 1.0) / n_pixels
    coefficients[:, 0] -= hole.min(axis=1)
    for _ in range(_STEPS):
        plane = coefficients @ basis.T
        # Off the frame a plane may be what it likes.
        over = valid / np.where(valid, plane + spot, 1.0)
        ratio = strewn * over
        slope = (ratio - valid) @ basis
        curve = ((ratio * over) @ products).reshape(-1, q, q)
        step = _solve(curve, slope)
        # Where a step lowers the plane most, nothing may reach zero.
        left = valid / np.where(valid, plane + hole, 1.0)
        fall = -((step @ basis.T) * left).min(axis=1)
        share = np.minimum(1.0, _INWARDS / np.maximum(fall, _INWARDS))
        coefficients += share[:, None] * step
        # The next step would be about as small as the square of this one.
        if np.all(np.abs(step) <= _CLOSE * coefficients[:, :1]):
            break
    height = ((coefficients @ basis.T) * valid).sum(axis=1)
    total = np.maximum(counts.sum(axis=1), 0)
    # What was strewn is taken off again.
    share = np.where(usable, total / (total + _STREWN), 0.0)
    return coefficients * np.where(height > 0, share, 0.0)[:, None]


def _inverse(expected: Float64[ndarray, "n p"]) -> Float64[ndarray, "n p"]:
    """Weigh pixels by their certainty; those that do not count weigh nothing."""
    weight: ndarray = (expected > 0) / np.where(expected > 0, expected, 1.0)
    return weight


def _products(basis: Float64[ndarray, "p q"]) -> Float64[ndarray, "p r"]:
    products: ndarray = np.einsum("pa,pb->pab", basis, basis)
    return products.reshape(len(basis), -1)


def _projected(
    shape: Float64[ndarray, "n p"],
    weight: Float64[ndarray, "n p"],
    basis: Float64[ndarray, "p q"],
) -> tuple[Float64[ndarray, "n q"], Float64[ndarray, " n"]]:
    """Split spots into what the basis explains and the square of what it does not."""
    q = basis.shape[1]
    weighed = weight * shape
    common = weighed @ basis
    taken = _solve((weight @ _products(basis)).reshape(-1, q, q), common)
    own = np.einsum("np,np->n", weighed, shape) - np.einsum("nq,nq->n", taken, common)
    return taken, own


def _solve(
    matrices: Float64[ndarray, "n q q"], values: Float64[ndarray, "n q"]
) -> Float64[ndarray, "n q"]:
    """Solve small systems; where one has no pixels the answer is zero."""
    size = np.trace(matrices, axis1=1, axis2=2)
    safe = np.where(size > 0, size, 1.0)
    ridge = 1e-12 * safe[:, None, None] * np.eye(matrices.shape[1])
    solved: ndarray = np.linalg.solve(matrices + ridge, values[:, :, None])[:, :, 0]
    return solved
