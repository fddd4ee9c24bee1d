"""What a user decides: one frozen schema per group of decisions.

Each field is a name, a bound, a default and a sentence. The form, its tooltip, the
command-line flag, the recipe in a result and the entry in a checkpoint come from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from pydantic import model_validator

from napari_lowdose.schema import Config, Registry

Share = Annotated[float, Ge(0), Le(1)]
Seed = Annotated[int, Ge(0), Lt(2**32)]


class Plane(StrEnum):
    """A family of slices of a (t, y, x) stack, named by the axes a slice shows."""

    XY = "xy"  # one slice per frame
    XT = "xt"  # one slice per row
    YT = "yt"  # one slice per column

    @property
    def axis(self) -> int:
        """The axis of the stack along which this plane's slices are numbered."""
        return {"xy": 0, "xt": 1, "yt": 2}[self.value]


class Fusion(StrEnum):
    """How the estimates of several planes become one."""

    AUTO = "auto"  # learned where the model has learned to, else the mean
    MEAN = "mean"  # the tri-directional paper's plain average
    INVERSE_VARIANCE = "inverse_variance"  # by the errors at validation
    VETO = "veto"  # the smallest response: what one direction misses is gone
    LEARNED = "learned"  # by networks that see what the directions made of it


class Polarity(StrEnum):
    """Which spots are looked for."""

    BRIGHT = "bright"  # brighter than what is around them
    DARK = "dark"
    BOTH = "both"


class Device(StrEnum):
    """Where networks run."""

    AUTO = "auto"  # a GPU when there is one
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class Precision(StrEnum):
    """The arithmetic of the convolutions; losses and weights stay float32."""

    AUTO = "auto"  # half precision where the device computes it faster
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


class Schedule(StrEnum):
    """How the learning rate moves over a training."""

    CONSTANT = "constant"
    COSINE = "cosine"  # down to a hundredth of the start


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


class Network(Config):
    """The shape of a U-Net."""

    depth: Annotated[int, Ge(1), Le(5)] = 3
    """How many times the U-Net halves its resolution."""

    width: Annotated[int, Ge(1), Le(128)] = 16
    """Feature channels at full resolution; they double at each halving."""


class LooksSettings(Config):
    """The shape of a base model's networks."""

    shuffle: Annotated[int, Ge(2), Le(4)] = 2
    """Edge of the blocks of pixels that the networks treat as one."""

    depth: Annotated[int, Ge(1), Le(5)] = 3
    """How many times the networks halve their resolution."""

    width: Annotated[int, Ge(1), Le(128)] = 16
    """Feature channels at the finest level; twice as many below."""

    second_planes: tuple[Plane, ...] = tuple(Plane)
    """Directions of the second look, or none; the first look has all three."""


class Training(Config):
    """How networks are fitted to stacks."""

    objective: Annotated[str, Registry("objectives", "OBJECTIVES", "auto")] = "auto"
    """What a network learns from; auto: the truth when given, else the noisy stack."""

    planes: tuple[Plane, ...] = tuple(Plane)
    """Directions to train: frames (xy), rows in time (xt), columns in time (yt)."""

    epochs: Annotated[int, Ge(1), Le(100_000)] = 12
    """How many rounds of training steps, each ending with a validation."""

    steps_per_epoch: Annotated[int, Ge(0), Le(1_000_000)] = 16
    """Steps of each plane per epoch; 0: as many as cover the stack once."""

    batch: Annotated[int, Ge(1), Le(4096)] = 16
    """Patches per training step."""

    patch_px: Annotated[int, Ge(16), Le(1024), MultipleOf(16)] = 64
    """Edge of a square training patch, in pixels (and frames)."""

    learning_rate: Annotated[float, Gt(0), Le(1)] = 2e-3
    """Step size of the Adam optimiser."""

    schedule: Schedule = Schedule.COSINE
    """How the learning rate moves over the training."""

    augment: bool = True
    """Also train on mirrored patches."""

    validation_fraction: Annotated[float, Ge(0.05), Le(0.5)] = 0.2
    """Share held out to choose the best weights: whole stacks, or the last frames."""

    gain: Annotated[float, Gt(0), Le(1e6)] = 1.0
    """Counts per electron or photon of the noisy stack; used by thinning."""

    offset: Annotated[float, Ge(-1e6), Le(1e6)] = 0.0
    """Counts of the noisy stack in the dark; used by thinning."""

    readout_std: Annotated[float, Ge(0), Le(1e6)] = 0.0
    """Standard deviation of the readout noise, in counts; used by thinning."""

    seed: Seed = 0
    """Start of the random numbers: the same seed gives the same weights."""

    network: Network = Network()
    """The shape of each plane's network."""

    compute: Compute = Compute()
    """On what the training runs."""


