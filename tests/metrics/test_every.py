"""All scores at once: complete, repeatable, and each with its reading."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_lowdose.metrics import EVERY_SCORE, METRICS, scores_of
from napari_lowdose.specimens import SPECIMENS
from napari_lowdose.specimens.lattice import Lattice


def denoise(counts):
    return ndimage.gaussian_filter(counts.astype(np.float32), (1, 1, 1))


@pytest.fixture(scope="module")
def crystal():
    """Expected and recorded counts, of a camera with gain and offset."""
    settings = Lattice(frames=12, size=96, pixel_size_nm=0.016)
    electrons = SPECIMENS["lattice"].render(settings).stack.read()
    electrons = 5 * electrons / electrons.mean()
    noisy = np.random.default_rng(0).poisson(electrons)
    return 3.0 * electrons + 20, 3.0 * noisy + 20


@pytest.fixture(scope="module")
def scores(crystal):
    truth, noisy = crystal
    return scores_of(
        denoise(noisy),
        noisy=noisy,
        truth=truth,
        denoise=denoise,
        gain=3.0,
        offset=20.0,
        pixel_size=0.16,
        lattice_constant=3.18,
        seen_frames=4,
        box=(0, 16, 0, 16),
    )


def test_with_everything_at_hand_every_score_is_measured(scores):
    assert list(scores) == list(EVERY_SCORE)
    for name, score in scores.items():
        assert np.isfinite(score.value), name
        assert name == "bragg_spacing" or score.std_error >= 0, name


def test_errors_without_truth_are_those_with_it(scores):
    # judged at 0.8 of the dose, where noise is a quarter more
    assert scores["mse"].value < scores["thinned_mse"].value + 3 * (
        scores["thinned_mse"].std_error
    )
    assert scores["thinned_mse"].value < 1.3 * scores["mse"].value + 3 * (
        scores["thinned_mse"].std_error
    )
    assert scores["thinned_psnr"].value == pytest.approx(
        scores["psnr"].value, abs=1.2 + 3 * scores["thinned_psnr"].std_error
    )


@pytest.mark.parametrize("name", EVERY_SCORE)
def test_a_score_says_its_range_its_direction_and_when_it_lies(name):
    score = EVERY_SCORE[name]
    assert score.range
    assert score.summary.endswith(".")
    assert len(score.summary) > 60
    assert score.direction.endswith("is better")
    if score.best is not None:
        assert not score.higher_is_better


def test_scores_of_the_table_are_among_them():
    assert [EVERY_SCORE[name] for name in METRICS] == list(METRICS.values())


def test_one_seed_gives_one_result_and_other_scores_change_nothing(crystal):
    truth, noisy = crystal
    estimate = denoise(noisy)
    alone = scores_of(estimate, noisy=noisy, gain=3.0, offset=20.0, seed=4)
    again = scores_of(estimate, noisy=noisy, truth=truth, gain=3.0, offset=20.0, seed=4)
    assert alone.keys() < again.keys()
    assert {name: again[name] for name in alone} == alone


def test_counts_that_are_none_are_not_shared_out(crystal):
    _, noisy = crystal
    found = scores_of(denoise(noisy), noisy=noisy + 0.5, denoise=denoise)
    assert "thinned_mse" not in found
    assert "noisy_frc" not in found
    assert "noise2self" in found


def test_little_data_allow_few_scores():
    one = np.random.default_rng(0).poisson(4, (1, 8, 8))
    assert scores_of(one) == {}
    found = scores_of(one * 0.5, noisy=one, truth=one + 1, seen_frames=0)
    assert set(found) == {
        "mse", "psnr", "deviance", "bias", "bias_rms", "slope", "intercept",
        "residual_mean", "residual_z", "residual_chi2", "residual_right",
        "residual_below",
    }  # fmt: skip
    assert np.isnan(found["mse"].std_error)
    empty = np.zeros((3, 40, 40))
    assert "residual_chi2" not in scores_of(empty, noisy=empty)


def test_stacks_that_do_not_belong_together_are_refused():
    stack = np.ones((3, 8, 8))
    with pytest.raises(ValueError, match="noisy stack of the estimate's shape"):
        scores_of(stack, noisy=stack[1:])
    with pytest.raises(ValueError, match="truth of the estimate's shape"):
        scores_of(stack, truth=stack[:, 1:])
    with pytest.raises(ValueError, match=r"\(t, y, x\), got \(8, 8\)"):
        scores_of(stack[0])
