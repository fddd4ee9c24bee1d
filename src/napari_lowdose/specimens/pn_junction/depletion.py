"""Field of a PN junction in silicon along its normal, in SI units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.constants import Boltzmann, c, e, electron_mass, epsilon_0, h
from scipy.special import ndtr

THERMAL_VOLTAGE = Boltzmann * 300 / e
_PERMITTIVITY = 11.7 * epsilon_0  # silicon
_INTRINSIC_DENSITY = 1e16  # silicon at 300 K, per cubic metre

_Kernel = Callable[[Float[ndarray, " n"], float], Float[ndarray, " n"]]


@dataclass(frozen=True)
class Junction:
    """An abrupt PN junction: p at negative positions, n at positive ones.

    `width`, `depths` and `peak_field` are the depletion approximation. The profiles
    go beyond it: majority carriers leak over both borders by the Debye length, which
    takes two thermal voltages off the abrupt part. So smoothed, the field stays within
    1 % (root mean square, of its peak) of the Poisson-Boltzmann equation, and still
    integrates to built-in potential minus bias.

    Parameters
    ----------
    acceptors, donors
        Density of dopants on the p and on the n side, per cubic metre.

    References
    ----------
    S. M. Sze and K. K. Ng, Physics of Semiconductor Devices (2006), section 2.2.
    """

    acceptors: float
    donors: float

    @property
    def built_in_potential(self) -> float:
        """Potential of the n side above the p side without bias, in volts."""
        product = self.acceptors * self.donors / _INTRINSIC_DENSITY**2
        return float(THERMAL_VOLTAGE * np.log(product))

    def width(self, bias: float) -> float:
        """Width of the depletion region at a bias in volts, in metres."""
        return self._width(self.built_in_potential - bias)

    def depths(self, bias: float) -> tuple[float, float]:
        """How far the depletion region reaches into p and into n, in metres."""
        return self._split(self.width(bias))

    def peak_field(self, bias: float) -> float:
        """Largest field at a bias in volts, in volts per metre."""
        return 2 * (self.built_in_potential - bias) / self.width(bias)

    def electric_field(
        self, position: Float[ndarray, " n"], bias: float, *, blur: float = 0.0
    ) -> Float[ndarray, " n"]:
        """Compute the field along the normal; it points to p, so it is negative.

        Parameters
        ----------
        position
            Distances from the metallurgical line, in metres, positive on the n side.
        bias
            Forward voltage, in volts; it must leave some of the built-in potential.
        blur
            Standard deviation of the microscope's blur, in metres.
        """
        return -self._profile(_ramp, position, bias, blur)

    def potential(
        self, position: Float[ndarray, " n"], bias: float, *, blur: float = 0.0
    ) -> Float[ndarray, " n"]:
        """Compute the potential above the p side, in volts."""
        return self._profile(_parabola, position, bias, blur)

    def charge_density(
        self, position: Float[ndarray, " n"], bias: float, *, blur: float = 0.0
    ) -> Float[ndarray, " n"]:
        """Compute the charge of the bared dopants, in coulombs per cubic metre."""
        return -_PERMITTIVITY * self._profile(_step, position, bias, blur)

    def _width(self, drop: float) -> float:
        dopants = 1 / self.acceptors + 1 / self.donors
        return float(np.sqrt(2 * _PERMITTIVITY * drop / e * dopants))

    def _split(self, width: float) -> tuple[float, float]:
        into_n = width * self.acceptors / (self.acceptors + self.donors)
        return width - into_n, into_n

    def _profile(
        self, kernel: _Kernel, position: Float[ndarray, " n"], bias: float, blur: float
    ) -> Float[ndarray, " n"]:
        """Sum a kernel over the three places where the charge changes."""
        drop = self.built_in_potential - bias - 2 * THERMAL_VOLTAGE
        into_p, into_n = self._split(self._width(drop))
        # A Gaussian border of variance 2 L^2 holds one thermal voltage, as Boltzmann's
        # tail does; the dopants themselves, at 0, are abrupt.
        p_tail, n_tail = (
            np.sqrt(2) * debye_length(n) for n in (self.acceptors, self.donors)
        )
        profile: ndarray = (e / _PERMITTIVITY) * (
            self.acceptors * kernel(position + into_p, float(np.hypot(p_tail, blur)))
            - (self.acceptors + self.donors) * kernel(position, blur)
            + self.donors * kernel(position - into_n, float(np.hypot(n_tail, blur)))
        )
        return profile


def debye_length(density: float) -> float:
    """Length over which carriers of a density per cubic metre screen, in metres."""
    return float(np.sqrt(_PERMITTIVITY * THERMAL_VOLTAGE / (e * density)))


def wavelength(beam_kv: float) -> float:
    """De Broglie wavelength of an electron beam, in metres."""
    energy = beam_kv * 1e3 * e
    rest = electron_mass * c**2
    return float(h * c / np.sqrt(energy * (energy + 2 * rest)))


def interaction_constant(beam_kv: float) -> float:
    """Phase per potential and thickness, in radians per volt and metre.

    References
    ----------
    M. Lehmann and H. Lichte, Microsc. Microanal. 8, 447 (2002).
    """
    energy = beam_kv * 1e3 * e
    rest = electron_mass * c**2
    relativistic = (energy + rest) / (energy * (energy + 2 * rest))
    return float(2 * np.pi / wavelength(beam_kv) * e * relativistic)


def _step(distance: Float[ndarray, " n"], std: float) -> Float[ndarray, " n"]:
    """Heaviside's step, blurred."""
    blurred: ndarray = ndtr(distance / std) if std else np.heaviside(distance, 0.5)
    return blurred


def _ramp(distance: Float[ndarray, " n"], std: float) -> Float[ndarray, " n"]:
    """Integral of `_step`."""
    rise: ndarray = distance * _step(distance, std) + std * _bell(distance, std)
    return rise


def _parabola(distance: Float[ndarray, " n"], std: float) -> Float[ndarray, " n"]:
    """Integral of `_ramp`."""
    rise: ndarray = (distance**2 + std**2) * _step(distance, std) / 2
    rise += distance * std * _bell(distance, std) / 2
    return rise


def _bell(distance: Float[ndarray, " n"], std: float) -> Float[ndarray, " n"]:
    if not std:
        return np.zeros_like(distance)
    bell: ndarray = np.exp(-((distance / std) ** 2) / 2) / np.sqrt(2 * np.pi)
    return bell
