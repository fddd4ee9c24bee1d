"""Choose any number of layers that hold stacks."""

from __future__ import annotations

from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget


class LayerChecks(QWidget):
    """List the image layers with a check box each, and keep what was checked.

    Not a list widget, whose check boxes are too dark to be seen in napari's theme.

    Parameters
    ----------
    viewer
        Whose layers to list.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._boxes: dict[Layer, QCheckBox] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self.follow()

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The checked layers, in the order of the list."""
        return tuple(layer for layer, box in self._boxes.items() if box.isChecked())

    def box(self, layer: Layer) -> QCheckBox:
        """Find the check box of a layer."""
        return self._boxes[layer]

    def follow(self) -> None:
        """Bring the list up to date."""
        checked = self.layers
        for box in self._boxes.values():
            box.setParent(None)
            box.deleteLater()
        self._boxes = {
            layer: QCheckBox(layer.name)
            for layer in self._viewer.layers
            if isinstance(layer, Image | Labels) and layer.ndim >= 3
        }
        for layer, box in self._boxes.items():
            box.setChecked(layer in checked)
            box.setMinimumWidth(60)  # long names are cut
            self._column.addWidget(box)
