import numpy as np
import pytest

from napari_lowdose.noise import Inverse, anscombe, inverse_anscombe

N = 400_000
DETECTOR = {"gain": 3.0, "offset": 50.0, "readout_std": 4.0}


def recorded(electrons: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    counts = DETECTOR["gain"] * rng.poisson(electrons, N) + DETECTOR["offset"]
    return counts + rng.normal(0, DETECTOR["readout_std"], N)


@pytest.mark.parametrize("electrons", [4, 20, 100, 1000])
def test_the_noise_becomes_one(electrons):
    """Known answer 2: deviation 1.00 from four electrons on."""
    stable = anscombe(recorded(electrons), **DETECTOR)
    # the transform is good to 0.02 at four; N samples tell it to 0.001
    assert stable.std() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(
    ("electrons", "std"), [(0.1, 0.34), (0.5, 0.68), (1, 0.85), (2, 0.96)]
)
def test_without_readout_noise_it_fails_below_two_electrons_as_is_known(electrons, std):
    counts = np.random.default_rng(0).poisson(electrons, N)
    # the notes give two digits
    assert anscombe(counts).std() == pytest.approx(std, abs=0.01)


@pytest.mark.parametrize(
    ("electrons", "algebraic", "unbiased"),
    [(0.5, 0.26, 0.47), (1, 0.75, 0.97), (2, 1.73, 1.98), (5, 4.74, 5.01),
     (20, 19.75, 20.02)],
)  # fmt: skip
def test_the_unbiased_inverse_gives_the_mean_back(electrons, algebraic, unbiased):
    """Known answer 3, at a readout noise of one electron."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(electrons, 4 * N) + rng.normal(0, 1, 4 * N)
    denoised = anscombe(counts, readout_std=1.0).mean(dtype=float, keepdims=True)
    for kind, expected in (
        (Inverse.ALGEBRAIC, algebraic),
        (Inverse.UNBIASED, unbiased),
    ):
        electron = inverse_anscombe(denoised, readout_std=1.0, kind=kind)
        # the notes give two digits; a mean of 1.6 million is known to sqrt(20) 0.0008
        assert electron[0] == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("kind", Inverse)
def test_all_inverses_agree_at_many_electrons(kind):
    counts = recorded(1000)
    denoised = anscombe(counts, **DETECTOR).mean(dtype=float, keepdims=True)
    # they differ by a fourth of an electron
    assert inverse_anscombe(denoised, **DETECTOR, kind=kind)[0] == pytest.approx(
        3050, abs=0.3 * DETECTOR["gain"]
    )


def test_the_algebraic_inverse_undoes_the_transform():
    counts = recorded(20).astype(np.float32)
    stable = anscombe(counts, **DETECTOR)
    back = inverse_anscombe(stable, **DETECTOR, kind=Inverse.ALGEBRAIC)
    assert stable.dtype == back.dtype == np.float32
    # single precision of numbers near 100
    np.testing.assert_allclose(back, counts, atol=1e-4)


def test_the_dark_stays_dark():
    # no series in 1 / d runs away where hardly an electron is
    stable = np.linspace(0, 3, 301, dtype=np.float32)
    electrons = inverse_anscombe(stable)
    assert electrons[0] == 0
    assert (np.diff(electrons) >= -1e-6).all()


@pytest.mark.parametrize("detector", [{"gain": 0.0}, {"readout_std": -1.0}])
def test_impossible_detectors_are_refused(detector):
    for function in (anscombe, inverse_anscombe):
        with pytest.raises(ValueError, match="expected a"):
            function(np.ones(3, np.float32), **detector)
