import numpy as np
import pytest

from napari_lowdose.objectives import OBJECTIVES, Patches


def patches_of(noisy, truth=None, mean=0.0, std=1.0, **detector) -> Patches:
    ones = np.ones((len(noisy), 1, 1))
    return Patches(noisy, truth, mean=mean * ones, std=std * ones, **detector)


@pytest.fixture
def poisson():
    rng = np.random.default_rng(0)
    truth = np.full((16, 64, 64), 0.7)
    return rng.poisson(truth), truth


@pytest.mark.parametrize("name", OBJECTIVES)
def test_batches_keep_the_shape_and_come_from_the_seed(name, poisson):
    fill = OBJECTIVES[name].fill
    patches = patches_of(*poisson)
    first, again = (fill(patches, np.random.default_rng(1)) for _ in range(2))
    assert first.input.shape == first.target.shape == patches.noisy.shape
    assert first.input.dtype == first.target.dtype == np.float32
    np.testing.assert_array_equal(first.input, again.input)
    np.testing.assert_array_equal(first.target, again.target)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_mean_target_is_the_truth(name, poisson):
    """Known answer 17: no bias at counts below one, where value masks have it."""
    batch = OBJECTIVES[name].fill(patches_of(*poisson), np.random.default_rng(1))
    mask = np.ones(batch.target.shape, bool) if batch.mask is None else batch.mask
    target = batch.target[mask]
    # four standard errors of the mean of the pixels that count
    error = 4 * target.std() / np.sqrt(target.size)
    assert target.mean() == pytest.approx(0.7, abs=max(error, 1e-6))


def test_thinned_input_and_target_are_independent(poisson):
    batch = OBJECTIVES["thinning"].fill(patches_of(*poisson), np.random.default_rng(1))
    correlation = np.corrcoef(batch.input.ravel(), batch.target.ravel())[0, 1]
    assert abs(correlation) < 3 / np.sqrt(batch.input.size)


def test_thinning_knows_the_detector(poisson):
    electrons, truth = poisson
    patches = patches_of(electrons * 3.0 + 20, mean=20, std=3, gain=3.0, offset=20.0)
    batch = OBJECTIVES["thinning"].fill(patches, np.random.default_rng(1))
    # normalization undoes the detector here, so both means are electrons; four errors
    for part in (batch.input, batch.target):
        assert part.mean() == pytest.approx(
            truth.mean(), abs=4 * part.std() / np.sqrt(part.size)
        )


def test_thinning_splits_readout_noise_too():
    rng = np.random.default_rng(0)
    noisy = 2 * rng.poisson(8.0, (16, 64, 64)) + rng.normal(100, 3, (16, 64, 64))
    patches = patches_of(noisy, gain=2.0, offset=100.0, readout_std=3.0)
    batch = OBJECTIVES["thinning"].fill(patches, np.random.default_rng(1))
    # what is left of the correlation at eight electrons is below 0.01
    correlation = np.corrcoef(batch.input.ravel(), batch.target.ravel())[0, 1]
    assert abs(correlation) < 0.01 + 3 / np.sqrt(noisy.size)
    for part in (batch.input, batch.target):
        assert part.mean() == pytest.approx(
            116, abs=4 * part.std() / np.sqrt(part.size)
        )


@pytest.mark.parametrize("shape", [(2, 64, 64), (3, 9, 31), (1, 1, 5)])
def test_hidden_pixels_are_replaced_and_no_others(shape):
    noisy = np.arange(np.prod(shape), dtype=float).reshape(shape)
    batch = OBJECTIVES["noise2void"].fill(patches_of(noisy), np.random.default_rng(1))
    changed = batch.input != batch.target
    # all values differ, so each hidden pixel must have changed: never its own stand-in
    np.testing.assert_array_equal(changed, batch.mask)
    assert batch.mask.any(axis=(1, 2)).all()


def test_supervised_without_truth_is_refused(poisson):
    with pytest.raises(ValueError, match="needs the truth"):
        OBJECTIVES["supervised"].fill(patches_of(poisson[0]), np.random.default_rng())
