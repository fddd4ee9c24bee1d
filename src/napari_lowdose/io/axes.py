"""Which axis of a file is what, and which part of it is the stack."""

from __future__ import annotations

from collections.abc import Sequence

from napari_lowdose.config import Reading
from napari_lowdose.errors import UnusableStack

_NOUNS = {"Z": "z slices", "C": "channels", "S": "colours"}
_LETTERS = "TZCYXS"


def guessed_axes(axes: str, shape: Sequence[int]) -> str:
    """Name the axes that a file leaves open: the first is time, then z, then channel.

    Parameters
    ----------
    axes
        As tifffile names them; Q, I and other letters than TZCYXS are open.
    shape
        Their lengths; an open axis of length one is named last.
    """
    free = [letter for letter in "TZC" if letter not in axes]
    unknown = [i for i, axis in enumerate(axes) if axis not in _LETTERS]
    named = list(axes)
    for i in sorted(unknown, key=lambda i: shape[i] == 1)[: len(free)]:
        named[i] = free.pop(0)
    return "".join(named)


def stated_axes(stated: str, shape: Sequence[int], name: str) -> str:
    """Check the order of axes that a user states for a file of some shape.

    Raises
    ------
    UnusableStack
        If it does not name every axis once, or not T, Y and X.
    """
    axes = stated.strip().upper()
    if len(axes) != len(shape):
        raise UnusableStack(
            f"axes {axes} name {len(axes)} axes, but {name} has {len(shape)}, "
            f"of lengths {_lengths(shape)}; give one letter for each"
        )
    if len(set(axes)) != len(axes) or not set("TYX") <= set(axes) <= set(_LETTERS):
        raise UnusableStack(
            f"axes {axes} cannot be used for {name}; name T, Y and X once each, "
            "and others by Z (slices), C (channels) or S (colours)"
        )
    return axes


def picked(
    axes: str, shape: Sequence[int], reading: Reading, name: str
) -> tuple[int | range, ...]:
    """Choose one z and one channel, and crop t, y and x.

    Returns
    -------
    tuple of int or range
        For every axis the index chosen, or the range kept.

    Raises
    ------
    UnusableStack
        If there is no time, a choice is missing, or one does not fit the file.
    """
    _refuse_timeless(axes, shape, name)
    sizes = dict(zip(axes, shape, strict=True))
    if sizes.get("C", 1) > 1 and sizes.get("S", 1) > 1:
        raise UnusableStack(
            f"{_has(axes, shape, name)}, both channels and colours; "
            f"if c is z, say so with axes {axes.replace('C', 'Z')}"
        )
    for letters, wanted in (("Z", reading.z), ("CS", reading.channel)):
        if wanted > 0 and max(sizes.get(letter, 1) for letter in letters) == 1:
            what = "z slice" if letters == "Z" else "channel"
            raise UnusableStack(f"{name} has one {what} only, and none number {wanted}")
    return tuple(
        _cropped(axis, size, reading, name)
        if axis in "TYX"
        else _chosen(axis, size, reading, _has(axes, shape, name))
        for axis, size in zip(axes, shape, strict=True)
    )


def _refuse_timeless(axes: str, shape: Sequence[int], name: str) -> None:
    if "T" in axes:
        return
    long = [a for a, n in zip(axes, shape, strict=True) if a not in "YXS" and n > 1]
    if not long:
        raise UnusableStack(
            f"{name} is a single image, not a movie; "
            "give all its frames together, as several files or as a folder"
        )
    suggestion = axes.replace(long[0], "T")
    raise UnusableStack(
        f"{_has(axes, shape, name)}, and no time; "
        f"if {long[0].lower()} is time, say so with axes {suggestion}"
    )


def _chosen(axis: str, size: int, reading: Reading, has: str) -> int:
    """Pick the index on an axis that a stack does not have."""
    if size == 1:
        return 0
    if axis not in _NOUNS:
        raise UnusableStack(
            f"{has}, too many to guess; name them by axes, such as TZCYX"
        )
    option, wanted = ("z", reading.z) if axis == "Z" else ("channel", reading.channel)
    if wanted < 0:
        raise UnusableStack(
            f"{has}, so {size} {_NOUNS[axis]}; "
            f"choose one with {option}, from 0 to {size - 1}"
        )
    if wanted >= size:
        raise UnusableStack(
            f"{has}, so {size} {_NOUNS[axis]}, and none number {wanted}; "
            f"choose {option} from 0 to {size - 1}"
        )
    return wanted


def _cropped(axis: str, size: int, reading: Reading, name: str) -> range:
    low = axis.lower()
    start, stop = getattr(reading, f"{low}_start"), getattr(reading, f"{low}_stop")
    end = stop or size
    if not start < end <= size:
        raise UnusableStack(
            f"the crop from {start} to {end} along {low} does not fit {name}, "
            f"which has {size} along {low}"
        )
    return range(start, end)


def _has(axes: str, shape: Sequence[int], name: str) -> str:
    return f"{name} has axes {axes} of lengths {_lengths(shape)}"


def _lengths(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
