"""PN junctions as they differ from sample to sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_lowdose.specimens.pn_junction.bias import Waveform
from napari_lowdose.specimens.pn_junction.lamella import Geometry
from napari_lowdose.specimens.pn_junction.settings import PNJunction, Shown

# Ranges: algorithm notes on PN junction movies, section 25.1.
_VOLTS = (-5.0, 0.5)
_NARROWEST_PX = 3.0
_WIDEST_SHARE = 0.7  # of the frame
_LEAST_BREATHING_PX = 1.0
_LEAST_COMPONENT = 0.4  # of the field along the axis that is shown
_TRIES = 50


def vary_pn_junction(settings: PNJunction, rng: np.random.Generator) -> PNJunction:
    """Draw another junction, of a doping and a bias that fit the field of view.

    What is shown stays, as frames, sizes and times do. Where no silicon junction fits
    the field of view, the nearest of many drawn ones is taken.
    """
    candidates = (_doped(settings, rng) for _ in range(_TRIES))
    best, least = settings, np.inf
    for candidate in candidates:
        misfit = _misfit(candidate)
        if misfit < least:
            best, least = candidate, misfit
        if not misfit:
            break
    values = {**_line(best, rng), **_recording(best, rng), **_bias_times(rng)}
    return best.replaced({(name,): value for name, value in values.items()})


def _doped(settings: PNJunction, rng: np.random.Generator) -> PNJunction:
    """Draw dopants and bias of a straight junction."""
    low, high = np.sort(rng.uniform(*_VOLTS, 2))
    values = {
        "geometry": Geometry.STRAIGHT,
        "acceptor_density": float(10 ** rng.uniform(-1, 1)),
        "donor_density": float(10 ** rng.uniform(-1, 1)),
        "bias_volts": float(low + high) / 2,
        "swing_volts": float(high - low) / 2,
    }
    return settings.replaced({(name,): value for name, value in values.items()})


def _misfit(settings: PNJunction) -> float:
    """Tell how far a junction is from fitting the field of view; 0: it fits."""
    to_px = 1e9 / settings.pixel_size_nm
    widest = settings.junction.width(settings.lowest_bias) * to_px
    narrowest = settings.junction.width(settings.highest_bias) * to_px
    room = _WIDEST_SHARE * min(settings.shape)
    too_wide = max(np.log(widest / room), 0.0)
    too_narrow = max(np.log(_NARROWEST_PX / narrowest), 0.0)
    too_still = max(_LEAST_BREATHING_PX - (widest - narrowest), 0.0)
    return float(too_wide + too_narrow + too_still)


def _line(settings: PNJunction, rng: np.random.Generator) -> dict[str, Any]:
    """Draw a line that bends more gently than the depletion region is deep."""
    extent = min(settings.shape) * settings.pixel_size_nm
    reach = 1e9 * max(settings.junction.depths(settings.lowest_bias))
    wave = extent * rng.uniform(0.5, 2.0)
    steepest = min((wave / (2 * np.pi)) ** 2 / reach, wave / 8)
    return {
        "geometry": Geometry(rng.choice(list(Geometry))),
        "rotation_deg": _rotation(settings.shown, rng),
        "wave_length_nm": wave,
        "wave_amplitude_nm": steepest * rng.uniform(0.2, 0.9),
        "implant_radius_nm": max(reach * 1.1, extent * rng.uniform(0.15, 0.35)),
    }


def _rotation(shown: Shown, rng: np.random.Generator) -> float:
    """Draw a direction in which what is shown is not faint."""
    while True:
        degrees = float(rng.uniform(0, 360))
        angle = np.deg2rad(degrees)
        part = {Shown.FIELD_X: np.cos(angle), Shown.FIELD_Y: np.sin(angle)}
        if abs(part.get(shown, 1.0)) > _LEAST_COMPONENT:
            return degrees


def _bias_times(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "seed": int(rng.integers(2**32)),
        "waveform": Waveform(rng.choice(list(Waveform))),
        "bias_period_frames": float(2 ** rng.uniform(4, 7)),
        "bias_settling_frames": float(np.exp(rng.uniform(np.log(2), np.log(30)))),
    }


def _recording(settings: PNJunction, rng: np.random.Generator) -> dict[str, Any]:
    """Draw the slice and how the microscope sees it."""
    strongest = 4.0 if settings.shown.upward else 1.0
    thickness, ramp = rng.uniform(150, 450), rng.uniform(0, 0.5)
    blur_px = np.exp(rng.uniform(np.log(0.2), np.log(1.5)))
    contrast = float(np.exp(rng.uniform(np.log(0.2), np.log(strongest))))
    return {
        "contrast": contrast,
        "thickness_nm": thickness,
        "thickness_ramp": ramp,
        "dead_layer_nm": min(rng.uniform(10, 60), 0.3 * thickness * (1 - ramp / 2)),
        "beam_kv": float(rng.choice([60.0, 80.0, 200.0, 300.0])),
        "fringe_px": rng.uniform(4, 12),
        "blur_std_nm": min(blur_px * settings.pixel_size_nm, 1000.0),
        "diffraction_contrast": rng.uniform(0, min(0.2, contrast / 4)),
    }
