"""Three families of slices of a stack: frames, rows in time, columns in time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from jaxtyping import Shaped
from numpy import ndarray

from napari_lowdose.config import Plane

__all__ = ["Plane", "dropped_sentence", "slices", "unslice", "usable_planes"]


def slices(stack: Shaped[ndarray, "t y x"], plane: Plane) -> Shaped[ndarray, "n h w"]:
    """View a stack as the slices of one plane.

    Parameters
    ----------
    stack
        Any values, of shape (t, y, x).
    plane
        xy gives (t, y, x), xt gives (y, t, x), yt gives (x, t, y).

    References
    ----------
    Tri-directional denoising of time-series images, section 2.1.
    """
    return np.moveaxis(stack, plane.axis, 0)


def unslice(images: Shaped[ndarray, "n h w"], plane: Plane) -> Shaped[ndarray, "t y x"]:
    """Undo `slices`: put the slices of one plane back into a (t, y, x) stack."""
    return np.moveaxis(images, 0, plane.axis)


def usable_planes(
    planes: tuple[Plane, ...], n_frames: int, depth: int
) -> tuple[Plane, ...]:
    """Keep the planes whose slices are long enough for a U-Net.

    A slice through time is as high as there are frames. Below one pixel of the coarsest
    level, 2**depth frames, such a network would mostly see its own padding.
    """
    if n_frames >= 2**depth:
        return planes
    return (Plane.XY,)


def dropped_sentence(asked: Iterable[str], kept: Iterable[str]) -> str:
    """Say which planes are left out for want of frames; empty if none."""
    kept = tuple(kept)
    dropped = [str(plane) for plane in asked if plane not in kept]
    if not dropped:
        return ""
    return (
        f"too few frames for slices through time: {', '.join(dropped)} left out, "
        f"{', '.join(kept)} used"
    )
