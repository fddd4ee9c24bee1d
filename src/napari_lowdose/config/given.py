"""What is given: the file, the machine and the detector."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le

from napari_lowdose.config.choices import Device, Precision
from napari_lowdose.schema import Config


class Reading(Config):
    """Which part of a file is the stack, and how it is calibrated."""

    axes: str = ""
    """Order of the file's axes, such as TYX or TZYX; empty: as the file says."""

    z: Annotated[int, Ge(-1)] = -1
    """Which z slice to take from a file that has several, from 0; -1: none chosen."""

    channel: Annotated[int, Ge(-1)] = -1
    """Which channel to take from a file that has several, from 0; -1: none chosen."""

    t_start: Annotated[int, Ge(0)] = 0
    """First frame to keep."""

    t_stop: Annotated[int, Ge(0)] = 0
    """Frame to stop before; 0: keep all to the end."""

    y_start: Annotated[int, Ge(0)] = 0
    """First row to keep."""

    y_stop: Annotated[int, Ge(0)] = 0
    """Row to stop before; 0: keep all to the end."""

    x_start: Annotated[int, Ge(0)] = 0
    """First column to keep."""

    x_stop: Annotated[int, Ge(0)] = 0
    """Column to stop before; 0: keep all to the end."""

    pixel_size: Annotated[float, Ge(0)] = 0.0
    """Edge of a pixel in the pixel unit; 0: as the file says."""

    pixel_unit: str = ""
    """Unit of the pixel size, such as nm or um; empty: as the file says."""

    frame_interval_s: Annotated[float, Ge(0)] = 0.0
    """Time from one frame to the next, in seconds; 0: as the file says."""


class Compute(Config):
    """On what, and how exactly, networks compute."""

    device: Device = Device.AUTO
    """Where networks run; auto takes a GPU when there is one."""

    precision: Precision = Precision.AUTO
    """Arithmetic of the convolutions; auto takes bfloat16 where it is faster."""

    threads: Annotated[int, Ge(0), Le(1024)] = 0
    """Processor threads; 0: as many as there are cores."""


class Detector(Config):
    """What is known of the detector."""

    gain: Annotated[float, Ge(0), Le(1e6)] = 0.0
    """Counts per electron or photon; 0: as measured on the stack."""

    offset: Annotated[float, Ge(-1e6), Le(1e6)] = 0.0
    """Counts in the dark; used where the gain is given."""

    readout_std: Annotated[float, Ge(0), Le(1e6)] = 0.0
    """Standard deviation of the readout noise, in counts; used with the gain."""
