import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter

from napari_lowdose.config import Fusion
from napari_lowdose.fusion import disagreement, fuse, optimal_weights
from napari_lowdose.planes import Plane, slices, unslice

SHAPE = (4, 24, 24)
NEED_NOTHING = (Fusion.MEAN, Fusion.VETO)


def stacks(seed: int = 0, planes=tuple(Plane)):
    rng = np.random.default_rng(seed)
    return {plane: rng.random(SHAPE).astype(np.float32) for plane in planes}


def errors(n_planes: int):
    """Draw any covariance: that of a few errors of any size."""
    values = arrays(float, (n_planes, n_planes + 1), elements=st.floats(-100, 100))
    return values.map(lambda parts: parts @ parts.T)


@pytest.mark.parametrize("fusion", Fusion)
def test_one_estimate_is_its_own_fusion(fusion):
    estimates = stacks(planes=[Plane.XT])
    np.testing.assert_array_equal(fuse(estimates, fusion), estimates[Plane.XT])
    assert not disagreement(estimates).any()


@pytest.mark.parametrize("fusion", [*NEED_NOTHING, Fusion.INVERSE_VARIANCE])
def test_equal_estimates_are_their_own_fusion_exactly(fusion):
    """Known answer 12: identity models give back their input."""
    estimate = stacks()[Plane.XY]
    equal = dict.fromkeys(Plane, estimate)
    # other sums than the mean's are rounded, which float32 may show in its last digit
    close = 0 if fusion is Fusion.MEAN else 1e-7
    fused = fuse(equal, fusion, covariance=np.diag([1.0, 2.0, 4.0]))
    np.testing.assert_allclose(fused, estimate, rtol=0, atol=close)
    assert not disagreement(equal).any()


@pytest.mark.parametrize("fusion", Fusion)
def test_fusing_leaves_the_estimates_alone(fusion):
    estimates, before = stacks(), stacks()
    if fusion is not Fusion.AUTO:
        fuse(estimates, fusion, covariance=np.eye(3), weights=stacks(1))
    disagreement(estimates)
    for plane in Plane:
        np.testing.assert_array_equal(estimates[plane], before[plane])


@pytest.mark.parametrize("width", [1.0, 1.5, 2.0, 3.0])
def test_fused_gaussians_leave_the_noise_that_theory_says(width):
    """Known answer 11: the kernels overlap on one axis, so 1 / (sqrt(pi) s) is shared.

    Of one direction's variance (1 + 2 r) / 3 stays, and 1 - r is disagreement.
    """
    noise = np.random.default_rng(0).normal(size=(64, 96, 96)).astype(np.float32)
    estimates = {
        plane: unslice(gaussian_filter(slices(noise, plane), (0, width, width)), plane)
        for plane in Plane
    }
    inner = (slice(12, -12),) * 3  # away from the rims, where filters reflect
    alone = np.mean([estimate[inner].var() for estimate in estimates.values()])
    shared = 1 / (np.sqrt(np.pi) * width)
    # blurred noise has N / (4 pi s^2) independent voxels in a slice, 1800 at s = 3, but
    # ratios share most of their scatter; the continuous theory is 0.01 off at s = 1
    fused = fuse(estimates)[inner].var() / alone
    assert fused == pytest.approx((1 + 2 * shared) / 3, abs=0.02)
    differs = np.mean(disagreement(estimates)[inner] ** 2) / alone
    assert differs == pytest.approx(1 - shared, abs=0.02)


def test_the_disagreement_of_two_planes_is_their_distance_over_the_root_of_two():
    estimates = stacks(planes=[Plane.XY, Plane.YT])
    first, second = estimates.values()
    np.testing.assert_allclose(
        disagreement(estimates), abs(first - second) / np.sqrt(2), rtol=1e-6, atol=1e-7
    )


def test_two_planes_get_their_known_weights_drawn_a_tenth_to_the_mean():
    covariance = np.array([[2.0, 0.5], [0.5, 1.0]])
    known = (1.0 - 0.5) / (2.0 + 1.0 - 2 * 0.5)
    shrunk = 0.9 * known + 0.1 / 2
    np.testing.assert_allclose(optimal_weights(covariance), [shrunk, 1 - shrunk])


