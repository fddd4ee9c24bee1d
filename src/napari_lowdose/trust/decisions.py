"""What the user thinks of each particle, remembered for the stack."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from math import isqrt
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray
from platformdirs import user_data_path
from scipy.spatial import cKDTree

from napari_lowdose.io.atomic import replacing
from napari_lowdose.io.folder import made_folder
from napari_lowdose.stack import Stack

_FRAMES_READ, _PIXELS_READ = 16, 2**20
# Another model finds the same particle a pixel or so elsewhere; others are farther.
_SAME_PX = 2.0
_APART = 1e3  # frames are put so far apart that no two are neighbours
_PLACE = ["frame", "y", "x"]


class Decision(StrEnum):
    """What the user thinks of a particle."""

    UNDECIDED = "undecided"
    KEEP = "keep"
    REJECT = "reject"


def fingerprint(stack: Stack) -> str:
    """Name a stack by its counts, so that it is known again in another session.

    Sixteen frames are read, of large ones some pixels; of two stacks that agree in all
    of these and in the shape one would be taken for the other.
    """
    n_frames, height, width = stack.shape
    step = -(-n_frames // _FRAMES_READ)
    apart = max(1, isqrt(height * width // _PIXELS_READ))
    digest = hashlib.sha256(repr((stack.shape, str(stack.data.dtype))).encode())
    for frame in range(0, n_frames, step):
        digest.update(np.asarray(stack.data[frame])[::apart, ::apart].tobytes())
    return digest.hexdigest()[:32]


def decided(particles: pd.DataFrame, stack_id: str) -> list[Decision]:
    """Find what was decided on each particle of this stack, in any session.

    Parameters
    ----------
    particles
        One row per particle and frame: frame, y, x, in pixels.
    stack_id
        The stack's `fingerprint`.

    Returns
    -------
    list[Decision]
        One per row. A file of decisions that is damaged counts as empty.
    """
    known = _read(stack_id)
    found = [Decision.UNDECIDED] * len(particles)
    if known.empty or particles.empty:
        return found
    away, nearest = cKDTree(_spread(known)).query(
        _spread(particles), distance_upper_bound=_SAME_PX
    )
    decisions = known["decision"].tolist()
    for row in np.flatnonzero(np.isfinite(away)):
        found[row] = Decision(decisions[int(np.asarray(nearest)[row])])
    return found


def remember(changes: pd.DataFrame, stack_id: str) -> None:
    """Keep new decisions, in place of older ones on the same particles.

    Parameters
    ----------
    changes
        frame, y, x, decision; one that is undecided is forgotten.
    stack_id
        The stack's `fingerprint`.

    Raises
    ------
    UnwritableFile
        If the user's folder cannot be written to.
    """
    if changes.empty:
        return
    known = _read(stack_id)
    if not known.empty:
        away, _ = cKDTree(_spread(changes)).query(
            _spread(known), distance_upper_bound=_SAME_PX
        )
        known = known[~np.isfinite(away)]
    kept = changes[changes["decision"] != Decision.UNDECIDED]
    rows = pd.concat([known, kept[[*_PLACE, "decision"]]], ignore_index=True)
    content = {"decisions": rows.to_numpy(object).tolist()}
    file = _file(stack_id)
    made_folder(file.parent)
    with replacing(file) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")


def _file(stack_id: str) -> Path:
    folder = user_data_path("napari-lowdose", appauthor=False) / "decisions"
    return folder / f"{stack_id}.json"


def _read(stack_id: str) -> pd.DataFrame:
    empty = pd.DataFrame({"frame": [], "y": [], "x": [], "decision": []})
    try:
        content = json.loads(_file(stack_id).read_text(encoding="utf-8"))
        rows = [
            (int(frame), float(y), float(x), Decision(decision))
            for frame, y, x, decision in content["decisions"]
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return empty
    return pd.DataFrame(rows, columns=empty.columns) if rows else empty


def _spread(places: pd.DataFrame) -> Float[ndarray, "n 3"]:
    """Give coordinates in which only particles of one frame are neighbours."""
    return places[_PLACE].to_numpy(float) * (_APART, 1.0, 1.0)
