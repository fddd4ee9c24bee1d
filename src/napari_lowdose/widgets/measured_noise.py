"""What has been measured of the noise of layers, shared by all open panels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from weakref import WeakKeyDictionary

from napari.layers import Layer
from qtpy.QtCore import QObject, Signal

from napari_lowdose.noise import NoiseMeasurement, describe, measure_noise
from napari_lowdose.objectives import Verdict, advise
from napari_lowdose.stack import Stack

_LARGEST_SAMPLE = 2**24  # values: what is measured without being asked takes seconds


@dataclass(frozen=True)
class NoiseReading:
    """A measurement and what follows from it.

    Parameters
    ----------
    measurement
        The detector and the dose.
    sentences
        What it says, for people.
    advice
        How well each objective suits, by its name; the one that suits best first.
    """

    measurement: NoiseMeasurement
    sentences: tuple[str, ...]
    advice: Mapping[str, Verdict]


class _News(QObject):
    """Tells open panels that the noise of a layer has been measured."""

    came = Signal(object)


NEWS = _News()
_READINGS: WeakKeyDictionary[Layer, NoiseReading] = WeakKeyDictionary()


def reading_of(layer: Layer | None) -> NoiseReading | None:
    """Find what has been measured of a layer's present data."""
    return None if layer is None else _READINGS.get(layer)


def keep_reading(layer: Layer, reading: NoiseReading) -> None:
    """Keep a reading until the layer's data change, and tell every panel."""
    if layer not in _READINGS:
        layer.events.data.connect(_forget)
    _READINGS[layer] = reading
    NEWS.came.emit(layer)


def _forget(event: object) -> None:
    _READINGS.pop(event.source, None)  # type: ignore[attr-defined]


def measuring(
    noisy: Stack,
    *,
    dark: Stack | None = None,
    flats: Sequence[Stack] = (),
    offset: float | None = None,
) -> Callable[[], Iterator[NoiseReading]]:
    """Prepare the measuring of a stack, for a background thread."""
    return partial(_measured, noisy, dark, tuple(flats), offset)


def measuring_beginning(noisy: Stack) -> Callable[[], Iterator[NoiseReading]]:
    """Prepare the measuring of as many first frames as need no patience."""
    return partial(_beginning_measured, noisy)


def _measured(
    noisy: Stack,
    dark: Stack | None = None,
    flats: Sequence[Stack] = (),
    offset: float | None = None,
    remark: tuple[str, ...] = (),
) -> Iterator[NoiseReading]:
    measurement = measure_noise(
        noisy.read(),
        dark=dark.read() if dark else None,
        flats=[flat.read() for flat in flats],
        offset=offset,
    )
    sentences = (*describe(measurement), *remark)
    yield NoiseReading(measurement, sentences, advise(measurement))


def _beginning_measured(noisy: Stack) -> Iterator[NoiseReading]:
    frames, rows, columns = noisy.shape
    kept = max(2, _LARGEST_SAMPLE // (rows * columns))
    if kept >= frames:
        yield from _measured(noisy)
    else:
        beginning = replace(noisy, data=noisy.data[:kept])
        remark = f"Read from the first {kept} of {frames} frames."
        yield from _measured(beginning, remark=(remark,))
