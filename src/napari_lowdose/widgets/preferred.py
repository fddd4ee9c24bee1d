"""Which result of a comparison is looked at first."""

from __future__ import annotations

from collections.abc import Sequence

from napari_lowdose.compare import Kind, best
from napari_lowdose.widgets.compared import NOISY, Compared


def preferred(compared: Compared | None, names: Sequence[str]) -> str | None:
    """Name the last result of a model, else the best by its scores, else the last.

    Parameters
    ----------
    compared
        The comparison.
    names
        Of the methods that can be looked at.
    """
    if compared is None or not names:
        return None
    there = [one for one in compared.results if one.name in names]
    # Of a model, the planes come first and what they fuse to comes last.
    models = [one.name for one in there if one.kind is Kind.MODEL]
    if models:
        return models[-1]
    made = [one for one in there if one.name != NOISY]
    by_score = best(made, "psnr") or best(made, "thinned_mse")
    return by_score or (made[-1].name if made else names[-1])
