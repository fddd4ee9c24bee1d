"""A thin slice through a PN junction: its line, field, potential and charge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.specimens.pn_junction.depletion import (
    Junction,
    interaction_constant,
)

_Profile = Callable[..., Float[ndarray, " n"]]
_POINTS_PER_PIXEL = 8  # of the table that a profile is read from


class Geometry(StrEnum):
    """The line where p meets n."""

    STRAIGHT = "straight"
    WAVY = "wavy"
    IMPLANT = "implant"  # a finger of n in p, with a round end


@dataclass(frozen=True)
class Line:
    """A line where p meets n; lengths in one unit of the caller's choice.

    Parameters
    ----------
    geometry
        Its kind.
    amplitude, length, phase
        Of a wavy line: how far it leaves the straight one, length of a wave, and phase
        at the origin in radians.
    radius, tip
        Of an implant: radius of its round end, and where along its axis it ends.
    """

    geometry: Geometry
    amplitude: float
    length: float
    phase: float
    radius: float
    tip: float

    @property
    def bending_radius(self) -> float:
        """Smallest radius of its bends; infinite where it is straight."""
        if self.geometry is Geometry.WAVY and self.amplitude:
            return (self.length / (2 * np.pi)) ** 2 / self.amplitude
        return self.radius if self.geometry is Geometry.IMPLANT else np.inf

    def distance(
        self, across: Float[ndarray, "y x"], along: Float[ndarray, "y x"]
    ) -> Float[ndarray, "y x"]:
        """Measure how far points are from the line; negative on the p side."""
        if self.geometry is Geometry.STRAIGHT:
            return across
        if self.geometry is Geometry.IMPLANT:
            beyond = np.maximum(along - (self.tip - self.radius), 0)
            inside: ndarray = self.radius - np.hypot(across, beyond)
            return inside
        angle = 2 * np.pi * along / self.length + self.phase
        slope = 2 * np.pi * self.amplitude / self.length * np.cos(angle)
        # To first order, the distance is that along x over the length of the gradient.
        shortest: ndarray = across + self.amplitude * np.sin(angle)
        return shortest / np.sqrt(1 + slope**2)


@dataclass(frozen=True)
class Lamella:
    """A slice of even or wedged thickness, seen along its normal; in SI units.

    Everything is read from the one-dimensional junction at the distance from its line:
    an approximation that holds where the line bends less than the depletion region is
    deep.

    Parameters
    ----------
    junction
        The physics along the line's normal.
    distance
        Of each pixel from the line, in metres, positive on the n side.
    thickness
        Of the part that holds a field, without dead layers, in metres.
    pixel
        Edge of a pixel, in metres.
    blur
        Standard deviation of the microscope's blur, in metres. The area of a pixel is
        taken into account beside it.
    """

    junction: Junction
    distance: Float[ndarray, "y x"]
    thickness: Float[ndarray, "y x"]
    pixel: float
    blur: float

    @property
    def normal(self) -> Float[ndarray, "2 y x"]:
        """Unit vectors (y, x) from p to n."""
        gradient = np.stack(np.gradient(self.distance))
        length = np.hypot(*gradient)
        unit: ndarray = gradient / np.maximum(length, 1e-6 * length.max())
        return unit

    def field_along_normal(self, bias: float) -> Float[ndarray, "y x"]:
        """Compute the field from p to n at a bias in volts, in volts per metre."""
        return self._read(self.junction.electric_field, bias)

    def electric_field(self, bias: float) -> Float[ndarray, "2 y x"]:
        """Compute the field's parts (y, x) at a bias in volts, in volts per metre."""
        parts: ndarray = self.normal * self.field_along_normal(bias)
        return parts

    def potential(self, bias: float) -> Float[ndarray, "y x"]:
        """Compute the potential above the p side, in volts."""
        return self._read(self.junction.potential, bias)

    def charge_density(self, bias: float) -> Float[ndarray, "y x"]:
        """Compute the charge density, in coulombs per cubic metre."""
        return self._read(self.junction.charge_density, bias)

    def phase(self, bias: float, *, beam_kv: float) -> Float[ndarray, "y x"]:
        """Compute the phase of an electron wave behind the slice, in radians.

        That of the mean inner potential, which does not change, is left out.
        """
        phase: ndarray = self.thickness * self.potential(bias)
        return interaction_constant(beam_kv) * phase

    def _read(self, profile: _Profile, bias: float) -> Float[ndarray, "y x"]:
        """Look a profile up at each pixel's distance."""
        step = self.pixel / _POINTS_PER_PIXEL
        grid = np.arange(self.distance.min(), self.distance.max() + 2 * step, step)
        blur = float(np.hypot(self.blur, self.pixel / np.sqrt(12)))
        found: ndarray = np.interp(self.distance, grid, profile(grid, bias, blur=blur))
        return found
