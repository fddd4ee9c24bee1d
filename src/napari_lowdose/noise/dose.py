"""How many electrons meet a pixel."""

from __future__ import annotations

_PER_PICOAMPERE_MICROSECOND = 1e-18 / 1.602176634e-19  # elementary charge in coulombs


def electrons_per_pixel(current_pa: float, dwell_us: float) -> float:
    """Count the electrons of a probe while it stands on a pixel.

    Parameters
    ----------
    current_pa
        Current of the probe, in picoamperes.
    dwell_us
        Time on a pixel, in microseconds.

    Examples
    --------
    >>> round(electrons_per_pixel(1, 1), 3)
    6.242
    """
    return current_pa * dwell_us * _PER_PICOAMPERE_MICROSECOND


def electrons_of_dose_rate(
    rate_per_square_angstrom_s: float, *, pixel_size_nm: float, frame_time_s: float
) -> float:
    """Count the electrons that meet a pixel while one frame is exposed.

    Parameters
    ----------
    rate_per_square_angstrom_s
        Electrons per square ångström and second at the sample.
    pixel_size_nm
        Edge of a pixel in the sample plane, in nanometres.
    frame_time_s
        Exposure of a frame, in seconds.

    Examples
    --------
    >>> electrons_of_dose_rate(100, pixel_size_nm=0.05, frame_time_s=0.1)
    2.5
    """
    return rate_per_square_angstrom_s * (10 * pixel_size_nm) ** 2 * frame_time_s
