"""Detectors by name: whole recipes with the numbers of typical ones.

To add one: add its entry here. The panel, the command line and the figures take it from
these mappings.
"""

from __future__ import annotations

from collections.abc import Mapping

from napari_lowdose.noise.recipe import Noise
from napari_lowdose.noise.stages import (
    Afterglow,
    Defects,
    DoseDrift,
    Equation,
    Gaussian,
    LineNoise,
    OnePair,
    PhaseNoise,
    Poisson,
    PulseHeight,
    Quantize,
    Readout,
    Response,
    SaltPepper,
    ScanDistortion,
    Scatter,
    Spikes,
)

_ALL: Mapping[str, tuple[str, Noise]] = {
    "counting": ("Counts every electron or photon, and nothing else", Noise()),
    "gaussian": (
        "Textbook noise that is the same everywhere",
        Noise(dose=100, stages=(Gaussian(gaussian_std=20),)),
    ),
    "poisson_gaussian": (
        "Counting and readout noise",
        Noise(
            dose=10,
            stages=(Poisson(), Readout(gain=2, offset=100, readout_std=4)),
        ),
    ),
    "salt_pepper": (
        "Textbook noise of lost values on counts",
        Noise(
            dose=20,
            stages=(Poisson(), SaltPepper(salt_share=0.01, pepper_share=0.01)),
        ),
    ),
    "one_pair": (
        "Poisson and Gaussian noise of the one-pair paper, in its physical form",
        Noise(dose=6.24, stages=(OnePair(),)),
    ),
    "one_pair_as_printed": (
        "The one-pair paper's equation as printed: the signal twice",
        Noise(dose=6.24, stages=(OnePair(equation=Equation.AS_PRINTED),)),
    ),
    "stem_counting": (
        "Scanning microscope that counts electrons",
        Noise(dose=1, stages=(ScanDistortion(), Poisson())),
    ),
    # A scintillator and a photomultiplier: pulses vary by a quarter or so, the light
    # of YAP fades within a pixel's dwell time, and the amplifier hums along lines.
    "stem_analogue": (
        "Scanning microscope with scintillator, photomultiplier and amplifier",
        Noise(
            dose=5,
            stages=(
                ScanDistortion(flyback_px=1.0),
                DoseDrift(dose_swing=0.02),
                Poisson(),
                PulseHeight(excess_factor=1.3),
                Afterglow(afterglow_px=0.5),
                Readout(gain=100, offset=1000, readout_std=25),
                LineNoise(row_std=40),
                Quantize(bits=16),
            ),
        ),
    ),
    # An event on a hybrid or monolithic sensor counts in the pixel in which most of its
    # charge is found.
    "direct_electron": (
        "Direct electron camera that counts",
        Noise(
            dose=2,
            stages=(
                Scatter(scatter_cutoff=0.5, scatter_power=0.7),
                Poisson(),
                Defects(hot_share=2e-4, dead_share=2e-4),
            ),
        ),
    ),
    # The energy that an electron leaves follows Landau's law; its width about doubles
    # the variance at most.
    "direct_integrating": (
        "Direct electron camera that adds up charge",
        Noise(
            dose=5,
            stages=(
                Scatter(scatter_cutoff=0.6, scatter_power=0.7),
                Poisson(),
                PulseHeight(excess_factor=1.6),
                Response(mtf_cutoff=0.6, mtf_power=0.5),
                Defects(hot_share=5e-4, dead_share=2e-4),
                Readout(gain=30, offset=100, readout_std=8, gain_spread=0.02),
                Quantize(bits=16),
            ),
        ),
    ),
    "ccd_scintillator": (
        "Camera with scintillator and fibres: blurred, with correlated noise",
        Noise(
            dose=20,
            stages=(
                Scatter(scatter_cutoff=0.4, scatter_power=0.5),
                Poisson(),
                PulseHeight(excess_factor=1.4),
                Response(mtf_cutoff=0.2, mtf_power=0.8),
                Spikes(spike_share=2e-5, spike_factor=20),
                Readout(
                    gain=8, offset=200, readout_std=6, gain_spread=0.02, offset_spread=1
                ),
                Quantize(bits=16),
            ),
        ),
    ),
    # 0.46 electrons per count, 1.4 electrons of readout noise in the median pixel.
    "scmos": (
        "Light camera with a readout noise of its own in each pixel",
        Noise(
            dose=20,
            stages=(
                Poisson(),
                Defects(hot_share=2e-4, hot_factor=2, dead_share=0),
                Readout(
                    gain=2.17,
                    offset=100,
                    readout_std=3,
                    gain_spread=0.01,
                    offset_spread=1.5,
                    readout_spread=0.3,
                ),
                LineNoise(row_std=0.5, stripe_std=0.5),
                Quantize(bits=16),
            ),
        ),
    ),
    # Multiplied 300 times, 12 electrons per count, 50 electrons of readout noise.
    "emccd": (
        "Light camera that multiplies electrons by chance",
        Noise(
            dose=2,
            stages=(
                Poisson(),
                PulseHeight(excess_factor=2),
                Spikes(spike_share=1e-6, spike_factor=20),
                Readout(gain=25, offset=500, readout_std=4.2),
                Quantize(bits=16),
            ),
        ),
    ),
    "holography": (
        "Phase of an electron hologram; the stack's values are radians",
        Noise(dose=0, stages=(PhaseNoise(),)),
    ),
}

DETECTORS: Mapping[str, Noise] = {name: noise for name, (_, noise) in _ALL.items()}

SUMMARIES: Mapping[str, str] = {name: line for name, (line, _) in _ALL.items()}
