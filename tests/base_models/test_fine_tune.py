from copy import deepcopy
from dataclasses import replace
from time import sleep

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from napari_lowdose.base_models import BaseFile
from napari_lowdose.base_models.file import BaseHeader
from napari_lowdose.base_models.fine_tune import (
    FineTune,
    Tick,
    Tuned,
    _is_worse,
    _lowest_point,
)
from napari_lowdose.base_models.lessons import Lessons
from napari_lowdose.config import BaseTraining, Compute, FineTuning, LooksSettings
from napari_lowdose.errors import UnusableStack
from napari_lowdose.networks import LooksNetwork, arithmetic
from napari_lowdose.noise import Noise, add_noise, given_back, measure_noise
from napari_lowdose.specimens import SPECIMENS, Catalyst
from napari_lowdose.training import Example

EXACT = Compute(device="cpu", precision="float32")
SMALL = LooksSettings(width=4, depth=1)


def base(seed: int = 0) -> BaseFile:
    torch.manual_seed(seed)
    header = BaseHeader(
        training=BaseTraining(network=SMALL), steps=0, covariance=((1.0,),)
    )
    return BaseFile(LooksNetwork(SMALL), header)


@pytest.fixture(scope="module")
def movie() -> Example:
    clean = SPECIMENS["catalyst"].render(Catalyst(frames=24, size=48, seed=5)).stack
    noisy, truth = add_noise(clean, Noise(dose=2.0))
    return Example(noisy.read(), truth.read())


def settings(**changes) -> FineTuning:
    return FineTuning(
        **{
            "seconds": 6.0,
            "learning_rate": 5e-3,
            "frames": 8,
            "size_px": 32,
            "compute": EXACT,
            **changes,
        }
    )


@pytest.mark.parametrize("objective", ["thinning", "noise2void", "supervised"])
def test_a_bad_base_model_is_made_better_on_held_out_frames(movie, objective):
    tuning = FineTune.start(base(), [movie], settings(objective=objective))
    events = list(tuning.going())
    told = [event for event in events if isinstance(event, Tuned)]
    assert told[0].step == 0
    assert told[0].loss == told[0].base_loss
    assert any(isinstance(event, Tick) for event in events)
    # From random weights; the very first steps already help.
    assert tuning.better
    assert min(event.loss for event in told) < told[0].loss
    # In the end it stands where nothing that was tried on the way is better.
    *_, kept = (event for event in told[:-1] if event.best)
    assert told[-1].loss <= kept.loss * (1 + 1e-6)  # the same weights, in float32
    assert tuning.best().header.fine_tuning.objective == objective


def test_one_step_is_made_however_short_the_time(movie):
    """Where the first losses take longer than the whole time, on slow machines."""
    tuning = FineTune.start(base(), [movie], settings(seconds=1e-3))
    told = [event for event in tuning.going() if isinstance(event, Tuned)]
    assert [event.step for event in told[:2]] == [0, 1]


def test_the_last_step_is_validated_also_when_the_time_ends_between_two(movie):
    """Who listens takes time, too: here all of it, at the first tick."""
    tuning = FineTune.start(base(), [movie], settings(seconds=3.0, cubes=1))
    step, validated = 0, -1
    for event in tuning.going():
        if isinstance(event, Tick):
            step += 1
            if step == 1:
                sleep(3.0)
        else:
            validated = event.step
    assert validated == step > 0