class BaseTraining(Config):
    """How a base model is trained on movies that are simulated meanwhile."""

    steps: Annotated[int, Ge(1), Le(10_000_000)] = 9300
    """Training steps."""

    steps_alone: Annotated[int, Ge(0), Le(10_000_000)] = 2600
    """Steps at first in which the networks do without the Wiener filter's estimate."""

    steps_untold: Annotated[int, Ge(0), Le(10_000_000)] = 4800
    """Steps at first in which the networks are not told the traits of a movie."""

    reluctance: Annotated[float, Ge(0), Le(10)] = 0.5
    """By how much the logit of the Wiener filter's share is lowered in the end."""

    power: Annotated[float, Ge(0), Le(1)] = 0.25
    """A crop's mean squared error counts by this power of it; 0: by its logarithm."""

    voxels: Annotated[int, Ge(10_000), Le(100_000_000)] = 150_000
    """Voxels per step, in as many crops of movies as that makes."""

    movies: Annotated[int, Ge(1), Le(100_000)] = 40
    """Movies kept at a time; each is replaced after some crops."""

    least_dose: Annotated[float, Gt(0), Le(1e6)] = 0.2
    """Lowest dose of the crops, in quanta per pixel."""

    greatest_dose: Annotated[float, Gt(0), Le(1e6)] = 150.0
    """Highest dose of the crops, in quanta per pixel."""

    learning_rate: Annotated[float, Gt(0), Le(1)] = 1.5e-3
    """Step size of the Adam optimiser at its start; it falls to a hundredth."""

    seed: Seed = 0
    """Start of the random numbers: the same seed gives the same weights."""

    network: LooksSettings = LooksSettings()
    """The shape of the networks."""

    compute: Compute = Compute()
    """On what the training runs."""


class FineTuning(Config):
    """How a base model is fitted to the stack at hand."""

    objective: Annotated[str, Registry("objectives", "OBJECTIVES", "auto")] = "auto"
    """What it learns from; auto: a reference when given, else the noisy stack."""

    seconds: Annotated[float, Gt(0), Le(86_400)] = 60.0
    """How long it may take, in seconds; it ends earlier when nothing improves."""

    learning_rate: Annotated[float, Gt(0), Le(1)] = 5e-4
    """Step size of the Adam optimiser at its start; it falls to a hundredth."""

    cubes: Annotated[int, Ge(1), Le(4096)] = 2
    """Crops of the stack per step."""

    frames: Annotated[int, Ge(8), Le(256)] = 24
    """Frames of a crop."""

    size_px: Annotated[int, Ge(16), Le(512), MultipleOf(16)] = 48
    """Rows and columns of a crop, in pixels."""

    validation_fraction: Annotated[float, Ge(0.05), Le(0.5)] = 0.2
    """Share of the frames held out, to tell whether it has become better."""

    detector: Detector = Detector()
    """What is known of the detector."""

    seed: Seed = 0
    """Start of the random numbers that crops and parts are drawn by."""

    compute: Compute = Compute()
    """On what it runs."""


