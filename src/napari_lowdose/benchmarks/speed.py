"""How fast this machine denoises and trains, beside what it could compute at best."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy import ndarray
from torch.utils.flop_counter import FlopCounterMode

from napari_lowdose.base_models import BASE_MODELS, fitted
from napari_lowdose.compare.cost import Cost, measured
from napari_lowdose.config import PRESETS, Compute, Plane, Training
from napari_lowdose.denoiser import predict
from napari_lowdose.networks import Arithmetic, arithmetic
from napari_lowdose.planes import slices
from napari_lowdose.training import Example, Step, fitting, prepare

_STACK = (64, 128, 128)
_BASE_STACK = (100, 256, 256)
_ROUNDS = 5
_MATRIX = 2048
_STEPS = 6


def measure_speed(
    n_rounds: int = _ROUNDS, base_stack: tuple[int, int, int] = _BASE_STACK
) -> Iterator[dict[str, Any]]:
    """Time the quick preset's networks on a 64 x 128 x 128 stack, and the base models.

    Parameters
    ----------
    n_rounds
        How often each work is timed, all in turn.
    base_stack
        Frames, rows and columns that the base models denoise, from reading the noise to
        the fused counts.

    Yields
    ------
    dict
        One row per measurement: what, rate, unit, and the share of the arithmetic rate
        that this machine reaches in plain matrix products of the same precision, taken
        in the same round, for single networks. Rates are medians over interleaved
        rounds. Of base models also the ``float32 stacks`` that the process grew by at
        the most, results included.
    """
    # First: after a training, a process grows by more than its work needs.
    yield from _base_models(n_rounds, base_stack)
    compute, training = Compute(), PRESETS["quick"]
    how = arithmetic(compute)
    stack = np.random.default_rng(0).poisson(1.0, _STACK).astype(np.float32)
    works = _works(stack, training, compute)
    flop = {name: cost for name, (_, _, cost, _) in works.items()}
    seconds: dict[str, list[float]] = {name: [] for name in works}
    peaks = []
    for _ in range(n_rounds):
        peaks.append(_matrix_product_rate(how))
        for name, (work, _, _, _) in works.items():
            start = perf_counter()
            work()
            seconds[name].append(perf_counter() - start)
    peak = median(peaks)
    yield _row("matrix product", peak / 1e9, "GFLOP/s", 1.0)
    for name, (_, amount, _, unit) in works.items():
        time = median(seconds[name])
        yield _row(name, amount / time, unit, flop[name] / time / peak)


def _base_models(
    n_rounds: int, shape: tuple[int, int, int]
) -> Iterator[dict[str, Any]]:
    """Time the base models from the counts to the result, in turn, and watch memory."""
    stack = np.random.default_rng(0).poisson(1.0, shape).astype(np.uint16)
    costs: dict[str, list[Cost]] = {name: [] for name in BASE_MODELS}
    for _ in range(n_rounds):
        for name, taken in costs.items():
            _, cost = measured(partial(_denoised, name, stack))
            taken.append(cost)
    float32_mb = stack.size * 4 / 1e6
    for name, taken in costs.items():
        rate = stack.size / median(cost.seconds for cost in taken)
        # The first round also brings what the libraries keep.
        most = max(cost.memory_mb for cost in taken[1:] or taken)
        yield {
            "what": f"{name}, end to end",
            "rate": rate,
            "unit": "voxels/s",
            "float32 stacks": most / float32_mb,
        }


def _denoised(name: str, stack: ndarray) -> ndarray:
    """Denoise by a base model, from reading the noise on."""
    denoiser, _ = fitted(name, stack)
    return denoiser(stack)


Work = tuple[Callable[[], object], float, float, str]


def _works(stack: ndarray, training: Training, compute: Compute) -> dict[str, Work]:
    """List what is timed: the work, its amount, its arithmetic, the amount's unit."""
    run, parts = prepare([Example(stack, stack)], training)
    per_voxel = _flop_per_pixel(next(iter(run.planes.values())).network)
    works: dict[str, Work] = {}
    for plane, state in run.planes.items():

        def one(plane: Plane = plane, network: torch.nn.Module = state.network) -> None:
            predict(network, slices(stack, plane), compute)

        works[plane] = (one, stack.size, per_voxel * stack.size, "voxels/s")
    denoiser = run.denoiser()
    n_planes = len(run.planes)
    fused_cost = n_planes * per_voxel * stack.size
    works["fused"] = (lambda: denoiser(stack), stack.size, fused_cost, "voxels/s")
    patches = _STEPS * training.batch
    # Forward once, backward about twice: towards the weights and towards the input.
    training_cost = 3 * per_voxel * patches * training.patch_px**2
    steps = (event for event in fitting(run, parts) if isinstance(event, Step))
    works["training"] = (
        lambda: [next(steps) for _ in range(_STEPS)],
        patches,
        training_cost,
        "patches/s",
    )
    return works


def _flop_per_pixel(network: torch.nn.Module) -> float:
    """Count the arithmetic of one output pixel, multiply and add counted as two."""
    size = 64
    image = torch.zeros(1, 1, size, size, device=next(network.parameters()).device)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(image)
    return float(counter.get_total_flops()) / size**2


def _matrix_product_rate(how: Arithmetic) -> float:
    """Time a square matrix product, in floating-point operations per second."""
    a = torch.randn(_MATRIX, _MATRIX, device=how.device).to(how.dtype)
    a @ a
    start = perf_counter()
    for _ in range(3):
        # Reading one number waits for a GPU to finish.
        float((a @ a)[0, 0])
    return 3 * 2 * _MATRIX**3 / (perf_counter() - start)


def _row(what: str, rate: float, unit: str, share: float) -> dict[str, Any]:
    return {"what": str(what), "rate": rate, "unit": unit, "share of peak": share}
