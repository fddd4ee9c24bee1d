"""Movies for base models, simulated while they train: nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.base_models.cubes import Cubes, add_drawn_noise, crop, joined
from napari_lowdose.specimens import SPECIMENS
from napari_lowdose.specimens.draws import log_uniform

# How often each kind of movie is drawn; flat ones teach to invent nothing.
_SHARES = {
    "catalyst": 0.31,
    "fluorescence": 0.16,
    "lattice": 0.23,
    "pn_junction": 0.13,
    "gaussian_peaks": 0.11,
    "flat": 0.06,
}
_FRAMES = (40, 72)
_SIZES = (80, 144)
_STRIDES = (0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3)  # 0: nothing moves
_INVERTED = 0.2
_LIFTED = 0.5
_USES = 8  # of a movie, on average, before another one takes its place
_NOISE = 1  # sets its random numbers apart from those of the movie


def simulated_movie(seed: int, number: int) -> Float[ndarray, "t y x"]:
    """Render movie `number` of a seed: expected brightness, with a mean of 1."""
    rng = np.random.default_rng([seed, number])
    kind = str(rng.choice([*_SHARES], p=[*_SHARES.values()]))
    frames, size = int(rng.integers(*_FRAMES)), int(rng.integers(*_SIZES))
    if kind == "flat":
        return np.ones((frames, size, size), np.float32)
    specimen = SPECIMENS[kind]
    stride = int(rng.choice(_STRIDES))
    start = specimen.settings(frames=frames * max(stride, 1), size=size)
    movie: ndarray = specimen.render(specimen.vary(start, rng)).stack.read()
    # Faster than it was, or standing still.
    movie = movie[::stride] if stride else np.repeat(movie[:1], frames, axis=0)
    if rng.random() < _INVERTED:
        movie = np.maximum(np.quantile(movie, 0.999) - movie, 0)
    movie = movie / max(float(movie.mean()), 1e-6)
    if rng.random() < _LIFTED:
        ground = log_uniform(rng, 0.1, 30)
        movie = (movie + ground) / (1 + ground)
    return movie.astype(np.float32)


@dataclass
class MoviePool:
    """The noisy movies of the moment; crops are drawn from them, and they are replaced.

    Parameters
    ----------
    n_movies
        How many are kept.
    seed
        Start of the random numbers: the same seed gives the same movies.
    doses
        The lowest and the highest, in quanta per pixel.
    first
        Number of the first movie.
    """

    n_movies: int
    seed: int
    doses: tuple[float, float]
    first: int = 0

    def __post_init__(self) -> None:
        self._next = self.first + self.n_movies
        self._movies = [self._exposed(n) for n in range(self.first, self._next)]
        self._owed = 0.0

    def draw(
        self, rng: np.random.Generator, n_cubes: int, frames: int, size_px: int
    ) -> Cubes:
        """Draw crops, each of another movie, mirrored and turned by chance."""
        chosen = rng.choice(self.n_movies, n_cubes, replace=False)
        cubes = [
            crop(self._movies[movie], rng, (frames, size_px, size_px))
            for movie in chosen
        ]
        self._renew(n_cubes / _USES)
        return joined(cubes)

    def _exposed(self, number: int) -> Cubes:
        movie = simulated_movie(self.seed, number)
        rng = np.random.default_rng([self.seed, number, _NOISE])
        return add_drawn_noise(movie, rng, self.doses)

    def _renew(self, owed: float) -> None:
        self._owed += owed
        while self._owed >= 1:
            place = (self._next - self.first) % self.n_movies
            self._movies[place] = self._exposed(self._next)
            self._next += 1
            self._owed -= 1
