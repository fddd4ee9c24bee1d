"""The field of a silicon PN junction whose bias changes in time.

`settings` is what the user decides and `ranges` how samples differ; `depletion` is the
physics along the junction's normal, `lamella` the slice that is seen, `bias` the
voltage in time.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.specimens.pn_junction.bias import course
from napari_lowdose.specimens.pn_junction.lamella import Lamella
from napari_lowdose.specimens.pn_junction.ranges import vary_pn_junction
from napari_lowdose.specimens.pn_junction.settings import PNJunction, Shown
from napari_lowdose.specimens.scene import Scene

__all__ = [
    "PNJunction",
    "Shown",
    "cut_lamella",
    "render_pn_junction",
    "vary_pn_junction",
]

_SHIFT = 0.1  # of the frame: how far off its centre the junction may lie
_TEXTURE_STD_PX = 6.0
_DARKEST_TEXTURE = 0.2

Signal = Callable[[float], Float[ndarray, "y x"]]


def render_pn_junction(settings: PNJunction) -> Scene:
    """Simulate a junction whose depletion region breathes with the bias.

    Parameters
    ----------
    settings
        The junction, its bias, and what of it is seen.

    Returns
    -------
    Scene
        Brightness ``texture * (1 + contrast * signal)``, where the texture (diffraction
        contrast) has mean 1. The signal of a hologram is the cosine of carrier and
        phase. Any other is field, charge or potential times the thickness that holds
        it, divided by its largest size at the bias that depletes most: strength of the
        field and phase go up from the background (the p side), a part of the field
        and the charge go both ways. There are no particles and no events.

    References
    ----------
    M. R. McCartney and D. J. Smith, Annu. Rev. Mater. Res. 37, 729 (2007), holograms.
    N. Shibata et al., Sci. Rep. 5, 10040 (2015), differential phase contrast.
    """
    rng = np.random.default_rng(settings.seed)
    lamella = cut_lamella(settings, rng)
    texture = _texture(settings, rng)
    volts = settings.bias_volts + settings.swing_volts * course(
        settings.waveform,
        settings.frames,
        rng,
        period=settings.bias_period_frames,
        settling=settings.bias_settling_frames,
    )
    signal = _signal(settings, lamella)
    frames = np.empty((settings.frames, *settings.shape), np.float32)
    for frame, bias in zip(frames, volts, strict=True):
        frame[:] = texture * (1 + settings.contrast * signal(float(bias)))
    # A contrast of 1 may end a rounding error below zero.
    return settings.scene("pn_junction", np.maximum(frames, 0, out=frames))


def cut_lamella(settings: PNJunction, rng: np.random.Generator) -> Lamella:
    """Cut the slice that a movie shows; where the line lies in it is up to chance.

    The movie of some settings takes `numpy.random.default_rng` of their seed.
    """
    pixel = settings.pixel_size_nm * 1e-9
    rows, columns = settings.shape
    y, x = np.mgrid[:rows, :columns].astype(np.float64)
    y, x = (y - (rows - 1) / 2) * pixel, (x - (columns - 1) / 2) * pixel
    angle = np.deg2rad(settings.rotation_deg)
    extent = min(rows, columns) * pixel
    across = (
        x * np.cos(angle) + y * np.sin(angle) - rng.uniform(-1, 1) * _SHIFT * extent
    )
    along = y * np.cos(angle) - x * np.sin(angle)
    wedge = rng.uniform(0, 2 * np.pi)
    slope = (x * np.cos(wedge) + y * np.sin(wedge)) / np.hypot(rows, columns) / pixel
    thickness = settings.thickness_nm * (1 + settings.thickness_ramp * slope)
    return Lamella(
        settings.junction,
        settings.line(rng.uniform(0, 2 * np.pi)).distance(across, along),
        (thickness - 2 * settings.dead_layer_nm) * 1e-9,
        pixel,
        settings.blur_std_nm * 1e-9,
    )


def _signal(settings: PNJunction, lamella: Lamella) -> Signal:
    """Give what is shown as a function of the bias, at most 1 in size."""
    if settings.shown is Shown.HOLOGRAM:
        carrier = _carrier(settings)
        return lambda bias: np.cos(
            carrier + lamella.phase(bias, beam_kv=settings.beam_kv)
        )
    seen, weight = {
        Shown.FIELD: (lamella.field_along_normal, -1.0),
        Shown.FIELD_X: (lamella.field_along_normal, lamella.normal[1]),
        Shown.FIELD_Y: (lamella.field_along_normal, lamella.normal[0]),
        Shown.CHARGE: (lamella.charge_density, 1.0),
        Shown.PHASE: (lamella.potential, 1.0),
    }[settings.shown]
    gain = weight * lamella.thickness / _strongest(settings, lamella)
    return lambda bias: gain * seen(bias)


def _strongest(settings: PNJunction, lamella: Lamella) -> float:
    """Give a signal's largest size before division, wherever the line may lie."""
    junction, bias = settings.junction, settings.lowest_bias
    profile = {
        Shown.CHARGE: junction.charge_density,
        Shown.PHASE: junction.potential,
    }.get(settings.shown, junction.electric_field)
    reach = 2 * junction.width(bias)
    values = profile(np.linspace(-reach, reach, 4001), bias)
    return float(np.abs(values).max() * lamella.thickness.max())


def _carrier(settings: PNJunction) -> Float[ndarray, "y x"]:
    """Lay the fringes across the junction, so that its phase bends them."""
    y, x = np.mgrid[: settings.shape[0], : settings.shape[1]]
    angle = np.deg2rad(settings.rotation_deg)
    along = y * np.cos(angle) - x * np.sin(angle)
    phase: ndarray = 2 * np.pi / settings.fringe_px * along
    return phase


def _texture(settings: PNJunction, rng: np.random.Generator) -> Float[ndarray, "y x"]:
    """Draw diffraction contrast: a smooth random field of mean 1."""
    noise = rng.standard_normal(settings.shape)
    smooth = cv2.GaussianBlur(noise, (0, 0), _TEXTURE_STD_PX)
    smooth = (smooth - smooth.mean()) / max(smooth.std(), 1e-12)
    texture: ndarray = np.maximum(
        1 + settings.diffraction_contrast * smooth, _DARKEST_TEXTURE
    )
    return texture
