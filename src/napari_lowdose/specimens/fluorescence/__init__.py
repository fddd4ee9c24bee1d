"""Live cells in fluorescence: filaments, vesicles, bleaching.

`settings` is what the user decides and how samples differ; `cells`, `filaments` and
`vesicles` are what glows and how it moves.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, Integer
from numpy import ndarray

from napari_lowdose.specimens.fluorescence.cells import Cells
from napari_lowdose.specimens.fluorescence.filaments import Filaments
from napari_lowdose.specimens.fluorescence.settings import (
    Fluorescence,
    vary_fluorescence,
)
from napari_lowdose.specimens.fluorescence.vesicles import Vesicles
from napari_lowdose.specimens.gaussian_sum import add_gaussians
from napari_lowdose.specimens.scene import Scene, Tracks

__all__ = ["Fluorescence", "render_fluorescence", "vary_fluorescence"]

_HAZE_STD_PX = 8.0


def render_fluorescence(settings: Fluorescence) -> Scene:
    """Simulate live cells whose filaments sway and whose vesicles travel.

    Parameters
    ----------
    settings
        What glows, how brightly, and how it moves.

    Returns
    -------
    Scene
        Brightness in units of a background of 1, which does not bleach; everything else
        fades exponentially. The particles are the vesicles: Gaussian spots whose
        radius is the standard deviation of the blur, and whose amplitude is what they
        add at their centre in that frame, bleached; while dark they add nothing.
        One that bleaches at once, or leaves the focus, dies. Without vesicles, the
        same seed gives the same cells and filaments.

    References
    ----------
    C. P. Brangwynne et al., Biophys. J. 93, 346 (2007), bending of microtubules.
    N. Chenouard et al., Nat. Methods 11, 281 (2014), vesicles to be tracked.
    """
    cell_rng, filament_rng, vesicle_rng = (
        np.random.default_rng([settings.seed, part]) for part in range(3)
    )
    cells = Cells.scattered(
        settings.n_cells, settings.shape, cell_rng, radius=settings.cell_radius_px
    )
    owner = np.arange(settings.n_filaments) % max(settings.n_cells, 1)
    filaments = _filaments(settings, cells, owner, filament_rng)
    vesicles = _vesicles(settings, filaments, vesicle_rng)
    tracks = Tracks()
    frames = np.empty((settings.frames, *settings.shape), np.float32)
    for t, frame in enumerate(frames):
        if t:
            steps = cells.advance(cell_rng, crawl_px=settings.crawl_px)
            filaments.advance(
                filament_rng,
                growth_px=settings.growth_px,
                carried=steps[owner] if len(steps) else np.zeros((len(owner), 2)),
            )
            vesicles.move(
                t,
                filaments,
                vesicle_rng,
                diffusion_px=settings.diffusion_px,
                transport_px=settings.transport_px,
            )
            vesicles.blink(t, vesicle_rng, tracks, blink_rate=settings.blink_rate)
        left = (1 - settings.bleached_share) ** (t / max(settings.frames - 1, 1))
        frame[:] = 1 + np.float32(left) * _glow(settings, cells, filaments)
        _add_vesicles(frame, t, settings, vesicles, tracks, left)
    return settings.scene("fluorescence", frames, tracks)


def _filaments(
    settings: Fluorescence,
    cells: Cells,
    owner: Integer[ndarray, " n"],
    rng: np.random.Generator,
) -> Filaments:
    """Let filaments grow from the rims of nuclei, or anywhere without cells."""
    n = settings.n_filaments
    heading = rng.uniform(0, 2 * np.pi, n)
    base = rng.uniform(0, 1, (n, 2)) * settings.shape
    if len(cells.radius):
        base = cells.rim_of_nucleus(owner, heading)
        heading = heading + rng.normal(0, 0.5, n)
    return Filaments.grown(
        base,
        heading,
        rng,
        length_px=settings.filament_length_px,
        sway_px=settings.sway_px,
    )


def _vesicles(
    settings: Fluorescence, filaments: Filaments, rng: np.random.Generator
) -> Vesicles:
    vesicles = Vesicles.scattered(
        settings.n_vesicles,
        settings.shape,
        rng,
        frames=settings.frames,
        turnover_rate=settings.turnover_rate,
    )
    vesicles.board(filaments, rng)
    return vesicles


def _glow(
    settings: Fluorescence, cells: Cells, filaments: Filaments
) -> Float[ndarray, "y x"]:
    """Draw cells and filaments, and their light out of focus."""
    body = np.zeros(settings.shape, np.float32)
    cells.draw(body, nucleus_brightness=settings.nucleus_brightness)
    lines = np.zeros(settings.shape, np.float32)
    filaments.draw(lines, psf_std_px=settings.psf_std_px)
    glow: ndarray = settings.cell_brightness * body
    glow += settings.filament_brightness * lines
    if settings.haze:
        glow += settings.haze * cv2.GaussianBlur(glow, (0, 0), _HAZE_STD_PX)
    return glow


def _add_vesicles(
    frame: Float[ndarray, "y x"],
    t: int,
    settings: Fluorescence,
    vesicles: Vesicles,
    tracks: Tracks,
    left: float,
) -> None:
    """Draw the vesicles that are lit, and note all of them."""
    ids = vesicles.alive(t)
    position, visible = vesicles.position[ids], vesicles.visible[ids]
    amplitude = settings.vesicle_brightness * left * vesicles.share[ids]
    add_gaussians(
        frame, position[visible], amplitude[visible], std_px=settings.psf_std_px
    )
    tracks.note(
        t,
        ids=ids,
        position=position,
        radius=np.full(len(ids), settings.psf_std_px),
        amplitude=amplitude,
        visible=visible,
    )
