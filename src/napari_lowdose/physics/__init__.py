"""Images calculated from first principles, by other programs in their own process."""

from napari_lowdose.physics.layer import Layer, ws2_layer
from napari_lowdose.physics.multislice import Multislice
from napari_lowdose.physics.pair import multislice_pair

__all__ = ["Layer", "Multislice", "multislice_pair", "ws2_layer"]
