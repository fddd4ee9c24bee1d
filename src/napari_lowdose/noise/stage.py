"""One thing that happens to counts between the specimen and the file."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.schema import Config


class Stage(Config):
    """A step of the recording.

    A child has the step's settings as fields, whose names no other stage uses: they
    are flags of the command line as well.
    """

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> Real[ndarray, "t y x"]:
        """Do to a noisy stack what this step does, by chance where it does.

        Parameters
        ----------
        counts
            What the steps before give, float64; it may be overwritten.
        rng
            Where all chance of this step comes from.
        """
        raise NotImplementedError

    def expect(self, counts: Float[ndarray, "t y x"]) -> Float[ndarray, "t y x"]:
        """Do the same to the expected counts, so that the truth stays the mean.

        What a step damages (distortions, defects, lost digits) is not in the truth.
        """
        return counts
