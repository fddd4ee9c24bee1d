"""Files of stacks: TIFF in, TIFF out, with axes, scale and history."""