def test_from_too_far_it_goes_back_towards_the_base(movie):
    """As far as held-out frames want: they have not seen the noise of the others."""
    start, how = base(), arithmetic(EXACT)
    tuning = FineTune.start(start, [movie], settings())
    told = [event for event in tuning.going() if isinstance(event, Tuned)]
    assert told[-1].best
    assert told[-1].step == told[-2].step  # after the last one nothing is learned
    too_far = deepcopy(tuning.best().network)

    def loss_at(share: float) -> float:
        tuning._stand_at(share, too_far)
        return tuning._held_out_losses(how).mean()

    while (far := loss_at(1.0)) <= loss_at(0.5):
        for weight, first in zip(
            too_far.parameters(), start.network.parameters(), strict=True
        ):
            weight.lerp_(first, -1.0)  # twice the way
    tuning._go_back(too_far, how)
    assert tuning._held_out_losses(how).mean() < min(far, told[0].loss)
    triples = zip(
        *(n.state_dict().values() for n in (start.network, too_far)),
        tuning.present().network.state_dict().values(),
        strict=True,
    )
    shares = [
        float((found - first).norm() / (last - first).norm())
        for first, last, found in triples
        if not torch.equal(first, last)
    ]
    # One share for all weights; float32 differences of nearly equal numbers.
    assert shares == pytest.approx([shares[0]] * len(shares), rel=1e-3)
    assert 0 < shares[0] < 1


@given(
    lowest=st.floats(0.05, 3),
    curved=st.floats(1e-6, 1e3),
    least=st.floats(0, 10),
)
def test_a_parabola_is_lowest_at_its_vertex_or_at_the_end(lowest, curved, least):
    losses = (least + curved * (share - lowest) ** 2 for share in (0.0, 0.5, 1.0))
    # Differences of losses up to `least` lose digits where the curve is flat.
    error = 1e-12 * (least + curved) / curved
    assert _lowest_point(*losses) == pytest.approx(min(lowest, 1.0), abs=1e-9 + error)


@pytest.mark.parametrize("losses", [(1.0, 1.0, 1.0), (1.0, 1.2, 0.9), (1.0, 0.5, 0.0)])
def test_all_of_the_way_is_gone_where_the_loss_bends_nowhere(losses):
    assert _lowest_point(*losses) == 1.0


def test_the_base_comes_back_when_nothing_beats_it(movie):
    start = base()
    # A rate that ruins any weights at once.
    tuning = FineTune.start(start, [movie], settings(learning_rate=1.0, seconds=1.0))
    before = {k: v.clone() for k, v in start.network.state_dict().items()}
    told = [event for event in tuning.going() if isinstance(event, Tuned)]
    if told[-1].loss >= told[0].loss:
        assert not tuning.better
        assert tuning.best() is start
    for name, value in start.network.state_dict().items():
        assert torch.equal(value, before[name])


def test_held_out_frames_are_never_trained_on(movie):
    frames = np.arange(len(movie.noisy), dtype=np.float32)[:, None, None]
    numbered = Example(movie.noisy, np.broadcast_to(frames, movie.noisy.shape))
    lessons = Lessons.of([numbered], settings(objective="supervised"))
    (source,) = lessons.sources

    def shown(cubes) -> set[int]:
        numbers = cubes.truth.numpy() * source.units.std + source.units.mean
        return set(np.rint(numbers).astype(int).ravel())

    trained = shown(lessons.window(source, np.random.default_rng(0)))
    held_out = set.union(*(shown(cubes) for cubes in lessons.held_out()))
    assert trained == set(range(source.n_train))
    assert held_out == set(range(source.n_train, len(frames)))


def test_held_out_cubes_are_the_same_each_time(movie):
    lessons = Lessons.of([movie], settings(objective="thinning"))
    for one, other in zip(lessons.held_out(), lessons.held_out(), strict=True):
        assert torch.equal(one.noisy, other.noisy)


def test_auto_splits_counts_and_takes_a_reference_when_there_is_one(movie):
    with_reference = FineTune.start(base(), [movie], settings())
    assert with_reference.settings.objective == "supervised"
    alone = FineTune.start(base(), [Example(movie.noisy)], settings())
    assert alone.settings.objective == "thinning"
    rng = np.random.default_rng(0)
    analogue = rng.normal(100, 5, (24, 48, 48)).astype(np.float32)
    hidden = FineTune.start(base(), [Example(analogue)], settings())
    assert hidden.settings.objective == "noise2void"


