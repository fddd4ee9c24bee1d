"""Recipes: a dose, stages in an order, a seed; by name, in files, on stacks."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from enum import StrEnum

import numpy as np
import pytest
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_lowdose.errors import LowDoseError, UnreadableFile, UnusableStack
from napari_lowdose.noise import (
    DETECTORS,
    STAGES,
    SUMMARIES,
    Noise,
    Poisson,
    Readout,
    add_noise,
    electrons_of_dose_rate,
    electrons_per_pixel,
    read_recipe,
    stage_of_field,
    with_stage_settings,
    with_stages,
    write_recipe,
)
from napari_lowdose.noise.stages import Gaussian, LineNoise, OnePair, PulseHeight
from napari_lowdose.specimens import SPECIMENS
from napari_lowdose.stack import Stack

N = 400_000


def ramp() -> Stack:
    """Brightness in ten levels of N / 10 pixels each."""
    levels = np.repeat(np.arange(1.0, 11.0), N // 10)
    return Stack(levels.reshape(10, 200, 200))


def values(leaf):
    """Draw what a field may hold."""
    if issubclass(leaf.kind, StrEnum):
        return st.sampled_from(leaf.kind)
    if leaf.kind is bool:
        return st.booleans()
    bounds = {
        "min_value": first(leaf.bound(Ge, "ge"), leaf.bound(Gt, "gt")),
        "max_value": first(leaf.bound(Le, "le"), leaf.bound(Lt, "lt")),
    }
    if leaf.kind is int:
        limits = bounds["min_value"], bounds["max_value"]
        return st.integers(limits[0], limits[1] - (leaf.bound(Lt, "lt") is not None))
    return st.floats(
        **bounds,
        exclude_min=leaf.bound(Gt, "gt") is not None,
        exclude_max=leaf.bound(Lt, "lt") is not None,
        allow_nan=False,
    )


def first(*numbers):
    return next((number for number in numbers if number is not None), None)


def settings_of(kind, hide=()):
    leaves = [leaf for leaf in kind.leaves() if leaf.name not in hide]
    return st.fixed_dictionaries({leaf.name: values(leaf) for leaf in leaves})


ANY_STAGE = st.one_of(
    [
        settings_of(kind).map(lambda own, kind=kind: kind(**own))
        for kind in STAGES.values()
    ]
)
RECIPES = st.builds(
    lambda own, stages: Noise(**own, stages=tuple(stages)),
    settings_of(Noise),
    st.lists(ANY_STAGE, max_size=6),
)


def test_no_setting_has_the_name_of_another():
    """They share the flags of one command line."""
    names = Counter(name for kind in STAGES.values() for name in kind.model_fields)
    names.update([*Noise.model_fields])
    assert [name for name, count in names.items() if count > 1] == []
    for kind in SPECIMENS.values():
        shared = {leaf.name for leaf in kind.settings.leaves()} & set(names)
        assert shared <= {"seed"}


@given(noise=RECIPES)
@settings(deadline=None)
def test_any_recipe_comes_back_from_json(noise):
    assert Noise.model_validate_json(noise.model_dump_json()) == noise


@given(noise=RECIPES)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=25,
    deadline=None,
)
def test_any_recipe_comes_back_from_a_file(tmp_path, noise):
    assert read_recipe(write_recipe(noise, tmp_path / "recipe.json")) == noise


@given(noise=RECIPES)
@settings(deadline=None)
def test_any_recipe_gives_finite_counts_or_is_refused_in_one_sentence(noise):
    stack = np.arange(24.0).reshape(2, 3, 4)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* values were clipped to")
        try:
            noisy, truth = add_noise(Stack(stack), noise)
        except LowDoseError as refusal:
            said = str(refusal)
        else:
            said = ""
            assert np.isfinite(noisy.data).all()
            assert np.isfinite(truth.data).all()
    assert "\n" not in said


def test_variance_follows_the_mean_as_the_detector_says():
    """Known answer 1: slope g, intercept sigma^2 - g mu."""
    noise = Noise(
        dose=0, stages=(Poisson(), Readout(gain=1.7, offset=100, readout_std=9))
    )
    noisy, truth = add_noise(ramp(), noise)
    levels = noisy.read().reshape(10, -1)
    line = np.polyfit(levels.mean(axis=1), levels.var(axis=1), 1)
    # variances near 90 from 40,000 samples are known to 0.64; over means that spread
    # by 4.9, ten of them give a slope to 0.042 and a variance in the dark to 0.4
    assert line[0] == pytest.approx(1.7, abs=3 * 0.042)
    assert np.polyval(line, 100) == pytest.approx(9**2, abs=3 * 0.4)
    np.testing.assert_allclose(truth.read()[0].mean(), 1.7 + 100, rtol=1e-6)


def test_dose_is_the_mean_of_expected_electrons():
    amplifier = Readout(gain=5.0, offset=7.0)
    _, truth = add_noise(ramp(), Noise(dose=0.3, stages=(Poisson(), amplifier)))
    # the truth is stored in float32
    assert (truth.read().mean(dtype=float) - 7) / 5 == pytest.approx(0.3, rel=1e-5)


def test_dose_zero_keeps_the_stack_as_expected_electrons():
    _, truth = add_noise(ramp(), Noise(dose=0))
    np.testing.assert_array_equal(truth.read(), ramp().read())


def test_without_stages_the_expected_electrons_are_recorded():
    noisy, truth = add_noise(ramp(), Noise(dose=2, stages=()))
    np.testing.assert_array_equal(noisy.read(), truth.read())


def test_same_seed_same_noise_and_the_recipe_tells_it():
    first, _ = add_noise(ramp(), Noise(seed=4))
    again, _ = add_noise(ramp(), Noise(seed=4))
    other, _ = add_noise(ramp(), Noise(seed=5))
    np.testing.assert_array_equal(first.read(), again.read())
    assert not np.array_equal(first.read(), other.read())
    assert first.recipe[-1]["seed"] == 4


def test_what_a_stage_draws_does_not_change_with_the_stages_beside_it():
    """So that a setting can be tried with all other noise as it was."""
    alone, _ = add_noise(ramp(), Noise(stages=(Readout(),)))
    uneven = Readout(offset_spread=1e-3)
    beside, _ = add_noise(ramp(), Noise(stages=(Gaussian(gaussian_std=0), uneven)))
    # five standard deviations of the map of offsets
    np.testing.assert_allclose(alone.read(), beside.read(), atol=5e-3)


def test_a_stage_that_comes_twice_draws_twice():
    twice, truth = add_noise(ramp(), Noise(stages=(Gaussian(), Gaussian())))
    noise = twice.read() - truth.read()
    # the variance of N values is known to sqrt(2 / N); the same noise twice gives 4
    assert noise.var(dtype=float) == pytest.approx(2, rel=4 * np.sqrt(2 / N))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_huge_means_neither_overflow_nor_wrap(dtype):
    noisy, truth = add_noise(Stack(ramp().read().astype(dtype)), Noise(dose=1e9))
    # Poisson deviates by the square root of the mean: 2e-5 at 5e8; six of those
    np.testing.assert_allclose(noisy.read(), truth.read(), rtol=6 * 1e-4)


@pytest.mark.parametrize(
    ("brightness", "said"), [(-1.0, "got -1"), (np.nan, "NaN"), (0.0, "every value")]
)
def test_impossible_brightness_is_refused(brightness, said):
    stack = np.zeros((2, 4, 4))
    stack[0, 0, 0] = brightness
    with pytest.raises(UnusableStack, match=said):
        add_noise(Stack(stack), Noise())


def test_a_stack_too_bright_to_count_is_refused():
    with pytest.raises(UnusableStack, match=r"at most 1e\+12 electrons"):
        add_noise(Stack(ramp().read() * 1e300), Noise(dose=0))


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_records_a_movie_without_clipping_it(clean, name):
    noisy, truth = add_noise(clean, DETECTORS[name])
    assert noisy.read().std() > truth.read().std() / 2
    assert SUMMARIES[name]


def test_detectors_differ():
    recipes = [(noise.stages, noise.dose) for noise in DETECTORS.values()]
    assert len(set(recipes)) == len(recipes)


def test_a_picoampere_for_a_microsecond_is_six_electrons():
    """Known answer 29."""
    assert electrons_per_pixel(1, 1) == pytest.approx(6.242, abs=1e-3)
    # the one-pair paper: 0.039 Å pixels at 4.10e3 e/Å²
    rate = electrons_of_dose_rate(4.10e3, pixel_size_nm=0.0039, frame_time_s=1)
    assert rate == pytest.approx(6.24, abs=0.01)


def test_every_setting_knows_its_stage():
    for name, kind in STAGES.items():
        assert {stage_of_field(field) for field in kind.model_fields} <= {name}


def test_settings_add_their_stages_where_they_happen():
    noise = with_stage_settings(
        Noise(seed=3), {"row_std": 2.0, "excess_factor": 1.5, "gain": 4}
    )
    assert noise.stages == (
        Poisson(),
        PulseHeight(excess_factor=1.5),
        Readout(gain=4),
        LineNoise(row_std=2.0),
    )
    assert noise.seed == 3


def test_settings_change_the_stages_that_are_there_and_keep_their_order():
    noise = Noise(stages=(Readout(offset=5), Poisson()))
    changed = with_stage_settings(noise, {"gain": 2})
    assert changed.stages == (Readout(offset=5, gain=2), Poisson())


def test_counting_happens_once():
    noise = with_stage_settings(Noise(), {"pair_variance": 2})
    assert noise.stages == (OnePair(pair_variance=2),)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"gian": 2}, "'gian'; did you mean 'gain'"),
        ({"gain": -2}, "gain: input should be greater than 0, got -2"),
    ],
)
def test_wrong_settings_are_refused(given, said):
    with pytest.raises(ValueError, match=said):
        with_stage_settings(Noise(), given)


def test_stages_are_named_in_any_order_and_keep_their_settings():
    noise = Noise(stages=(Readout(gain=7), Poisson()))
    named = with_stages(noise, ["poisson", "readout", "gaussian"])
    assert named.stages == (Poisson(), Readout(gain=7), Gaussian())
    with pytest.raises(ValueError, match="'poison'; did you mean 'poisson'"):
        with_stages(noise, ["poison"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("II*\0", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[1, 2]", "expected {"),
        ('{"dosis": 1}', "unknown entry 'dosis'; did you mean 'dose'"),
        ('{"dose": -1}', "dose: input should be greater"),
        ('{"dose": NaN}', "dose: "),
        ('{"stages": "poisson"}', "expected a list of stages, got 'poisson'"),
        ('{"stages": ["poisson"]}', "expected a stage as"),
        ('{"stages": [{"stage": "poison"}]}', "did you mean 'poisson'"),
        ('{"stages": [{"stage": ["poisson"]}]}', "unknown stage"),
        ('{"stages": [{"stage": "readout", "gian": 2}]}', "did you mean 'gain'"),
        ('{"stages": [{"stage": "readout", "gain": 0}]}', "greater than 0, got 0"),
        ('{"stages": [{"stage": "poisson", "gain": 0}]}', "it has none"),
        ("{}" + " " * 1_000_000, "too large"),
    ],
)
def test_what_is_no_recipe_is_refused_in_one_sentence(tmp_path, text, said):
    path = tmp_path / "recipe.json"
    path.write_text(text)
    with pytest.raises(UnreadableFile, match=said) as refusal:
        read_recipe(path)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


def test_missing_recipes_are_refused(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(UnreadableFile, match="cannot read"):
            read_recipe(path)


def test_binary_files_are_no_recipes(tmp_path):
    path = tmp_path / "recipe.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnreadableFile, match="is not JSON"):
        read_recipe(path)


def test_a_recipe_may_leave_out_what_is_usual(tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"stages": [{"stage": "readout", "gain": 3}]}))
    assert read_recipe(path) == Noise(stages=(Readout(gain=3),))
