"""The carbon film under the particles."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy import ndimage

from napari_lowdose.specimens.catalyst.settings import Catalyst

_THINNEST = 0.1  # of the mean; rough films do not end
_VACUUM = 0.02  # stray electrons in a hole
_HOLE_EDGE_PX = 1.5


@dataclass(frozen=True)
class Carbon:
    """A rough film with a ramp of thickness, perhaps with a hole, that drifts.

    It is larger than the frame by a margin all around and periodic, so that it never
    ends however far it drifts. Positions are pixels of the frame.

    Parameters
    ----------
    film
        Its brightness, 1 on average, at frame 0; its first pixel is the frame's.
    ramp
        What its brightness is multiplied by: fixed to the frame.
    margin
        Pixels beyond each rim of the frame that belong to it.
    drift
        Pixels per frame along y and x.
    hole, hole_px
        Centre (y, x) at frame 0, and radius.
    """

    film: Float[ndarray, "rows columns"]
    ramp: Float[ndarray, "y x"]
    margin: int
    drift: Float[ndarray, " 2"]
    hole: Float[ndarray, " 2"]
    hole_px: float

    @classmethod
    def drawn(cls, settings: Catalyst, rng: np.random.Generator) -> Carbon:
        """Draw a film; particles are out of sight in the middle of its margin."""
        margin = int(np.ceil(3 * settings.radius_px + 5 * settings.probe_px))
        rows, columns = settings.shape
        shape = (rows + 2 * margin, columns + 2 * margin)
        texture = ndimage.gaussian_filter(
            rng.standard_normal(shape), settings.carbon_texture_px, mode="wrap"
        )
        texture *= settings.carbon_texture / max(texture.std(), 1e-12)
        film = np.maximum(1 + texture, _THINNEST)
        ramp = _ramp(settings, rng.uniform(0, 2 * np.pi))
        angle = rng.uniform(0, 2 * np.pi)
        drift = settings.drift_px * np.array([np.sin(angle), np.cos(angle)])
        hole = rng.uniform(0, 1, 2) * settings.shape
        carbon = cls(
            film.astype(np.float32), ramp, margin, drift, hole, settings.hole_px
        )
        if settings.hole_px:
            grid = np.moveaxis(np.indices(shape).astype(float), 0, -1)
            depth = settings.hole_px - carbon.from_hole(grid.reshape(-1, 2), 0)
            share = 1 / (1 + np.exp(np.clip(depth / (_HOLE_EDGE_PX / 3), -50, 50)))
            carbon.film[:] = _VACUUM + (film - _VACUUM) * share.reshape(shape)
        return carbon

    def window(self, frame: int) -> Float[ndarray, "y x"]:
        """Show the part of the film that a frame sees."""
        whole, rest = np.divmod(-self.drift * frame, 1)
        film = self.film
        for axis, length in enumerate(self.ramp.shape):
            wanted = np.arange(length + 3) - 1 + int(whole[axis])
            film = film.take(wanted, axis=axis, mode="wrap")
        if rest.any():
            film = cv2.sepFilter2D(
                film, -1, _cubic(rest[1]), _cubic(rest[0]), anchor=(1, 1)
            )
        window: ndarray = film[1:-2, 1:-2] * self.ramp
        return window

    def from_hole(
        self, position: Float[ndarray, "n 2"], frame: int
    ) -> Float[ndarray, " n"]:
        """Give the distance of positions to the centre of the hole, in pixels."""
        period = np.array(self.film.shape)
        away = position - self.hole - self.drift * frame
        away = np.mod(away + period / 2, period) - period / 2
        distance: ndarray = np.hypot(*away.T)
        return distance

    def carries(
        self, position: Float[ndarray, "n 2"], frame: int
    ) -> Bool[ndarray, " n"]:
        """Tell which positions are not in the hole."""
        carried: ndarray = self.from_hole(position, frame) >= self.hole_px
        return carried

    def sees(self, position: Float[ndarray, "*n 2"]) -> Bool[ndarray, "*n"]:
        """Tell which positions are in the frame."""
        last = np.subtract(self.ramp.shape, 1)
        return np.asarray(((position >= 0) & (position <= last)).all(axis=-1))

    def drifted(
        self, position: Float[ndarray, "n 2"], *, around: Bool[ndarray, " n"]
    ) -> Float[ndarray, "n 2"]:
        """Drift by one frame; some go around to the film's other side at its end."""
        moved = position + self.drift
        inside = np.mod(moved + self.margin, self.film.shape) - self.margin
        drifted: ndarray = np.where(around[:, None], inside, moved)
        return drifted


def _ramp(settings: Catalyst, angle: float) -> Float[ndarray, "y x"]:
    """Draw a plane that is 1 in the middle."""
    rows, columns = settings.shape
    y = (np.arange(rows) / rows - 0.5)[:, None]
    x = (np.arange(columns) / columns - 0.5)[None, :]
    plane = 1 + settings.carbon_ramp * (y * np.sin(angle) + x * np.cos(angle))
    ramp: ndarray = plane.astype(np.float32)
    return ramp


def _cubic(rest: float) -> Float[ndarray, " 4"]:
    """Weigh four neighbours to read between the middle two.

    R. G. Keys, IEEE Trans. Acoust. Speech Signal Process. 29, 1153 (1981).
    """
    t = np.array([1 + rest, rest, 1 - rest, 2 - rest])
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return np.where(t <= 1, near, far).astype(np.float32)
