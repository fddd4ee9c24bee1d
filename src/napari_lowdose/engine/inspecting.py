"""Look at each particle of an estimate, and ask the denoiser about pure noise."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from napari_lowdose.denoiser import Progress, exhausted
from napari_lowdose.engine.link import Clock, Link, Stopped
from napari_lowdose.engine.telling import save_array, tell_ready, tell_result, warn
from napari_lowdose.jobs import Job
from napari_lowdose.trust import asking_noise, inspecting


def inspect(job: Job, link: Link) -> None:
    """Find the particles of one stack and test each on the raw counts."""
    tell_ready(link, job.inspecting.denoising.compute)
    estimate = job.estimate[0].open() if job.estimate else None
    steps = inspecting(
        job.noisy[0].open(), job.inspecting, model=job.model, estimate=estimate
    )
    seen = exhausted(steps, _Watch(link, "inspecting"))
    for name, stack in {**seen.estimates, **seen.maps}.items():
        tell_result(link, job, name, stack)
    link.emit(
        "particles",
        particles=_save_table(seen.particles, job, "particles"),
        courses=_save_table(seen.courses, job, "courses"),
        notes=list(seen.notes),
        tested=seen.tested,
    )


def null_test(job: Job, link: Link) -> None:
    """Count what the denoiser invents in movies of pure noise."""
    tell_ready(link, job.inspecting.denoising.compute)
    steps = asking_noise(job.noisy[0].open(), job.inspecting, model=job.model)
    tested = exhausted(steps, _Watch(link, "denoising pure noise"))
    warn(link, tested.notes)
    for name, stack in tested.movies.items():
        tell_result(link, job, name, stack)
    link.emit(
        "null",
        text=" ".join(tested.report.in_words),
        invented_per_frame=tested.report.invented_per_frame,
    )


class _Watch:
    """Tell the progress; end where the parent asks for it."""

    def __init__(self, link: Link, text: str) -> None:
        self._link = link
        self._clock = Clock(link, text)

    def __call__(self, progress: Progress) -> None:
        self._clock.tell(progress.done, progress.total)
        if not self._link.go_on():
            raise Stopped


def _save_table(table: pd.DataFrame, job: Job, name: str) -> str:
    """Leave a table as an array of named columns, which no loading can run."""
    path = Path(job.folder) / f"{name}.npy"
    text = {c: "U32" for c in table.columns if table[c].dtype.kind == "O"}
    save_array(path, table.to_records(index=False, column_dtypes=text))
    return str(path)
