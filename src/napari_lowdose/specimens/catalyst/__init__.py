"""Platinum particles on carbon, as an annular dark-field movie shows them.

Brightness is in units of the carbon's mean. `settings` is what the user decides;
`carbon` is the film, `particles` and `adatoms` are what happens on it, `projection` is
how the metal looks along the beam.
"""

from __future__ import annotations

from itertools import count

import numpy as np

from napari_lowdose.specimens.catalyst.adatoms import Adatoms
from napari_lowdose.specimens.catalyst.carbon import Carbon
from napari_lowdose.specimens.catalyst.particles import Particles
from napari_lowdose.specimens.catalyst.picture import Picture
from napari_lowdose.specimens.catalyst.settings import Catalyst, vary_catalyst
from napari_lowdose.specimens.scene import Scene, Tracks

__all__ = ["Catalyst", "render_catalyst", "vary_catalyst"]


def render_catalyst(settings: Catalyst) -> Scene:
    """Simulate particles that move, coalesce, ripen and blink on a carbon film.

    Parameters
    ----------
    settings
        What is on the film and what happens to it.

    Returns
    -------
    Scene
        Expected brightness in units of the carbon's mean, and tables of what has its
        centre in the frame: who drifts out of it dies, who drifts in is born. The
        amplitude of a particle is the brightness that it adds to the carbon at its y
        and x when it is visible and alone: what the probe sees at the centre of a
        sphere of its radius. That of a single atom is the height of a Gaussian; its
        radius is the probe's standard deviation. While two particles merge, both are
        in the table, swollen so that their union keeps their volume.

    References
    ----------
    P. D. Nellist and S. J. Pennycook, Ultramicroscopy 78, 111 (1999), Z contrast.
    I. M. Lifshitz and V. V. Slyozov, J. Phys. Chem. Solids 19, 35 (1961), ripening.
    """
    film, metal, atom = np.random.default_rng(settings.seed).spawn(3)
    carbon = Carbon.drawn(settings, film)
    tracks, ids = Tracks(), count()
    particles = Particles(settings, carbon, tracks, ids, metal)
    particles.scatter()
    adatoms = Adatoms(settings, carbon, tracks, ids, atom)
    adatoms.scatter(particles)
    picture = Picture(settings)
    frames = np.empty((settings.frames, *settings.shape), np.float32)
    for number, frame in enumerate(frames):
        if number:
            particles.advance()
            adatoms.advance(particles)
        frame[:] = carbon.window(number) + picture.of(particles, adatoms)
        picture.note(tracks, number, particles, adatoms)
    return settings.scene("catalyst", frames, tracks)
