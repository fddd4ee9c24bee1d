"""One thing that happens to counts between the specimen and the file."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from jaxtyping import Float, Real
from numpy import ndarray

from napari_lowdose.errors import UnusableStack
from napari_lowdose.schema import Config

# What a pixel may hold between two stages: near the largest 64-bit integer numpy's
# Poisson sampler refuses, and no stage makes float32 overflow from here.
LARGEST = 1e18


class Stage(Config):
    """A step of the recording.

    A child has the step's settings as fields, whose names no other stage uses: they
    are flags of the command line as well. Both methods may overwrite their input, so
    that large stacks are not copied at every step. What stays the same in all frames
    (maps of gain, defects) is drawn from `rng.spawn`, what differs from `rng` itself.
    """

    # Whether it leaves marks (distortions, defects, lost digits) that the truth lacks.
    damages: ClassVar[bool] = False
    # Whether quanta are counted here: a recipe has one such stage.
    counting: ClassVar[bool] = False

    def record(
        self, counts: Float[ndarray, "t y x"], rng: np.random.Generator
    ) -> Real[ndarray, "t y x"]:
        """Do to a noisy stack what this step does, by chance where it does.

        Parameters
        ----------
        counts
            What the steps before give, float32; it may be overwritten.
        rng
            Where all chance of this step comes from; a step without any does to the
            counts what it does to their mean.
        """
        return self.expect(counts)

    def expect(self, counts: Float[ndarray, "t y x"]) -> Float[ndarray, "t y x"]:
        """Do the same to the expected counts, so that the truth stays the mean.

        What a step damages is not in the truth, what it blurs is. The input may be
        overwritten.
        """
        return counts


def refuse_overflow(counts: Real[ndarray, "t y x"], stage: str) -> None:
    """Keep counts that cannot be computed with from the next stage.

    Raises
    ------
    UnusableStack
        If a value is beyond `LARGEST`.
    """
    highest = max(float(counts.max()), -float(counts.min()))
    if highest > LARGEST:
        raise UnusableStack(
            f"expected at most {LARGEST:g} counts in a pixel, got {highest:.3g} from "
            f"the stage {stage!r}; lower the dose or what that stage multiplies by"
        )


def refuse_negative(counts: Float[ndarray, "t y x"], stage: str) -> None:
    """Keep a stage that works on quanta from what are none.

    Raises
    ------
    UnusableStack
        If a value is negative.
    """
    low = float(counts.min())
    if low < 0:
        raise UnusableStack(
            f"expected counts of zero or more in the stage {stage!r}, got {low:g}; "
            "put it before the stages that add offsets or Gaussian noise"
        )
