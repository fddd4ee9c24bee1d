import numpy as np
import pytest

from napari_lowdose.config import Polarity
from napari_lowdose.particles import detect, prevailing
from napari_lowdose.specimens import SPECIMENS, Catalyst, GaussianPeaks


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "movie",
    [
        Catalyst(frames=4, size=128, n_particles=16, contrast=3.0, radius_px=3.0),
        GaussianPeaks(frames=4, size=128),
    ],
    ids=lambda settings: type(settings).__name__,
)
def test_inverting_a_movie_of_particles_turns_what_prevails(movie, seed):
    kind = {Catalyst: "catalyst", GaussianPeaks: "gaussian_peaks"}[type(movie)]
    settings = movie.replaced({("seed",): seed})
    bright = SPECIMENS[kind].render(settings).stack.read()
    assert prevailing(bright) is Polarity.BRIGHT
    assert prevailing(bright.max() - bright) is Polarity.DARK


@pytest.mark.parametrize("n_frames", [1, 5, 40])
def test_bright_particles_are_looked_for_where_nothing_stands_out(n_frames):
    assert prevailing(np.full((n_frames, 32, 32), 3.0)) is Polarity.BRIGHT
    noise = np.random.default_rng(0).normal(10, 1, (n_frames, 32, 32))
    assert prevailing(noise) is Polarity.BRIGHT


def test_detection_wants_to_know_what_to_look_for():
    with pytest.raises(ValueError, match="bright, dark or both, got auto"):
        detect(np.zeros((1, 16, 16)), polarity=Polarity.AUTO)
