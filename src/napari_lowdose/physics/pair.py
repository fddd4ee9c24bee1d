"""Two clean images of one place, calculated in another process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from napari_lowdose.errors import LowDoseError
from napari_lowdose.physics.layer import ws2_layer
from napari_lowdose.physics.multislice import Multislice
from napari_lowdose.stack import Stack, stamped


def multislice_pair(settings: Multislice) -> tuple[Stack, Stack]:
    """Calculate two clean STEM images of one place of a WS2 layer with defects.

    Noise is added to each with `napari_lowdose.noise.add_noise`, with another seed for
    the second; the dose of a detector is its image's mean times the beam's electrons
    per pixel.

    Returns
    -------
    first, second
        What the two detectors see, as fractions of the beam: shape (1, y, x), float32.
        `napari_lowdose.physics.ws2_layer` tells where the atoms are: the position
        (0, 0) is the middle of the first pixel.

    Raises
    ------
    LowDoseError
        If abTEM is not installed, or cannot do the calculation.

    References
    ----------
    J. Madsen and T. Susi, Open Research Europe 1, 24 (2021), abTEM.
    """
    coarse = _calculated(settings)
    images = _sampled(coarse, settings)
    step = {"step": "multislice", **settings.model_dump(mode="json")}
    edge = settings.pixel_size_nm
    first, second = (
        Stack(
            image[None].astype(np.float32),
            name=f"multislice {settings.seed} {which}",
            pixel_size=(edge, edge),
            pixel_unit="nanometer",
            recipe=(stamped({**step, "image": which}),),
        )
        for which, image in zip(("first", "second"), images, strict=True)
    )
    return first, second


def _calculated(settings: Multislice) -> Float[ndarray, "2 y x"]:
    """Let another process calculate the images."""
    with TemporaryDirectory(prefix="lowdose-") as folder:
        path = Path(folder) / "images.npy"
        child = subprocess.run(
            [sys.executable, "-m", "napari_lowdose.physics", str(path)],
            input=settings.model_dump_json(),
            capture_output=True,
            text=True,
            check=False,
        )
        if child.returncode:
            said = child.stderr.strip().splitlines() or ["it ended without a word"]
            raise LowDoseError(f"the multislice calculation failed: {said[-1]}")
        images: ndarray = np.load(path)
    return images


def _sampled(
    coarse: Float[ndarray, "2 v u"], settings: Multislice
) -> Float[ndarray, "2 y x"]:
    """Blur by the source and read the images at the pixels, exactly.

    They repeat without a seam, and the coarse grid holds all their waves.
    """
    waves = np.fft.fft2(coarse, norm="forward")
    series = []
    for n, edge_nm in zip(
        coarse.shape[1:], ws2_layer(settings).edges_nm[1:], strict=True
    ):
        frequency = np.fft.fftfreq(n, edge_nm / n)
        blur = np.exp(-2 * (np.pi * settings.source_std_nm * frequency) ** 2)
        pixels = max(int(edge_nm / settings.pixel_size_nm + 1e-9), 1)
        place = np.arange(pixels) * settings.pixel_size_nm
        series.append(blur * np.exp(2j * np.pi * place[:, None] * frequency))
    images: ndarray = (series[0] @ waves @ series[1].T).real
    return images.clip(0)
