"""How thick metal spheres look along the beam, seen by a Gaussian probe."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.special import dawsn, j0

_STEP = 0.1  # of profiles, in probe deviations
_TAIL = 4.5  # a profile ends that many probe deviations outside the sphere
_HIGHEST = 6.5  # wave numbers; the probe passes exp(-21) of it
_NODES = 16
_SHARPEST = 16.0


def peak_thickness(radius: Float[ndarray, " n"], probe: float) -> Float[ndarray, " n"]:
    """Give the thickness that a probe sees at the centre of a sphere.

    Parameters
    ----------
    radius
        In pixels.
    probe
        Standard deviation of the Gaussian probe, in pixels.

    Returns
    -------
    thickness
        2 (r - sqrt(2) s D(r / (sqrt(2) s))) pixels, D being Dawson's integral: a bit
        less than the diameter.
    """
    width = np.sqrt(2) * probe
    thickness: ndarray = 2 * (radius - width * dawsn(radius / width))
    return thickness


def volume(radius: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Give the volume of spheres, which is what their pictures add up to."""
    content: ndarray = 4 / 3 * np.pi * radius**3
    return content


def profiles(
    radius: Float[ndarray, " n"], probe: float
) -> list[Float[ndarray, " rho"]]:
    """Give the thickness that a probe sees, by distance from each sphere's centre.

    The picture of a sphere is known by its waves, 4 pi (sin kr - kr cos kr) / k^3, of
    which a Gaussian probe passes exp(-k^2 s^2 / 2). So it is exact for spheres smaller
    than the probe, too: sampled caps would flicker as they move between pixels.

    Returns
    -------
    list
        One profile for each sphere, in pixels, by steps of a tenth of the probe.
    """
    sizes = radius / probe
    if not len(sizes):
        return []
    # Powers of two, so that few sets of waves are made.
    extent = 2 ** int(np.ceil(np.log2(sizes.max() + _TAIL)))
    k, weight, waves = _waves(extent)
    x = k[:, None] * sizes
    # Below 0.01 the difference of the two terms loses its digits.
    sphere = np.where(x > 0.01, np.sin(x) - x * np.cos(x), x * x * x / 3)
    thickness = probe * (waves @ (weight[:, None] * sphere))
    lengths = np.ceil((sizes + _TAIL) / _STEP).astype(int)
    return [
        np.maximum(column[:length], 0)
        for column, length in zip(thickness.T, lengths, strict=True)
    ]


@lru_cache(maxsize=16)
def _waves(
    extent: int,
) -> tuple[Float[ndarray, " k"], Float[ndarray, " k"], Float[ndarray, "rho k"]]:
    """Prepare an integral over wave numbers, for distances up to `extent`."""
    # A panel of nodes for every 16 radians of the fastest product of waves.
    n_panels = int(np.ceil(_HIGHEST * 2 * extent / _NODES))
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    panel = _HIGHEST / n_panels
    k = (panel * (np.arange(n_panels)[:, None] + (nodes + 1) / 2)).ravel()
    weight = np.tile(weights * panel / 2, n_panels) * 2 / k**2 * np.exp(-(k**2) / 2)
    return k, weight, j0(_STEP * np.arange(extent / _STEP + 1)[:, None] * k)


def look_up(
    profile: Float[ndarray, " rho"], distance: Float[ndarray, "y x"], probe: float
) -> Float[ndarray, "y x"]:
    """Give the thickness at distances, in pixels, from a sphere's centre."""
    at = distance * (1 / (_STEP * probe))
    thickness: ndarray = np.interp(
        at, np.arange(len(profile), dtype=float), profile, right=0.0
    )
    return thickness


def reach(radius: float, probe: float) -> float:
    """Give the distance from which on a sphere is not seen, in pixels."""
    return radius + _TAIL * probe


def union(
    thickness: Float[ndarray, "2 y x"], *, depth: float, content: float
) -> Float[ndarray, "y x"]:
    """Join the pictures of two spheres that grow into one, and keep their volume.

    Parameters
    ----------
    thickness
        Of each sphere.
    depth
        How far they overlap, in deviations of the probe. At 0 they only touch and what
        the probe smears of them adds up; further in, the thicker one is seen. A p-norm
        leads from one to the other.
    content
        Volume of both, in cubic pixels.
    """
    p = min(1 + 2 * depth, _SHARPEST)
    thickest = thickness.max()
    joint = ((thickness / thickest) ** p).sum(axis=0) ** (1 / p)
    joined: ndarray = joint * (content / joint.sum())
    return joined


def swelling(larger: float, smaller: float, distance: float) -> float:
    """Find by how much two spheres must grow for their union to keep their volume.

    Parameters
    ----------
    larger, smaller
        Radii of the spheres apart.
    distance
        Between their centres.

    Returns
    -------
    float
        1 where they only touch; what makes the larger one hold all where the smaller
        one is in it.
    """
    wanted = larger**3 + smaller**3
    low, high = 1.0, float(np.cbrt(wanted)) / larger
    for _ in range(30):
        middle = (low + high) / 2
        if _union_cubes(middle * larger, middle * smaller, distance) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _union_cubes(larger: float, smaller: float, distance: float) -> float:
    """Give the volume of the union of two spheres, in units of 4 pi / 3."""
    if distance >= larger + smaller:
        return larger**3 + smaller**3
    if distance <= larger - smaller:
        return larger**3
    depth = larger + smaller - distance
    lens = depth**2 * (
        distance**2 + 2 * distance * (larger + smaller) - 3 * (larger - smaller) ** 2
    )
    return larger**3 + smaller**3 - lens / (16 * distance)
