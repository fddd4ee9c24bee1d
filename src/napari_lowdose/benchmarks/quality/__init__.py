"""How good a model is, on movies with known truth, beside what classical filters do."""

from napari_lowdose.benchmarks.quality.baselines import (
    Reached,
    baselines,
    best_baseline,
    denoised_by,
)
from napari_lowdose.benchmarks.quality.honesty import (
    Denoise,
    dose_response,
    flat_movies,
    judge_flat,
)
from napari_lowdose.benchmarks.quality.judgement import (
    judge,
    judge_particles,
    particles_of,
    photometry,
    spots_in,
)
from napari_lowdose.benchmarks.quality.measure import (
    measure_denoise,
    measure_quality,
    summary,
)
from napari_lowdose.benchmarks.quality.stacks import (
    RECIPES,
    DevelopmentStack,
    Recipe,
    Spots,
    development_set,
    simulated_stack,
)

__all__ = [
    "RECIPES",
    "Denoise",
    "DevelopmentStack",
    "Reached",
    "Recipe",
    "Spots",
    "baselines",
    "best_baseline",
    "denoised_by",
    "development_set",
    "dose_response",
    "flat_movies",
    "judge",
    "judge_flat",
    "judge_particles",
    "measure_denoise",
    "measure_quality",
    "particles_of",
    "photometry",
    "simulated_stack",
    "spots_in",
    "summary",
]
