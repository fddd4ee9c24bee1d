"""Sample data for napari's menu."""

from __future__ import annotations

from napari_lowdose.config import Catalyst, Noise
from napari_lowdose.noise import add_noise
from napari_lowdose.specimens import SPECIMENS
from napari_lowdose.widgets.files import LayerData, layer_data


def catalyst_movie() -> list[LayerData]:
    """Simulate platinum particles on carbon at one electron per pixel and frame."""
    clean = SPECIMENS["catalyst"].render(Catalyst())
    noisy, truth = add_noise(clean, Noise(dose=1.0))
    return [layer_data(truth), layer_data(noisy)]
