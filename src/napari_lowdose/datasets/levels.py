"""Several levels of Poisson and of Gaussian noise, as the tri-directional paper has."""

from __future__ import annotations

import numpy as np

from napari_lowdose.datasets.dataset import Item, Made, drawn_seed, pair, vary
from napari_lowdose.noise import Noise, Poisson, Readout
from napari_lowdose.specimens import SPECIMENS
from napari_lowdose.specimens.draws import log_uniform

# The paper gives no levels; these go from hopeless to hardly noisy.
_DOSES = (0.3, 30.0)


def noisy_movie(kind: str, item: Item) -> Made:
    """Draw a specimen of a kind, and record it at one of the levels."""
    specimen = SPECIMENS[kind]
    noise = drawn_noise(item.index, item.rng)
    return pair(specimen.render(vary(specimen, item)).stack, noise), noise.dose


def drawn_noise(index: int, rng: np.random.Generator) -> Noise:
    """Draw the noise of an item: Poisson for even numbers, Gaussian for odd ones.

    A Gaussian one has the deviation that counting has at the mean dose.
    """
    dose = log_uniform(rng, *_DOSES)
    gaussian = Readout(gain=1.0, offset=0.0, readout_std=float(np.sqrt(dose)))
    stage = gaussian if index % 2 else Poisson()
    return Noise(dose=dose, stages=(stage,), seed=drawn_seed(rng))
