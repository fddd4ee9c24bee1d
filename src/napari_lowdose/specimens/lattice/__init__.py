"""Columns of atoms, as a microscope along a zone axis shows them.

`settings` is what the user decides and how samples differ; `crystals` are the lattices,
`supported_particle` the scene of one on another, `occupancy` which atoms are there,
`optics` how they look.
"""

from napari_lowdose.specimens.lattice.crystals import Crystal
from napari_lowdose.specimens.lattice.render import render_lattice
from napari_lowdose.specimens.lattice.settings import Imaging, Lattice, vary_lattice

__all__ = ["Crystal", "Imaging", "Lattice", "render_lattice", "vary_lattice"]
