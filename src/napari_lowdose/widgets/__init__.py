"""Dock widgets for napari: forms and wiring around the package, no science."""
