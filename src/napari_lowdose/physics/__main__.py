"""``python -m napari_lowdose.physics IMAGES.npy < settings.json``: the calculation."""

from __future__ import annotations

import sys

import numpy as np

from napari_lowdose.physics.multislice import Multislice
from napari_lowdose.physics.scattering import detected

_MISSING = (
    "multislice calculations need abTEM, which is not installed; "
    'install it with: pip install "napari-lowdose[physics]"'
)


def main() -> None:
    """Read the settings, calculate, store the images."""
    settings = Multislice.model_validate_json(sys.stdin.read())
    try:
        images = detected(settings)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("abtem", "ase"):
            raise
        sys.exit(_MISSING)
    np.save(sys.argv[1], images)


if __name__ == "__main__":
    main()
