"""A stack with all its noise made independent, of which lines are taken off."""

from __future__ import annotations

from collections.abc import Mapping

from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.classical.line_noise import Lines, find_line_noise, taken_off
from napari_lowdose.noise import SharedNoise, evened


def independent(
    stack: Real[ndarray, "t y x"],
    shared: SharedNoise,
    around: float,
    *,
    remove_lines: bool,
) -> tuple[Real[ndarray, "t y x"], Mapping[str, Lines]]:
    """Make the noise independent, and take off what rows or columns share.

    Parameters
    ----------
    stack
        Counts of shape (t, y, x).
    shared
        How voxels share noise.
    around
        A brightness that stays as it is: the mean of the movie.
    remove_lines
        Whether noise that rows or columns of frames share is looked for.

    Returns
    -------
    stack
        The same where nothing is to be done, or in float32.
    lines
        Those that were taken off, by `find_line_noise`.
    """
    if shared.neighbours is not None:
        # What neighbours share adds up along lines.
        return _without_lines(evened(stack, shared, around), wanted=remove_lines)
    clean, lines = _without_lines(stack, wanted=remove_lines)
    return (evened(clean, shared, around) if shared else clean), lines


def _without_lines(
    stack: Real[ndarray, "t y x"], *, wanted: bool
) -> tuple[Real[ndarray, "t y x"], Mapping[str, Lines]]:
    lines = find_line_noise(stack) if wanted else {}
    return taken_off(stack, lines), lines
