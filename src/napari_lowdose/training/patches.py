"""Random crops of slices for training, and fixed ones for validation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Real
from numpy import ndarray

from napari_lowdose.config import Plane, Training
from napari_lowdose.objectives import Patches
from napari_lowdose.planes import slices
from napari_lowdose.training.examples import Part

# Validation asks for a stable ranking of weights, not for every pixel.
_VALIDATION_SLICES = 24
_VALIDATION_PX = 256
_BLOCK_FRAMES = 24
_UPRIGHT = np.zeros(3, bool)


def patch_shape(parts: Sequence[Part], plane: Plane, patch_px: int) -> tuple[int, int]:
    """Find the largest crop up to `patch_px` that fits every part's slices."""
    shapes = [slices(part.noisy, plane).shape[1:] for part in parts]
    height, width = (min(patch_px, *lengths) for lengths in zip(*shapes, strict=True))
    return height, width


def steps_per_epoch(parts: Sequence[Part], plane: Plane, training: Training) -> int:
    """Count the steps of an epoch: as asked, or so that they cover the parts once."""
    if training.steps_per_epoch:
        return training.steps_per_epoch
    height, width = patch_shape(parts, plane, training.patch_px)
    voxels = sum(part.noisy.size for part in parts)
    return max(1, round(voxels / (training.batch * height * width)))


def draw(
    parts: Sequence[Part], plane: Plane, training: Training, rng: np.random.Generator
) -> Patches:
    """Draw a batch of crops, each voxel as likely as any other."""
    shape = patch_shape(parts, plane, training.patch_px)
    sizes = np.array([part.noisy.size for part in parts], float)
    chosen = rng.choice(len(parts), training.batch, p=sizes / sizes.sum())
    corners = rng.random((training.batch, 3))
    flips = rng.random((training.batch, 3)) < (0.5 if training.augment else 0)
    noisy, truth = [], []
    for part, corner, flip in zip(chosen, corners, flips, strict=True):
        noisy.append(_crop(parts[part].noisy, plane, shape, corner, flip))
        reference = parts[part].truth
        if reference is not None:
            truth.append(_crop(reference, plane, shape, corner, flip))
    return _patches(noisy, truth, [parts[i] for i in chosen], training)


def _crop(
    stack: Real[ndarray, "t y x"],
    plane: Plane,
    shape: tuple[int, int],
    corner: np.ndarray,
    flip: np.ndarray,
) -> Real[ndarray, "h w"]:
    """Cut a crop at a corner given in parts of the free range, and mirror it."""
    images = slices(stack, plane)
    free = np.subtract(images.shape, (1, *shape)) + 1
    n, top, left = (corner * free).astype(int)
    crop = images[n, top : top + shape[0], left : left + shape[1]]
    if flip[0]:
        crop = crop[::-1]
    if flip[1]:
        crop = crop[:, ::-1]
    # The axes of a frame may be exchanged; those of a slice through time differ.
    if flip[2] and plane is Plane.XY and shape[0] == shape[1]:
        crop = crop.T
    return crop


def _patches(
    noisy: Sequence[ndarray],
    truth: Sequence[ndarray],
    sources: Sequence[Part],
    training: Training,
) -> Patches:
    """Stack crops with the normalization of the parts they come from."""
    scale = np.array([(s.normalizer.mean, s.normalizer.std) for s in sources])
    return Patches(
        np.stack(noisy),
        np.stack(truth) if truth else None,
        mean=scale[:, :1, None],
        std=scale[:, 1:, None],
        gain=training.gain,
        offset=training.offset,
        readout_std=training.readout_std,
    )


def block_of(part: Part, training: Training) -> Patches:
    """Give a block of whole frames, each a patch, for all planes to look at."""
    frames = slice(_BLOCK_FRAMES)
    rows, columns = (slice(_VALIDATION_PX),) * 2
    noisy = [*part.noisy[frames, rows, columns]]
    truth = [] if part.truth is None else [*part.truth[frames, rows, columns]]
    return _patches(noisy, truth, [part] * len(noisy), training)


def validation(
    parts: Sequence[Part], plane: Plane, training: Training
) -> Iterator[Patches]:
    """Give the same windows of evenly spread slices every time, in small batches."""
    n_each = max(1, _VALIDATION_SLICES // len(parts))
    rng = np.random.default_rng(training.seed)
    for part in parts:
        shape = patch_shape([part], plane, _VALIDATION_PX)
        n = min(n_each, slices(part.noisy, plane).shape[0])
        places = np.column_stack([np.arange(n) / n, rng.random(n), rng.random(n)])
        for start in range(0, len(places), training.batch):
            chosen = places[start : start + training.batch]
            noisy = [
                _crop(part.noisy, plane, shape, place, _UPRIGHT) for place in chosen
            ]
            truth = [
                _crop(part.truth, plane, shape, place, _UPRIGHT)
                for place in chosen
                if part.truth is not None
            ]
            yield _patches(noisy, truth, [part] * len(chosen), training)