def test_a_plane_that_could_only_harm_is_left_out():
    # the second makes the first one's error twice, and one of its own
    covariance = np.array([[1.0, 2.0, 0.0], [2.0, 9.0, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(optimal_weights(covariance), [0.5, 0, 0.5])


@given(st.integers(1, 4).flatmap(errors))
def test_weights_are_positive_and_sum_to_one(covariance):
    weights = optimal_weights(covariance)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)


@given(errors(3), st.floats(0, 1e4))
def test_noise_of_the_target_changes_no_weight(covariance, noise):
    # from values of 1e4 differences are known to 1e-11; errors that hardly differ are
    # amplified by that
    spread = np.trace(covariance) - covariance.mean() * 3
    if spread > 1e-3:
        np.testing.assert_allclose(
            optimal_weights(covariance + noise), optimal_weights(covariance), atol=1e-6
        )


def test_weights_by_the_errors_beat_the_mean():
    rng = np.random.default_rng(0)
    truth = rng.random(SHAPE)
    estimates = {
        plane: (truth + rng.normal(0, std, SHAPE)).astype(np.float32)
        for plane, std in zip(Plane, (1, 2, 4), strict=True)
    }
    covariance = np.cov([(e - truth).ravel() for e in estimates.values()])
    fused = fuse(estimates, Fusion.INVERSE_VARIANCE, covariance=covariance)
    # exact: variances of 1 / (1 + 1/4 + 1/16) = 0.76 against 21 / 9 = 2.3
    assert ((fused - truth) ** 2).mean() < 0.4 * ((fuse(estimates) - truth) ** 2).mean()


def test_a_covariance_that_no_errors_have_is_refused():
    with pytest.raises(ValueError, match="no negative variance"):
        optimal_weights(np.array([[1.0, 2.0], [2.0, 1.0]]))
    with pytest.raises(ValueError, match="symmetric"):
        optimal_weights(np.array([[1.0, 0.5], [0.0, 1.0]]))


def seen_by(brightness: tuple[float, float, float], background: float = 100.0):
    """Give a spot of some brightness in each plane's estimate, on a flat background."""
    estimates = {}
    for plane, height in zip(Plane, brightness, strict=True):
        estimate = np.full((3, 64, 64), background, np.float32)
        estimate[1, 30:34, 30:34] += height
        estimates[plane] = estimate
    return estimates


def test_what_one_plane_does_not_see_is_vetoed():
    fused = fuse(seen_by((9.0, 9.0, 0.0)), Fusion.VETO)
    # the background of 16 px holds 16 px of height 6: 6 * 16 / (2 pi 16^2) = 0.06
    np.testing.assert_allclose(fused, 100, atol=0.1)


@pytest.mark.parametrize("sign", [1, -1])
def test_bright_and_dark_spots_keep_their_smallest_response(sign):
    fused = fuse(seen_by((9.0 * sign, 5.0 * sign, 7.0 * sign)), Fusion.VETO)
    assert fused[1, 31, 31] == pytest.approx(100 + 5 * sign, abs=1e-4)
    np.testing.assert_allclose(fused[0], 100, rtol=1e-6)


def test_the_veto_of_negatives_is_the_negative_of_the_veto():
    estimates = stacks()
    negatives = {plane: -estimate for plane, estimate in estimates.items()}
    np.testing.assert_allclose(
        fuse(negatives, Fusion.VETO), -fuse(estimates, Fusion.VETO), atol=1e-6
    )


def test_the_veto_stays_between_its_estimates_or_at_their_background():
    estimates = stacks()
    fused = fuse(estimates, Fusion.VETO)
    seen = np.stack(list(estimates.values()))
    # the least deviation: never beyond what the planes say about the middle
    assert fused.std() < fuse(estimates).std()
    assert ((fused >= seen.min() - 1e-6) & (fused <= seen.max() + 1e-6)).all()


def test_learned_weights_choose_per_voxel_whatever_their_order_and_sum():
    estimates = stacks()
    left = np.zeros(SHAPE, np.float32)
    left[..., :12] = 1
    weights = {
        Plane.YT: np.full(SHAPE, 1e-30, np.float32),
        Plane.XT: 5 * (1 - left) + 1e-30,
        Plane.XY: 3 * left + 1e-30,
    }
    fused = fuse(estimates, Fusion.LEARNED, weights=weights)
    chosen = np.where(left, estimates[Plane.XY], estimates[Plane.XT])
    np.testing.assert_allclose(fused, chosen, rtol=1e-6)


@pytest.mark.parametrize("fusion", [Fusion.MEAN, Fusion.INVERSE_VARIANCE])
def test_equal_weights_are_the_mean(fusion):
    estimates = stacks()
    equal = fuse(estimates, fusion, covariance=np.eye(3))
    ones = dict.fromkeys(Plane, np.ones(SHAPE, np.float32))
    learned = fuse(estimates, Fusion.LEARNED, weights=ones)
    # one rounding to float32
    np.testing.assert_allclose(learned, equal, rtol=2e-7)


@pytest.mark.parametrize(
    ("fusion", "options", "sentence"),
    [
        (Fusion.AUTO, {}, "got auto; choose the mean"),
        (Fusion.INVERSE_VARIANCE, {}, "covariance .* of 3 planes, got none"),
        (Fusion.INVERSE_VARIANCE, {"covariance": np.eye(2)}, "got one of 2"),
        (Fusion.LEARNED, {}, "expected weights for xy, xt, yt, got none"),
        (Fusion.LEARNED, {"weights": stacks(planes=[Plane.XY])}, "got xy"),
    ],
)
def test_what_a_rule_lacks_is_told(fusion, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        fuse(stacks(), fusion, **options)
