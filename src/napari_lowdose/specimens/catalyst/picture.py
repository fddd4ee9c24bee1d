"""What the detector sees of the metal."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.specimens.catalyst.adatoms import Adatoms, atom_volume
from napari_lowdose.specimens.catalyst.particles import Particles
from napari_lowdose.specimens.catalyst.projection import (
    look_up,
    peak_thickness,
    profiles,
    reach,
    union,
    volume,
)
from napari_lowdose.specimens.catalyst.settings import Catalyst
from napari_lowdose.specimens.gaussian_sum import add_gaussians
from napari_lowdose.specimens.scene import Tracks

# Scattering to high angles per nanometre of platinum over that of carbon, as Z^1.7 of
# 66.2 and 100 atoms per cubic nanometre.
_PLATINUM_PER_CARBON = 51.8
_SATURATION_NM = 75.0
_FACETS = np.pi / 3 * np.arange(3)  # directions of three pairs of parallel facets

Box = tuple[int, int, int, int]  # top, bottom, left, right


class Picture:
    """Draws metal, and tells how bright each piece of it is.

    Parameters
    ----------
    settings
        Pixel size, probe, contrast and facets are used.
    """

    def __init__(self, settings: Catalyst) -> None:
        self._settings = settings
        self._per_nm = _PLATINUM_PER_CARBON / settings.carbon_nm
        if settings.contrast:
            mean = peak_thickness(np.array([settings.radius_px]), settings.probe_px)
            self._per_nm *= settings.contrast / float(self.brightness(mean)[0])
        self._rounding = _rounding(settings.facets)
        self._profiles: dict[float, Float[ndarray, " rho"]] = {}

    def brightness(
        self, thickness: Float[ndarray, "*shape"]
    ) -> Float[ndarray, "*shape"]:
        """Turn thickness in pixels into carbons; thick metal saturates."""
        depth = thickness * (self._settings.pixel_size_nm / _SATURATION_NM)
        bright: ndarray = -self._per_nm * _SATURATION_NM * np.expm1(-depth)
        return bright

    def of(self, particles: Particles, adatoms: Adatoms) -> Float[ndarray, "y x"]:
        """Draw what is visible, in carbons."""
        thickness = np.zeros(self._settings.shape, np.float32)
        self._add_particles(thickness, particles)
        if len(adatoms.names):
            height = np.full(len(adatoms.names), self._atom_thickness())
            probe = self._settings.probe_px
            add_gaussians(thickness, adatoms.position, height, std_px=probe)
        return self.brightness(thickness)

    def note(
        self, tracks: Tracks, frame: int, particles: Particles, adatoms: Adatoms
    ) -> None:
        """Enter what has its centre in the frame into the table."""
        probe, inside = self._settings.probe_px, particles.all["inside"]
        seen, radius = particles.all[inside], particles.drawn_radius[inside]
        tracks.note(
            frame,
            ids=seen["id"],
            position=seen["position"],
            radius=radius,
            amplitude=self.brightness(peak_thickness(radius, probe)),
            visible=seen["visible"],
        )
        n = int(adatoms.inside.sum())
        tracks.note(
            frame,
            ids=adatoms.names[adatoms.inside],
            position=adatoms.position[adatoms.inside],
            radius=np.full(n, probe),
            amplitude=self.brightness(np.full(n, self._atom_thickness())),
            visible=np.ones(n, bool),
        )

    def _atom_thickness(self) -> float:
        """Give the height of the Gaussian that an atom's volume becomes."""
        return atom_volume(self._settings) / (2 * np.pi * self._settings.probe_px**2)

    def _add_particles(
        self, thickness: Float[ndarray, "y x"], particles: Particles
    ) -> None:
        probe, radius = self._settings.probe_px, particles.drawn_radius
        # Hexagons of the area of discs have corners a bit farther out.
        boxes = [
            _box(position, (1 + 0.1 * self._settings.facets) * reach(size, probe))
            for position, size in zip(particles.all["position"], radius, strict=True)
        ]
        profile = self._known_profiles(radius)

        def seen(place: int | np.integer, box: Box) -> Float[ndarray, "y x"]:
            one = particles.all[place]
            distance = self._distance(box, one["position"], float(one["turn"]))
            return look_up(profile[place], distance, probe)

        merging = particles.all["partner"] >= 0
        for place in np.flatnonzero(particles.all["visible"] & ~merging):
            if _meets(boxes[place], thickness):
                _add(thickness, boxes[place], seen(place, boxes[place]))
        for one, other in particles.pairs():
            box = _around(boxes[one], boxes[other])
            if _meets(box, thickness):
                both = np.stack([seen(one, box), seen(other, box)])
                _add(thickness, box, self._joined(both, particles, one, other))

    def _joined(
        self, both: Float[ndarray, "2 y x"], particles: Particles, one: int, other: int
    ) -> Float[ndarray, "y x"]:
        """Draw a merging pair."""
        position, radius = particles.all["position"], particles.all["radius"]
        distance = np.hypot(*(position[one] - position[other]))
        depth = particles.drawn_radius[[one, other]].sum() - distance
        return union(
            both,
            depth=max(float(depth), 0.0) / self._settings.probe_px,
            content=float(volume(radius[[one, other]]).sum()),
        )

    def _known_profiles(
        self, radius: Float[ndarray, " n"]
    ) -> list[Float[ndarray, " rho"]]:
        """Find the profiles of spheres; most were drawn in the frame before."""
        sizes = radius.tolist()
        new = [size for size in dict.fromkeys(sizes) if size not in self._profiles]
        drawn = profiles(np.array(new), self._settings.probe_px)
        known = {**self._profiles, **dict(zip(new, drawn, strict=True))}
        self._profiles = {size: known[size] for size in sizes}
        return [known[size] for size in sizes]

    def _distance(
        self, box: Box, position: Float[ndarray, " 2"], turn: float
    ) -> Float[ndarray, "y x"]:
        """Measure distances so that those of one outline are equal."""
        top, bottom, left, right = box
        y = (np.arange(top, bottom) - position[0])[:, None]
        x = (np.arange(left, right) - position[1])[None, :]
        distance: ndarray = np.sqrt(y**2 + x**2)
        share = self._settings.facets
        if share:
            flat = _hexagonal(y, x, turn)
            distance = ((1 - share) * distance + share * flat) * self._rounding
        return distance


