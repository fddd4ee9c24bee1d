"""Atomic lattices: columns of atoms in dark-field and bright-field movies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from napari_lowdose.specimens.lattice.crystals import CELLS, Columns, Crystal, tiling
from napari_lowdose.specimens.lattice.occupancy import Occupancy
from napari_lowdose.specimens.lattice.optics import Optics, Support
from napari_lowdose.specimens.lattice.settings import DRIFT_SHARE, Lattice
from napari_lowdose.specimens.lattice.supported_particle import (
    pivot_nm,
    platinum_on_ceria,
)
from napari_lowdose.specimens.scene import Happening, Scene, Tracks

# The turn wanders this far either way.
_MOST_TURN_DEG = 4.0
# The scene with the particle, in shares of the shorter edge.
_PARTICLE_SHARE, _SURFACE_SHARE = 0.3, 0.22


def render_lattice(settings: Lattice) -> Scene:
    """Simulate the columns of a crystal, which drift, turn, and lose or swap atoms.

    Returns
    -------
    Scene
        Expected brightness. Dark field: in units of the heaviest column of a perfect
        crystal. Bright field: electrons per pixel, 0.45 in the vacuum.

        The particles are the columns whose middle is in the frame, with the same id
        all the time. Their amplitude is what the column adds at its own middle
        (negative where it is dark), the support and its neighbours left out; for a
        column that is not visible, what the perfect one would add. The radius is the
        standard deviation of its Gaussian, averaged over the directions. A column
        without any atom is not visible; it blinks when its last atom leaves, and
        returns when one is back.

    References
    ----------
    P. D. Nellist and S. J. Pennycook, Ultramicroscopy 78, 111 (1999), Z contrast.
    S. Mohan et al., arXiv:2010.12970, platinum on ceria in the bright field.
    """
    rng = np.random.default_rng(settings.seed)
    columns = _columns(settings, rng)
    atoms = Occupancy.drawn(
        columns,
        vacancy_share=settings.vacancy_share,
        dopant_share=settings.dopant_share,
        blink_rate=settings.blink_rate,
        hops=settings.hop_rate > 0,
        rng=rng,
    )
    optics = Optics.of(settings, columns, rng)
    support = Support.of(settings, rng)
    frames = np.empty((settings.frames, *settings.shape), np.float32)
    tracks = Tracks()
    before = np.zeros((2, len(columns)), bool)
    for index, pose in enumerate(_poses(settings, rng)):
        if index:
            atoms.advance(
                blink_rate=settings.blink_rate,
                hop_rate=settings.hop_rate,
                damage_rate=settings.damage_rate,
                rng=rng,
            )
        position = pose.place(columns, settings)
        under = support.at(pose.drift_px)
        amplitude = optics.draw(frames[index], position, atoms, under)
        inside = _inside(position, settings.shape)
        tracks.note(
            index,
            ids=np.flatnonzero(inside),
            position=position[inside],
            radius=optics.radius_px[inside],
            amplitude=amplitude[inside],
            visible=atoms.visible[inside],
        )
        now = np.array([inside, atoms.visible])
        _tell(tracks, index, before, now)
        before = now
    return settings.scene("lattice", frames, tracks)


def _columns(settings: Lattice, rng: np.random.Generator) -> Columns:
    """Lay out the perfect crystal, by chance where the frame cuts it."""
    if settings.crystal is Crystal.PT_ON_CEO2:
        edge_nm = min(settings.shape) / settings.px_per_nm
        return platinum_on_ceria(
            radius_nm=settings.radius_nm,
            thickness_nm=settings.thickness_nm,
            particle_nm=settings.particle_radius_nm or _PARTICLE_SHARE * edge_nm,
            surface_nm=_SURFACE_SHARE * edge_nm,
            shift_nm=rng.uniform(-0.1, 0.1),
        )
    cell = CELLS[settings.crystal]
    return tiling(
        cell,
        radius_nm=settings.radius_nm,
        thickness_nm=settings.thickness_nm,
        origin_nm=rng.random(2) @ np.array(cell.vectors),
    )


def _tell(
    tracks: Tracks, frame: int, before: Bool[ndarray, "2 n"], now: Bool[ndarray, "2 n"]
) -> None:
    """Note which columns, in the frame then and now, went dark or came back."""
    stayed = before[0] & now[0]
    gone = np.flatnonzero(stayed & before[1] & ~now[1]).tolist()
    back = np.flatnonzero(stayed & now[1] & ~before[1]).tolist()
    tracks.happen(frame, Happening.BLINK, gone)
    tracks.happen(frame, Happening.RETURN, back)


def _inside(
    position: Float[ndarray, "n 2"], shape: tuple[int, int]
) -> Bool[ndarray, " n"]:
    """Tell which places are in the frame."""
    last = np.subtract(shape, 1)
    inside: ndarray = np.all((position >= 0) & (position <= last), axis=1)
    return inside


@dataclass(frozen=True)
class _Pose:
    """Where the crystal is in one frame: its drift, its turn, its constant stretch."""

    drift_px: Float[ndarray, " 2"]
    turn: float
    stretch: Float[ndarray, "2 2"]

    def place(self, columns: Columns, settings: Lattice) -> Float[ndarray, "n 2"]:
        """Bring columns into the frame, as (y, x) in pixels."""
        place = columns.position_nm
        middle = np.subtract(settings.shape, 1) / 2 + self.drift_px
        rotation = np.deg2rad(settings.rotation_deg)
        if settings.crystal is Crystal.PT_ON_CEO2:
            edge_nm = min(settings.shape) / settings.px_per_nm
            pivot = pivot_nm(_SURFACE_SHARE * edge_nm)
            turned = (place - pivot) @ _turn(self.turn).T + pivot
            place = np.where(columns.on_particle[:, None], turned, place)
        else:
            rotation += self.turn
        matrix = _turn(rotation) @ self.stretch * settings.px_per_nm
        placed: ndarray = place @ matrix.T + middle
        return placed


def _poses(settings: Lattice, rng: np.random.Generator) -> list[_Pose]:
    """Draw how the crystal moves: a steady drift to and fro, and a wandering turn."""
    axis, way = rng.uniform(0, 2 * np.pi, 2)
    along = np.array([np.sin(axis), np.cos(axis)])
    stretch = np.eye(2) + settings.strain * np.outer(along, along)
    n = settings.frames
    drift = _to_and_fro(
        settings.drift_px * np.arange(n), DRIFT_SHARE * min(settings.shape)
    )
    steps = rng.normal(0, 1, n) * np.deg2rad(settings.turn_deg)
    turn = _to_and_fro(np.cumsum(steps) - steps[0], np.deg2rad(_MOST_TURN_DEG))
    direction = np.array([np.sin(way), np.cos(way)])
    return [
        _Pose(far * direction, float(angle), stretch)
        for far, angle in zip(drift, turn, strict=True)
    ]


def _to_and_fro(way: Float[ndarray, " n"], limit: float) -> Float[ndarray, " n"]:
    """Turn a way back at plus and minus a limit."""
    folded: ndarray = np.abs(np.mod(way - limit, 4 * limit) - 2 * limit) - limit
    return folded


def _turn(angle: float) -> Float[ndarray, "2 2"]:
    """Give the matrix that turns (y, x) by an angle."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