def test_thinned_cubes_are_in_units_of_their_own_noise():
    flat = np.random.default_rng(0).poisson(2.0, (20, 48, 48)).astype(np.float32)
    lessons = Lessons.of([Example(flat)], settings(objective="thinning"))
    for cubes in lessons.held_out():
        # 9,000 voxels: 0.8 %; a few of these, and the noise is read off the stack.
        assert float(cubes.noisy.std()) == pytest.approx(1, rel=0.04)
        # Input and target of fractions f and 1 - f: their variances are as (1 - f) : f,
        # and the target counts by the ratio (1 - f) / f, so that all count alike.
        assert float(cubes.truth.var() * cubes.weight) == pytest.approx(1, rel=0.1)


def test_hidden_pixels_alone_count_when_pixels_are_hidden(movie):
    lessons = Lessons.of([movie], settings(objective="noise2void"))
    cubes = lessons.window(lessons.sources[0], np.random.default_rng(0))
    changed = cubes.noisy != cubes.truth
    assert bool(cubes.mask.any())
    assert not bool((changed & ~cubes.mask).any())


def test_noise_that_rows_share_is_not_learned(movie):
    rows = np.random.default_rng(0).normal(0, 0.7, (*movie.noisy.shape[:2], 1))
    lined = Example((movie.noisy + rows).astype(np.float32), None)
    before = lined.noisy.copy()
    lessons = Lessons.of([lined], settings())
    (source,) = lessons.sources
    # A row of 48 pixels tells its own noise to 1/48 of their variance, which is 2.
    assert (source.noisy - movie.noisy).var() < 0.5 * rows.var()
    assert lessons.notes[0].startswith("The rows of each frame share noise")
    np.testing.assert_array_equal(lined.noisy, before)


def test_noise_that_pixels_share_is_not_learned(movie):
    """It is made independent, and what is to be learned runs the same course."""
    weights = [0.15, 0.7, 0.15]

    def spread(stack):
        rows = ndimage.convolve1d(stack.astype(np.float32), weights, axis=1)
        return ndimage.convolve1d(rows, weights, axis=2)

    blurred = Example(spread(movie.noisy), spread(movie.truth))
    lessons = Lessons.of([blurred], settings(objective="supervised"))
    (source,) = lessons.sources
    assert source.shared.neighbours is not None
    assert any("made independent" in note for note in lessons.notes)
    assert not measure_noise(source.noisy).correlated
    learnable = "still share a little noise"
    assert not any(learnable in note for note in lessons.notes)
    alone = Lessons.of([replace(blurred, truth=None)], settings())
    assert any(learnable in note for note in alone.notes)
    around = float(blurred.noisy.mean())
    truth = given_back(source.truth.copy(), source.shared, around)
    # float32
    np.testing.assert_allclose(truth, blurred.truth, atol=1e-4 * blurred.truth.max())


def test_too_few_frames_are_refused(movie):
    with pytest.raises(UnusableStack, match="at least 12 frames"):
        FineTune.start(base(), [Example(movie.noisy[:8])], settings())


def test_a_missing_reference_is_refused(movie):
    with pytest.raises(ValueError, match="needs a reference"):
        FineTune.start(base(), [Example(movie.noisy)], settings(objective="supervised"))


def test_a_loss_is_higher_only_by_more_than_chance():
    """So the latest of what cannot be told apart is kept, not the luckiest."""
    rng = np.random.default_rng(0)
    targets = rng.normal(1, 0.1, 40)  # their noise, which all losses share
    lowest = targets + rng.normal(0, 1e-4, 40)
    assert not _is_worse(lowest, lowest)
    # five standard errors of the mean of 40 differences
    assert _is_worse(targets + rng.normal(1e-4, 1e-4, 40), lowest)
    assert not _is_worse(targets + rng.normal(-1e-4, 1e-4, 40), lowest)
