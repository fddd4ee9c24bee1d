"""How networks are made, and fitted to stacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from annotated_types import Ge, Gt, Le, MultipleOf

from napari_lowdose.config.choices import Plane, Schedule, Seed
from napari_lowdose.config.given import Compute, Detector
from napari_lowdose.schema import Config, Registry


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

    steps: Annotated[int, Ge(1), Le(10_000_000)] = 22_800
    """Training steps."""

    steps_alone: Annotated[int, Ge(0), Le(10_000_000)] = 2600
    """Steps at first in which the networks do without the Wiener filter's estimate."""

    steps_untold: Annotated[int, Ge(0), Le(10_000_000)] = 4800
    """Steps at first in which the networks are not told the traits of a movie."""

    rounds: Annotated[int, Ge(1), Le(1000)] = 4
    """In how many parts the steps after those are taken; each begins at the mean."""

    reluctance: Annotated[float, Ge(0), Le(10)] = 0.3
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
    """Step size of the Adam optimiser at its start; it falls to a tenth."""

    cubes: Annotated[int, Ge(1), Le(4096)] = 1
    """Crops of the stack per step."""

    frames: Annotated[int, Ge(8), Le(256)] = 16
    """Frames of a crop."""

    size_px: Annotated[int, Ge(16), Le(512), MultipleOf(16)] = 64
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
