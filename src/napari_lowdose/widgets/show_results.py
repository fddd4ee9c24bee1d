"""``python -m napari_lowdose.widgets.show_results FOLDER``: a comparison in napari."""

from __future__ import annotations

import sys
from pathlib import Path

import napari
from napari.components import ViewerModel

from napari_lowdose.io import read_stack
from napari_lowdose.widgets.grid_view import show_side_by_side
from napari_lowdose.widgets.layers import add_stack, contrast_limits

# In the order of reading: what there was, what one direction makes of it, the result.
SHOWN = ("noisy", "gaussian", "xy", "fused", "truth")


def show_results(viewer: ViewerModel, folder: Path) -> None:
    """Open the stacks of a comparison side by side, in one contrast."""
    found = [name for name in SHOWN if (folder / f"{name}.tif").exists()]
    layers = [add_stack(viewer, read_stack(folder / f"{n}.tif")) for n in found]
    for name, layer in zip(found, layers, strict=True):
        layer.name = name
    limits = contrast_limits(layers[-1].data) if layers else None
    show_side_by_side(viewer, layers, limits=limits)


def main() -> None:
    """Open a viewer on the folder that is named on the command line."""
    viewer = napari.Viewer(title="napari-lowdose")
    show_results(viewer, Path(sys.argv[1]))
    napari.run()


if __name__ == "__main__":
    main()
