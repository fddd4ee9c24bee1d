"""Linking spots through time: gaps closed, particles that split and merge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import (
    connected_components,
    min_weight_full_bipartite_matching,
)

from napari_lowdose.particles.nearness import within

REACH_PX = 4.0
GAP_FRAMES = 2
# What is seen for fewer frames is too little to be told to have split or merged.
_LEAST_FRAMES = 3
# A gap explains an end and a start at once, a split or a merger only one of them.
_ONE_OF_TWO = 0.5


def link(
    spots: pd.DataFrame,
    *,
    reach_px: float = REACH_PX,
    gap_frames: int = GAP_FRAMES,
    splitting: bool = True,
    merging: bool = True,
) -> pd.DataFrame:
    """Find out which spots of a movie are the same particle.

    First the spots of neighbouring frames are linked: a link over the distance `d` is
    worth ``1 - (d / reach)^2``, and of all ways to give each spot at most one follower
    the one of the largest sum is taken. Then the ends of these pieces are linked to the
    starts of others, some frames later (the squared distance counts per frame, as for a
    random walk), or to the middles of others whose edge they reach: there a particle
    merges or splits.

    Parameters
    ----------
    spots
        frame, y, x, sigma, as `detect` gives them.
    reach_px
        How far a particle may go from one frame to the next, in pixels.
    gap_frames
        For how many frames in a row it may be missed.
    splitting, merging
        Whether particles may. Both of the two must be seen for 3 frames or more.

    Returns
    -------
    pandas.DataFrame
        The spots with the columns track, numbered from 0 (a spot alone has its own),
        parent, the track that this one split from, and into, the track that it merges
        into; -1 where there is none.

    Raises
    ------
    ValueError
        If a setting is not possible.

    References
    ----------
    K. Jaqaman et al., Nat. Methods 5, 695 (2008), with costs of our own.
    """
    if reach_px <= 0 or gap_frames < 0:
        raise ValueError(
            f"expected a reach above 0 px and a gap of 0 frames or more, got "
            f"{reach_px:g} and {gap_frames}; set both as far as particles may go"
        )
    walk = Walk.of(spots)
    everybody = np.arange(len(spots))
    following = _best(walk.pairs(everybody, everybody, 1, reach_px))
    ends = Ends.of(following, len(spots))
    steps = range(2, gap_frames + 2)
    reaches = [reach_px * float(np.sqrt(step)) for step in steps]
    gaps = [
        walk.pairs(ends.last, ends.first, step, reach)
        for step, reach in zip(steps, reaches, strict=True)
    ]
    last, first = (some[ends.long[some]] for some in (ends.last, ends.first))
    # Where it takes up another one or lets it go, a spot is not the end of its piece.
    aside = len(spots)
    if merging:
        joins = walk.touching(last, ends.inner, reach_px, whole_is_later=True)
        gaps.append(joins.shifted(after=aside))
    if splitting:
        parts = walk.touching(ends.inner, first, reach_px, whole_is_later=False)
        gaps.append(parts.shifted(before=aside))
    return _told(spots, following, _best(_together(gaps)))


@dataclass(frozen=True)
class Pairs:
    """Spots that may be linked, and what each link is worth.

    Parameters
    ----------
    before, after
        Numbers of the spots.
    worth
        1 where nothing has moved, 0 at the limit.
    """

    before: Int64[ndarray, " n"]
    after: Int64[ndarray, " n"]
    worth: Float64[ndarray, " n"]

    def shifted(self, *, before: int = 0, after: int = 0) -> Pairs:
        """Give spots other numbers."""
        return Pairs(self.before + before, self.after + after, self.worth)


@dataclass(frozen=True)
class Walk:
    """When and where spots are.

    Parameters
    ----------
    frame, place, radius
        Of each spot; centre (y, x) and radius in pixels.
    """

    frame: Int64[ndarray, " n"]
    place: Float64[ndarray, "n 2"]
    radius: Float64[ndarray, " n"]

    @classmethod
    def of(cls, spots: pd.DataFrame) -> Walk:
        """Read a table of spots."""
        return cls(
            spots["frame"].to_numpy(np.int64),
            spots[["y", "x"]].to_numpy(np.float64),
            np.sqrt(2) * spots["sigma"].to_numpy(np.float64),
        )

    def pairs(
        self,
        before: Int64[ndarray, " b"],
        after: Int64[ndarray, " a"],
        step: int,
        reach_px: float,
    ) -> Pairs:
        """Pair some spots with others that are so many frames later, within reach."""
        one, other, away = within(
            self.frame[before] + step,
            self.place[before],
            self.frame[after],
            self.place[after],
            reach_px,
        )
        return Pairs(before[one], after[other], 1 - (away / reach_px) ** 2)

    def touching(
        self,
        before: Int64[ndarray, " b"],
        after: Int64[ndarray, " a"],
        reach_px: float,
        *,
        whole_is_later: bool,
    ) -> Pairs:
        """Pair parts with wholes in the next frame, or in the one before."""
        wholes = after if whole_is_later else before
        farthest = reach_px + float(self.radius[wholes].max(initial=0.0))
        near = self.pairs(before, after, 1, farthest)
        radius = self.radius[near.after if whole_is_later else near.before]
        squared = farthest**2 * (1 - near.worth) / (reach_px + radius) ** 2
        return Pairs(near.before, near.after, _ONE_OF_TWO * (1 - squared))


@dataclass(frozen=True)
class Ends:
    """Where pieces of tracks start and end.

    Parameters
    ----------
    first, last
        Spots without one before, or after.
    inner
        Spots that have both, in a long piece.
    long
        Whether each spot is in a long piece.
    """

    first: Int64[ndarray, " f"]
    last: Int64[ndarray, " l"]
    inner: Int64[ndarray, " i"]
    long: Bool[ndarray, " n"]

    @classmethod
    def of(cls, following: Pairs, n_spots: int) -> Ends:
        """Look at who follows whom."""
        leads, follows = np.zeros((2, n_spots), bool)
        leads[following.before] = True
        follows[following.after] = True
        piece = _joined(following.before, following.after, n_spots)
        long = np.bincount(piece, minlength=1)[piece] >= _LEAST_FRAMES
        return cls(
            np.flatnonzero(~follows),
            np.flatnonzero(~leads),
            np.flatnonzero(leads & follows & long),
            long,
        )


def _best(pairs: Pairs) -> Pairs:
    """Give each at most one partner so that the sum of the worths is largest."""
    wanted = pairs.worth > 0
    rows, row = np.unique(pairs.before[wanted], return_inverse=True)
    columns, column = np.unique(pairs.after[wanted], return_inverse=True)
    worth = pairs.worth[wanted]
    if not len(worth):
        return Pairs(pairs.before[:0], pairs.after[:0], pairs.worth[:0])
    # Who stays alone has a partner of its own that nobody else can have, at the cost 2;
    # no cost may be zero, which would be no edge at all.
    alone = np.arange(len(rows))
    edges = (np.append(row, alone), np.append(column, len(columns) + alone))
    costs = np.append(2 - worth, np.full(len(rows), 2.0))
    size = (len(rows), len(columns) + len(rows))
    graph = coo_matrix((costs, edges), shape=size).tocsr()
    one, other = min_weight_full_bipartite_matching(graph)
    linked = other < len(columns)
    one, other = one[linked], other[linked]
    gained = 2 - np.asarray(graph[one, other]).ravel()
    return Pairs(rows[one], columns[other], gained)


def _together(some: list[Pairs]) -> Pairs:
    none = Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    before, after, worth = (
        np.concatenate([getattr(pairs, name) for pairs in (none, *some)])
        for name in ("before", "after", "worth")
    )
    return Pairs(before, after, worth)


def _joined(
    before: Int64[ndarray, " k"], after: Int64[ndarray, " k"], n_spots: int
) -> Int64[ndarray, " n"]:
    """Give what hangs together a number, in the order of their first spots."""
    if not n_spots:
        return np.empty(0, np.int64)
    edges = coo_matrix((np.ones(len(before)), (before, after)), (n_spots, n_spots))
    _, label = connected_components(edges, directed=False)
    _, first, number = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[number]


def _told(spots: pd.DataFrame, following: Pairs, later: Pairs) -> pd.DataFrame:
    """Write down tracks, and which ones they come from and go into."""
    n = len(spots)
    splits, merges = later.before >= n, later.after >= n
    gap = ~splits & ~merges
    track = _joined(
        np.append(following.before, later.before[gap]),
        np.append(following.after, later.after[gap]),
        n,
    )
    parent, into = np.full((2, track.max(initial=-1) + 1), -1)
    parent[track[later.after[splits]]] = track[later.before[splits] - n]
    into[track[later.before[merges]]] = track[later.after[merges] - n]
    return spots.assign(track=track, parent=parent[track], into=into[track])
