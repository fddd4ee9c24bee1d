"""What one result shows and another does not, as a layer."""

from __future__ import annotations

from dataclasses import replace

from napari.components import ViewerModel
from napari.layers import Image
from napari.utils import Colormap

from napari_lowdose.compare.pair import Difference
from napari_lowdose.widgets.layers import add_stack, stack_from

_DIVERGING = Colormap(
    [
        (0.02, 0.19, 0.58, 1.0),
        (0.40, 0.66, 0.92, 1.0),
        (1.0, 1.0, 1.0, 1.0),
        (0.95, 0.56, 0.40, 1.0),
        (0.60, 0.02, 0.12, 1.0),
    ],
    name="blue white red",
)


def add_difference(
    viewer: ViewerModel, first: Image, second: Image, *, names: tuple[str, str]
) -> Image:
    """Show the first layer less the second: blue below zero, white at it, red above.

    It is worked out frame by frame when it is drawn, saved or used, so that it is there
    at once and costs no memory, however long the movie.

    Parameters
    ----------
    viewer
        Where to show it.
    first, second
        The layers, of one shape.
    names
        What these are called; both are kept in the recipe.

    Raises
    ------
    ValueError
        If they differ in shape.
    """
    stack, other = stack_from(first), stack_from(second)
    values = Difference(stack.data, other.data)
    step = {
        "step": "difference",
        "of": names[0],
        "less": names[1],
        "less_recipe": [dict(one) for one in other.recipe],
    }
    made = replace(stack.with_data(values, "", step), name=name_of(*names))
    layer = add_stack(viewer, made, like=first, limits=values.limits)
    layer.colormap = _DIVERGING
    return layer


def name_of(first: str, second: str) -> str:
    """Name a difference."""
    return f"{first} − {second}"
