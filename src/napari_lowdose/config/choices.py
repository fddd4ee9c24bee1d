"""What can be chosen from, and kinds of numbers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Le, Lt

Share = Annotated[float, Ge(0), Le(1)]
Seed = Annotated[int, Ge(0), Lt(2**32)]


class Plane(StrEnum):
    """A family of slices of a (t, y, x) stack, named by the axes a slice shows."""

    XY = "xy"  # one slice per frame
    XT = "xt"  # one slice per row
    YT = "yt"  # one slice per column

    @property
    def axis(self) -> int:
        """The axis of the stack along which this plane's slices are numbered."""
        return {"xy": 0, "xt": 1, "yt": 2}[self.value]


class Fusion(StrEnum):
    """How the estimates of several planes become one."""

    AUTO = "auto"  # learned where the model has learned to, else the mean
    MEAN = "mean"  # the tri-directional paper's plain average
    INVERSE_VARIANCE = "inverse_variance"  # by the errors at validation
    VETO = "veto"  # the smallest response: what one direction misses is gone
    LEARNED = "learned"  # by networks that see what the directions made of it


class Polarity(StrEnum):
    """Which spots are looked for."""

    AUTO = "auto"  # those that stand out more
    BRIGHT = "bright"  # brighter than what is around them
    DARK = "dark"
    BOTH = "both"


class Device(StrEnum):
    """Where networks run."""

    AUTO = "auto"  # a GPU when there is one
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class Precision(StrEnum):
    """The arithmetic of the convolutions; losses and weights stay float32."""

    AUTO = "auto"  # half precision where the device computes it faster
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


class Schedule(StrEnum):
    """How the learning rate moves over a training."""

    CONSTANT = "constant"
    COSINE = "cosine"  # down to a hundredth of the start