def _hexagonal(
    y: Float[ndarray, "y 1"], x: Float[ndarray, "1 x"], turn: float
) -> Float[ndarray, "y x"]:
    """Measure how far out positions are by hexagons with round corners: an 8-norm."""
    eighth: ndarray = np.zeros(())
    for angle in _FACETS + turn:
        square = (y * np.sin(angle) + x * np.cos(angle)) ** 2
        square *= square
        eighth = eighth + square * square
    flat: ndarray = np.sqrt(np.sqrt(np.sqrt(eighth)))
    return flat


def _rounding(share: float) -> float:
    """Find the factor that gives an outline with facets the area of a disc."""
    angle = np.linspace(0, np.pi, 3001)[:-1]
    flat = (np.cos(angle[:, None] - _FACETS) ** 8).sum(axis=1) ** (1 / 8)
    return float(np.sqrt(np.mean(((1 - share) + share * flat) ** -2.0)))


def _box(position: Float[ndarray, " 2"], reach_px: float) -> Box:
    top, left = np.floor(position - reach_px).astype(int)
    bottom, right = np.ceil(position + reach_px).astype(int) + 1
    return int(top), int(bottom), int(left), int(right)


def _around(one: Box, other: Box) -> Box:
    return (
        min(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        max(one[3], other[3]),
    )


def _meets(box: Box, image: Float[ndarray, "y x"]) -> bool:
    rows, columns = image.shape
    return box[0] < rows and box[1] > 0 and box[2] < columns and box[3] > 0


def _add(
    image: Float[ndarray, "y x"], box: Box, patch: Float[ndarray, "rows columns"]
) -> None:
    """Add a patch to the part of an image where it lies."""
    top, _, left, _ = box
    skip_y, skip_x = max(-top, 0), max(-left, 0)
    part = image[max(top, 0) : box[1], max(left, 0) : box[3]]
    part += patch[skip_y:, skip_x:][: part.shape[0], : part.shape[1]]
