"""Read a napari layer into a Stack, and put a result where its input lies."""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from numpy import ndarray

from napari_lowdose.errors import UnusableStack
from napari_lowdose.stack import ArrayLike, Stack

Limits = tuple[float, float]

RECIPE = "napari-lowdose"  # where a layer's metadata keeps the recipe
AXES = ("t", "y", "x")
_FRAMES_LOOKED_AT = 8
_PIXELS_LOOKED_AT = 2**17  # of each frame, so that no percentile stalls the viewer
_DARK, _BRIGHT = 1.0, 99.8  # percentiles between which counts are shown
_DEVIATIONS = 5.0  # of noise alone, that lie between these


def stack_from(layer: Layer) -> Stack:
    """Read a layer as a stack, its values still where they are.

    Works on any three-dimensional image layer, also one made by napari's own reader
    or by hand; unknown calibration stays unknown.

    Raises
    ------
    UnusableStack
        If the layer is no time series of single-valued images.
    """
    if not isinstance(layer, Image | Labels) or getattr(layer, "rgb", False):
        raise UnusableStack(
            f"expected a (t, y, x) image layer, but {layer.name!r} is "
            f"{'an RGB image' if getattr(layer, 'rgb', False) else 'no image'}; "
            "split its channels or choose another layer"
        )
    if layer.ndim != 3:
        raise UnusableStack(
            f"expected a (t, y, x) layer, but {layer.name!r} has the shape "
            f"{tuple(layer.data.shape)}; take one z and one channel with 'Load stack'"
        )
    pixel_size, unit = _pixel(layer)
    return Stack(
        layer.data[0] if layer.multiscale else layer.data,
        name=layer.name,
        pixel_size=pixel_size,
        pixel_unit=unit,
        frame_interval_s=_frame_interval_s(layer),
        recipe=recipe_of(layer.metadata),
    )


def estimate_from(layer: Layer, noisy: Stack) -> Stack:
    """Read a layer as an estimate of a noisy stack.

    Raises
    ------
    UnusableStack
        If it is no stack, or one of another shape.
    """
    estimate = stack_from(layer)
    if estimate.shape != noisy.shape:
        raise UnusableStack(
            f"expected a denoised layer of the movie's shape {noisy.shape}, but "
            f"{layer.name!r} has {estimate.shape}; choose what was made of it"
        )
    return estimate


def _pixel(layer: Layer) -> tuple[tuple[float, float] | None, str]:
    """Find the edges (y, x) of a pixel in one unit, if they are known."""
    unit, other = layer.units[1:]
    height, width = (float(step) for step in layer.scale[1:])
    if unit.is_compatible_with("meter") and other.is_compatible_with(unit):
        return (height, width * _factor(other, unit)), str(unit)
    return (None if height == width == 1 else (height, width)), "pixel"


def _frame_interval_s(layer: Layer) -> float | None:
    unit = layer.units[0]
    if not unit.is_compatible_with("second"):
        return None
    return float(layer.scale[0]) * _factor(unit, "second")


def _factor(unit: Any, target: Any) -> float:  # noqa: ANN401 - pint's units
    return float((1 * unit).to(target).magnitude)


def place_of(layer: Layer) -> dict[str, Any]:
    """Tell where a layer lies, as arguments for a new one.

    All of it, always: one layer with other units switches units off for the viewer.
    """
    return {
        "scale": layer.scale,
        "translate": layer.translate,
        "rotate": layer.rotate,
        "shear": layer.shear,
        "affine": layer.affine,
        "units": layer.units,
        "axis_labels": layer.axis_labels,
    }


def place_of_stack(stack: Stack) -> dict[str, Any]:
    """Tell where a stack lies that comes from no layer."""
    return {"scale": stack.scale, "units": stack.units, "axis_labels": AXES}


def add_stack(
    viewer: ViewerModel,
    stack: Stack,
    *,
    like: Layer | None = None,
    limits: Limits | None = None,
) -> Image:
    """Show a stack as a new layer.

    Parameters
    ----------
    viewer
        Where to show it.
    stack
        What to show; its recipe is kept in the layer's metadata.
    like
        The layer whose place and contrast it takes; None: its own calibration.
    limits
        Counts shown black and white; None: as in `like`, or what suits the stack.
    """
    place = place_of(like) if like else place_of_stack(stack)
    limits = limits or getattr(like, "contrast_limits", None)
    limits = limits or contrast_limits(stack.data)
    return viewer.add_image(
        stack.data,
        name=stack.name,
        contrast_limits=limits,
        metadata={RECIPE: stack.recipe},
        **place,
    )


def add_estimate(viewer: ViewerModel, estimate: Stack, noisy: Layer) -> Image:
    """Show what a method makes of a noisy layer, where that lies."""
    limits = estimate_limits(estimate.data, noisy)
    return add_stack(viewer, estimate, like=noisy, limits=limits)


def add_frame(
    viewer: ViewerModel, frame: ndarray, *, index: int, like: Layer, name: str
) -> Image:
    """Show one frame of an estimate, at its time and place only."""
    layer = viewer.add_image(
        frame[np.newaxis],
        name=name,
        contrast_limits=estimate_limits(frame[np.newaxis], like),
        **place_of(like),
    )
    move_to_frame(layer, index, like=like)
    return layer


def move_to_frame(layer: Layer, index: int, *, like: Layer) -> None:
    """Put a layer of one frame at the time of frame `index` of another."""
    translate = np.array(like.translate, dtype=float)
    translate[0] += index * like.scale[0]
    layer.translate = translate


def visible_frame(viewer: ViewerModel, layer: Layer) -> int:
    """Find which frame of a layer the viewer shows."""
    point = layer.world_to_data(viewer.dims.point[-layer.ndim :])
    return int(np.clip(round(point[0]), 0, layer.data.shape[0] - 1))


def limits_of(layer: Image) -> Limits:
    """Tell between which counts a layer is shown now."""
    low, high = (float(end) for end in layer.contrast_limits)
    return low, high


def contrast_limits(stack: ArrayLike) -> Limits:
    """Choose limits from a few frames; the one shown first may be a dark one."""
    step = max(1, stack.shape[0] // _FRAMES_LOOKED_AT)
    apart = max(1, isqrt(stack.shape[-2] * stack.shape[-1] // _PIXELS_LOOKED_AT))
    frames = np.asarray(stack[::step])[..., ::apart, ::apart]
    frames = frames[np.isfinite(frames)]
    if frames.size == 0:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(frames, (_DARK, _BRIGHT)))
    return (low, high) if high > low else (low, low + 1)


def estimate_limits(estimate: ArrayLike, noisy: Layer) -> Limits:
    """Choose limits for an estimate; what is left of noise stays unseen.

    They suit the estimate, as those of its input leave faint structures grey, but are
    at least about one standard deviation of the noise apart: stretched further, the
    remains in a flat estimate would look like a specimen.
    """
    low, high = contrast_limits(estimate)
    dark, bright = getattr(noisy, "contrast_limits", (0.0, 0.0))
    missing = max((bright - dark) / _DEVIATIONS - (high - low), 0.0)
    return low - missing / 2, high + missing / 2


def recipe_of(metadata: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Find the recipe in a layer's metadata."""
    return tuple(metadata.get(RECIPE, ()))
