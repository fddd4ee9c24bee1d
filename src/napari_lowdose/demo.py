"""The main job on a built-in movie: simulate, train, denoise, compare, write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_lowdose.applying import open_model
from napari_lowdose.compare import (
    ModelMethod,
    Result,
    compare,
    methods_of,
    write_results,
)
from napari_lowdose.config import PRESETS, Comparison
from napari_lowdose.io.folder import made_folder
from napari_lowdose.noise import Noise, add_noise
from napari_lowdose.specimens import SPECIMENS, Catalyst
from napari_lowdose.stack import Stack
from napari_lowdose.training import Example, Step, fitting, prepare, save_run

_SHOWN_SEED = 0
_TRAINING_SEEDS = (1, 2, 3)
_DOSE = 1.0


@dataclass(frozen=True)
class Stage:
    """How far the demo is: what is going on, and which share of that is done."""

    text: str
    share: float


def movie(seed: int) -> tuple[Stack, Stack]:
    """Simulate a catalyst movie of one electron per pixel, noisy and true."""
    clean = SPECIMENS["catalyst"].render(Catalyst(seed=seed)).stack
    return add_noise(clean, Noise(dose=_DOSE, seed=seed))


def run_demo(folder: Path) -> Iterator[Stage | Result]:
    """Train on movies of some seeds and show what that makes of another.

    Leaves in `folder`: the noisy movie, the truth, every method's result,
    ``model.lowdose``, ``table.csv`` and ``side-by-side.png``.
    """
    examples = []
    for number, seed in enumerate(_TRAINING_SEEDS):
        yield Stage("simulating", number / len(_TRAINING_SEEDS))
        noisy, truth = movie(seed)
        examples.append(Example(noisy.read(), truth.read()))
    run, parts = prepare(examples, PRESETS["quick"])
    for event in fitting(run, parts):
        if isinstance(event, Step):
            yield Stage("training", event.done / event.total)
    made_folder(folder)
    model = save_run(run, folder / "model.lowdose")
    noisy, truth = movie(_SHOWN_SEED)
    trained = ModelMethod("fused", str(model), open_model, prefix="")
    results: list[Result] = []
    for result in compare(
        noisy, truth=truth, methods=[*methods_of(Comparison()), trained]
    ):
        results.append(result)
        yield result
    yield Stage("writing", 0.0)
    write_results(results, folder, truth=truth, frame=noisy.shape[0] // 2)
