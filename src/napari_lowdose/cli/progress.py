"""A bar that follows work which tells its progress."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")


def watched(steps: Generator[Any, None, T], what: str) -> T:
    """Run denoising to its end behind a bar; give what it returns."""
    from napari_lowdose.denoiser import Progress, exhausted

    with tqdm(unit="slice", desc=what, disable=None) as bar:

        def tell(progress: Progress) -> None:
            bar.total = progress.total
            bar.update(progress.done - bar.n)

        return exhausted(steps, tell)
