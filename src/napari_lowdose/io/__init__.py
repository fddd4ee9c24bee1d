"""Files of stacks: TIFF in, TIFF out, with axes, scale and history."""

from napari_lowdose.io.read import Description, inspect, read_stack
from napari_lowdose.io.write import write_stack

__all__ = ["Description", "inspect", "read_stack", "write_stack"]
