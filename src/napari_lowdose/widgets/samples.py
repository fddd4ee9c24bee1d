"""Sample data for napari's menu: one movie of each specimen.

The manifest names ``<specimen>_movie`` of this module.
"""

from __future__ import annotations

from collections.abc import Callable

from napari_lowdose.noise import Noise, add_noise
from napari_lowdose.specimens import SPECIMENS
from napari_lowdose.widgets.files import LayerData, layer_data
from napari_lowdose.widgets.particles import particles_data

_SUFFIX = "_movie"


def movie(specimen: str) -> list[LayerData]:
    """Simulate a specimen at one electron or photon per pixel and frame."""
    scene = SPECIMENS[specimen].render(SPECIMENS[specimen].settings())
    noisy, truth = add_noise(scene.stack, Noise(dose=1.0))
    images = [layer_data(truth), layer_data(noisy)]
    return images if scene.particles.empty else [*images, particles_data(scene)]


def __getattr__(name: str) -> Callable[[], list[LayerData]]:
    specimen = name.removesuffix(_SUFFIX)
    if specimen == name or specimen not in SPECIMENS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def sample() -> list[LayerData]:
        return movie(specimen)

    sample.__name__ = name
    return sample
