"""How far a quantum spreads in the detector: its transfer function."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from jaxtyping import Float
from numpy import ndarray
from scipy.fft import dctn, idctn

from napari_lowdose.noise.stage import Stage

Cutoff = Annotated[float, Ge(0.01), Le(100)]
Power = Annotated[float, Ge(0.01), Le(10)]


def transfer(
    shape: tuple[int, int], *, cutoff: float, power: float
) -> Float[ndarray, "y x"]:
    """Compute a modulation transfer function on the grid of a cosine transform.

    Parameters
    ----------
    shape
        Rows and columns of the image.
    cutoff
        Frequency f0 in ``(1 + (f / f0)^2)^-power``, in cycles per pixel; a pixel grid
        ends at 0.5.
    power
        How steeply it falls.

    Returns
    -------
    ndarray
        From 1 at frequency zero downwards; entry (i, j) belongs to half of i / rows and
        of j / columns.
    """
    y, x = (np.arange(n) / (2 * n) for n in shape)
    squared = (y[:, None] ** 2 + x**2) / cutoff**2
    modulation: ndarray = (1 + squared) ** -power
    return modulation.astype(np.float32)


def filtered(
    frame: Float[ndarray, "y x"], modulation: Float[ndarray, "y x"]
) -> Float[ndarray, "y x"]:
    """Multiply a frame's spectrum; beyond its edges it goes on mirrored."""
    spectrum = dctn(frame, norm="ortho")
    spectrum *= modulation
    spread: ndarray = idctn(spectrum, norm="ortho", overwrite_x=True)
    return spread


class Scatter(Stage):
    """Scattering before counting: blurs the signal and leaves the noise white.

    A quantum counts in one pixel only, though not always in the one it was aimed at.
    Its transfer function times that of the response is that of the signal; that of the
    noise is the response's alone.

    References
    ----------
    M. Rabbani, R. Shaw and R. Van Metter, J. Opt. Soc. Am. A 4, 895 (1987).
    """

    scatter_cutoff: Cutoff = 0.4
    """Where its transfer function falls off, in cycles per pixel."""

    scatter_power: Power = 1.0
    """How steeply its transfer function falls."""

    def expect(self, counts: Float[ndarray, "t y x"]) -> Float[ndarray, "t y x"]:
        """Blur; the truth is what the detector can tell."""
        modulation = transfer(
            counts.shape[1:], cutoff=self.scatter_cutoff, power=self.scatter_power
        )
        for frame in counts:
            # A pixel grid cannot hold the finest of the blur; it rings below zero.
            np.maximum(filtered(frame, modulation), 0, out=frame)
        return counts


class Response(Stage):
    """Response after counting: light spreads, which blurs and correlates the noise.

    The noise power spectrum of counts becomes the square of the transfer function.
    """

    mtf_cutoff: Cutoff = 0.3
    """Where its transfer function falls off, in cycles per pixel."""

    mtf_power: Power = 1.0
    """How steeply its transfer function falls."""

    def expect(self, counts: Float[ndarray, "t y x"]) -> Float[ndarray, "t y x"]:
        """Blur; the truth is what the detector can tell."""
        modulation = transfer(
            counts.shape[1:], cutoff=self.mtf_cutoff, power=self.mtf_power
        )
        for frame in counts:
            frame[...] = filtered(frame, modulation)
        return counts