PRESETS: Mapping[str, Training] = {
    "quick": Training(),
    # Tri-directional paper, section 2.5; padded, since its unpadded U-Net has no
    # output at all for 128 px slices.
    "paper": Training(
        epochs=50,
        steps_per_epoch=0,
        batch=4,
        patch_px=128,
        learning_rate=1e-3,
        schedule=Schedule.CONSTANT,
        network=Network(depth=4, width=64),
    ),
}


class Denoising(Config):
    """How a fitted denoiser is applied to a stack."""

    planes: tuple[Plane, ...] = tuple(Plane)
    """Directions to use; several are fused into one estimate."""

    fusion: Fusion = Fusion.AUTO
    """How the directions' estimates become one; auto: learned if the model can."""

    tile_px: Annotated[int, Ge(0), Le(16384)] = 0
    """Edge of the tiles that slices are cut into; 0: as large as memory allows."""

    compute: Compute = Compute()
    """On what the denoising runs."""


class Comparison(Config):
    """Which methods are put side by side."""

    baselines: Annotated[tuple[str, ...], Registry("classical", "BASELINES")] = (
        "gaussian",
        "bilateral",
        "nonlocal_means",
        "wiener",
    )
    """Classical methods to compare with, each tuned on the stack at hand."""

    models: tuple[str, ...] = ()
    """Base models, by their names, and model files to compare."""

    estimates: tuple[str, ...] = ()
    """TIFF files of results made elsewhere; each of the noisy stack's shape."""

    each_plane: bool = True
    """Also show what each of a model's directions makes of the stack alone."""

    gain: Annotated[float, Gt(0), Le(1e6)] = 1.0
    """Counts per electron or photon; used when tuning without truth."""

    offset: Annotated[float, Ge(-1e6), Le(1e6)] = 0.0
    """Counts in the dark; used when tuning without truth."""

    seed: Seed = 0
    """Start of the random numbers that split the counts when tuning without truth."""

    cache: bool = True
    """Keep results on disk, so that what was asked before is answered at once."""

    denoising: Denoising = Denoising()
    """How the networks are applied."""


class Inspecting(Config):
    """How particles are looked for in the estimate and tested on the raw counts."""

    polarity: Polarity = Polarity.BRIGHT
    """Look for particles that are bright, dark, or both."""

    n_std: Annotated[float, Gt(0), Le(100)] = 5.0
    """How far a particle must stand out of the estimate, in deviations around it."""

    smallest_px: Annotated[float, Ge(1), Le(64)] = 1.4
    """Radius of the smallest particles, in pixels."""

    largest_px: Annotated[float, Ge(1), Le(64)] = 5.7
    """Radius of the largest particles, in pixels."""

    reach_px: Annotated[float, Gt(0), Le(100)] = 4.0
    """How far a particle may move from one frame to the next, in pixels."""

    gap_frames: Annotated[int, Ge(0), Le(20)] = 2
    """Frames in a row in which a particle may be missing and still be the same."""

    detector: Detector = Detector()
    """What is known of the detector."""

    null_movies: Annotated[int, Ge(1), Le(100)] = 1
    """Movies of pure noise for the null test."""

    seed: Seed = 0
    """Start of the random numbers of the null movies."""

    denoising: Denoising = Denoising()
    """How the networks are applied."""

    @model_validator(mode="after")
    def _from_small_to_large(self) -> Inspecting:
        if self.smallest_px > self.largest_px:
            raise ValueError(
                f"expected smallest_px up to largest_px, got {self.smallest_px:g} and "
                f"{self.largest_px:g}; exchange them"
            )
        return self


class Scoring(Config):
    """What is known of an estimate that is scored."""

    detector: Detector = Detector()
    """What is known of the detector."""

    seen_frames: Annotated[int, Ge(-1), Le(1000)] = -1
    """Frames before and after that an estimate was made of; -1: not known."""

    lattice_constant: Annotated[float, Ge(0), Le(1e6)] = 0.0
    """Of a hexagonal lattice, in the pixel unit; 0: any lattice."""

    seed: Seed = 0
    """Start of the random numbers of thinning and of standard errors."""

    denoising: Denoising = Denoising()
    """How the networks are applied."""
