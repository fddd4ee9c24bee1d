"""Sample data for napari's menu."""

from __future__ import annotations

from napari_lowdose.noise import Noise, add_noise
from napari_lowdose.specimens import SPECIMENS, Catalyst
from napari_lowdose.widgets.files import LayerData, layer_data


def catalyst_movie() -> list[LayerData]:
    """Simulate platinum particles on carbon at one electron per pixel and frame."""
    clean = SPECIMENS["catalyst"].render(Catalyst()).stack
    noisy, truth = add_noise(clean, Noise(dose=1.0))
    return [layer_data(truth), layer_data(noisy)]
