"""Which atoms of a crystal's columns are there, and how that changes in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer
from numpy import ndarray
from scipy.spatial import cKDTree

from napari_lowdose.specimens.lattice.crystals import Columns

# A defective column misses one atom, and each further one with this chance.
_FURTHER = 0.3
# Chance per frame that an atom that left the surface is back, as for particles.
_RETURN_RATE = 0.15
_N_NEIGHBOURS = 6


@dataclass
class Occupancy:
    """The atoms of the columns; one entry of each array per column.

    Parameters
    ----------
    columns
        The perfect crystal.
    present
        Atoms that are there, dopants included.
    dopants
        Dopant atoms that are there.
    lit
        Whether the column is there as a whole; only those at a surface come and go.
    neighbours
        Columns of the same kind next to each, -1 where there are fewer; empty where
        nothing hops.
    """

    columns: Columns
    present: Integer[ndarray, " n"]
    dopants: Integer[ndarray, " n"]
    lit: Bool[ndarray, " n"]
    neighbours: Integer[ndarray, "n k"]

    @classmethod
    def drawn(
        cls,
        columns: Columns,
        *,
        vacancy_share: float,
        dopant_share: float,
        blink_rate: float,
        hops: bool,
        rng: np.random.Generator,
    ) -> Occupancy:
        """Draw defects, dopants and the state of the surface for a first frame."""
        n = len(columns)
        bulk = ~(columns.surface | columns.outside)
        defective = rng.random(n) < vacancy_share * columns.fragile * bulk
        missing = defective * (1 + rng.binomial(columns.n_atoms - 1, _FURTHER))
        present = columns.n_atoms - missing
        dopants = rng.binomial(present, dopant_share * (columns.dopant > 0))
        # The places outside are empty as long as the surface is full, and reversely.
        on, off = _switching(columns, blink_rate)
        lit = rng.random(n) < np.where(on + off > 0, on / np.maximum(on + off, 1e-9), 1)
        lit |= bulk | (columns.surface & (blink_rate == 0))
        lit &= ~(columns.outside & (blink_rate == 0))
        near = _neighbours(columns, bulk) if hops else np.empty((n, 0), np.int64)
        return cls(columns, present, dopants, lit, near)

    @property
    def visible(self) -> Bool[ndarray, " n"]:
        """Whether there is any atom in a column."""
        return self.lit & (self.present > 0)

    def advance(
        self,
        *,
        blink_rate: float,
        hop_rate: float,
        damage_rate: float,
        rng: np.random.Generator,
    ) -> None:
        """Move, lose and switch atoms by one frame."""
        if blink_rate:
            self._switch(blink_rate, rng)
        if damage_rate:
            self._lose(damage_rate, rng)
        if hop_rate:
            self._hop(hop_rate, rng)

    def _switch(self, rate: float, rng: np.random.Generator) -> None:
        """Let atoms of the surface leave and come back."""
        on, off = _switching(self.columns, rate)
        chance = rng.random(len(self.columns))
        self.lit = np.where(self.lit, chance >= off, chance < on)

    def _lose(self, rate: float, rng: np.random.Generator) -> None:
        """Let the beam take single atoms."""
        chance = rng.random(len(self.columns))
        lost = (chance < rate * self.columns.fragile) & (self.present > 0)
        lost &= ~(self.columns.surface | self.columns.outside)
        self.dopants -= lost & (self.dopants == self.present)
        self.present -= lost

    def _hop(self, rate: float, rng: np.random.Generator) -> None:
        """Let missing atoms be filled from a column nearby, which then misses one."""
        defective = np.flatnonzero(self.present < self.columns.n_atoms)
        for here in defective[rng.random(len(defective)) < rate]:
            near = self.neighbours[here]
            near = near[near >= 0]
            if not len(near):
                continue
            there = rng.choice(near)
            if self.present[there] and self.present[here] < self.columns.n_atoms[here]:
                dopant = self.dopants[there] == self.present[there]
                self.dopants[[here, there]] += np.array([1, -1]) * dopant
                self.present[[here, there]] += [1, -1]


def _switching(
    columns: Columns, rate: float
) -> tuple[Float[ndarray, " n"], Float[ndarray, " n"]]:
    """Give the chances per frame that a column appears and that it goes dark."""
    on = np.where(columns.outside, rate, _RETURN_RATE)
    off = np.where(columns.outside, _RETURN_RATE, rate * columns.surface)
    return on * 1.0, off * 1.0


def _neighbours(columns: Columns, bulk: Bool[ndarray, " n"]) -> Integer[ndarray, "n k"]:
    """Find the nearest columns of the same kind."""
    near = np.full((len(columns), _N_NEIGHBOURS), -1)
    for particle in (False, True):
        of_body = bulk & (columns.on_particle == particle)
        for element in np.unique(columns.element[of_body]):
            kind = np.flatnonzero(of_body & (columns.element == element))
            if len(kind) < 2:
                continue
            tree = cKDTree(columns.position_nm[kind])
            n_near = min(_N_NEIGHBOURS + 1, len(kind))
            found = tree.query(columns.position_nm[kind], n_near)
            distance, index = (np.asarray(part)[:, 1:] for part in found)
            close = distance < 1.2 * np.median(distance[:, 0])
            near[kind[:, None], np.arange(n_near - 1)] = np.where(
                close, kind[index], -1
            )
    return near
