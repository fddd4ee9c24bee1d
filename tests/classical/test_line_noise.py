"""Noise that rows or columns share, told from scenes, and taken off."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_lowdose.classical.line_noise import (
    find_line_noise,
    line_notes,
    taken_off,
)

SHAPE = (24, 64, 96)


def scene(shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """Some discs, one of which moves, on a smooth ground."""
    t, y, x = np.indices(shape, dtype=np.float32)
    clean = 4 + np.sin(y / 19) + np.cos(x / 23)
    for row, column, speed in ((15, 20, 0.0), (40, 70, 0.5), (50, 30, -0.3)):
        squared = (y - row) ** 2 + (x - column - speed * t) ** 2
        clean += 3 * np.exp(-squared / 18)
    return clean


def without_lines(stack: np.ndarray) -> np.ndarray:
    """Find the noise and take it off."""
    return taken_off(stack, find_line_noise(stack))


def shared(name: str, rng: np.random.Generator, std: float) -> np.ndarray:
    """Draw noise of rows or columns."""
    t, y, x = SHAPE
    return rng.normal(0, std, (t, y, 1) if name == "rows" else (t, 1, x))


@pytest.mark.parametrize("name", ["rows", "columns"])
@pytest.mark.parametrize("std", [0.2, 0.5])
def test_the_noise_of_rows_or_columns_is_found_and_taken_off(name, std):
    rng = np.random.default_rng(1)
    white = scene() + rng.normal(size=SHAPE)
    lines = shared(name, rng, std)
    noisy = white + lines
    found = find_line_noise(noisy)
    assert list(found) == [name]
    # Two medians over some 200 and 300 squares are known to 0.15, and the lower is
    # taken; that of their root is half as wrong.
    assert found[name].std == pytest.approx(std, rel=0.2)
    left = without_lines(noisy) - white
    # Of a mean over n pixels, an n-th of their variance is their own: no filter tells
    # it better. What has the spectrum of the scene stays, too.
    own = lines.size / noisy.size
    assert left.var() < (own / (own + std**2) + 0.1) * lines.var()
    (said,) = line_notes(found)
    assert said.startswith(f"The {name} of each frame share noise")


def test_rows_and_columns_are_both_taken_off():
    rng = np.random.default_rng(2)
    white = scene() + rng.normal(size=SHAPE)
    lines = shared("rows", rng, 0.4) + shared("columns", rng, 0.3)
    assert list(find_line_noise(white + lines)) == ["rows", "columns"]
    assert (without_lines(white + lines) - white).var() < 0.25 * lines.var()


@settings(deadline=None, max_examples=50)
@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 40), st.integers(1, 40)),
    seed=st.integers(0, 2**32 - 1),
    dose=st.floats(0.001, 30),
)
def test_counted_noise_is_left_as_it_is(shape, seed, dose):
    noisy = np.random.default_rng(seed).poisson(dose, shape).astype(np.uint16)
    assert without_lines(noisy) is noisy


def test_a_scene_is_left_as_it_is():
    rng = np.random.default_rng(3)
    noisy = rng.poisson(scene()).astype(np.uint16)
    assert without_lines(noisy) is noisy


@pytest.mark.parametrize("name", ["edge", "fringes", "wire", "stripes"])
def test_what_is_the_same_in_all_frames_is_left(name):
    """It may be the specimen's: a PN junction, or a lattice along the columns."""
    x = np.arange(SHAPE[2])
    rng = np.random.default_rng(5)
    straight = {
        "edge": 3.0 * (x > 41),
        "fringes": np.sin(2 * np.pi * x / 3.1),
        "wire": 3.0 * (x == 41),
        "stripes": rng.normal(0, 0.5, len(x)),
    }
    noisy = scene() + straight[name] + rng.normal(size=SHAPE)
    assert without_lines(noisy) is noisy


def test_a_single_frame_is_left():
    """Nobody can tell what stays the same."""
    rng = np.random.default_rng(9)
    noisy = scene() + rng.normal(size=SHAPE) + shared("rows", rng, 1.0)
    assert not find_line_noise(noisy[:1])
    assert find_line_noise(noisy)


def test_flicker_is_left():
    """A brighter frame may be a brighter specimen."""
    rng = np.random.default_rng(6)
    noisy = scene() + rng.normal(size=SHAPE) + rng.normal(0, 0.5, (SHAPE[0], 1, 1))
    assert without_lines(noisy) is noisy
    lined = noisy + shared("rows", rng, 0.5)
    taken = without_lines(lined) - lined
    np.testing.assert_allclose(taken.mean(axis=(1, 2)), 0, atol=1e-5)  # float32


@pytest.mark.parametrize("value", [0.0, 7.0, 1e30, 1e300, np.nan, np.inf])
def test_what_holds_no_noise_is_left(value):
    stack = np.full((5, 16, 16), value)
    assert without_lines(stack) is stack


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [(3, 0, 0), (3, 7, 9)])
def test_what_is_not_finite_is_left_to_who_refuses_it(value, place):
    stack = np.random.default_rng(8).normal(size=(8, 40, 40))
    stack[place] = value
    assert without_lines(stack) is stack


@pytest.mark.parametrize("unit", [1e-25, 1e25])
def test_the_unit_of_counts_does_not_matter(unit):
    rng = np.random.default_rng(7)
    noisy = scene() + rng.normal(size=SHAPE) + shared("rows", rng, 0.5)
    # float32 of up to 15 counts
    np.testing.assert_allclose(
        without_lines(unit * noisy) / unit, without_lines(noisy), atol=1e-5
    )


def test_the_input_is_not_changed():
    rng = np.random.default_rng(5)
    noisy = scene() + rng.normal(size=SHAPE) + shared("rows", rng, 0.5)
    before = noisy.copy()
    assert without_lines(noisy).dtype == np.float32
    np.testing.assert_array_equal(noisy, before)
