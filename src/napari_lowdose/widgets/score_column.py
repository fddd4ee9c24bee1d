"""What stands in a column of the table of scores, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan

from napari_lowdose.compare import Result
from napari_lowdose.metrics import Score

TIME, MEMORY = "seconds", "memory_mb"
CACHED = "↺"


@dataclass(frozen=True)
class Column:
    """Numbers of one kind, one for each method.

    Parameters
    ----------
    name
        Of the score, or of what else it holds.
    heading
        On one line or two.
    tooltip
        What it says and when it lies.
    value
        Finds the number of a result; NaN where there is none.
    how
        How a score is to be read; None for what is no score.
    """

    name: str
    heading: str
    tooltip: str
    value: Callable[[Result], float]
    how: Score | None = None

    @property
    def label(self) -> str:
        """The heading on one line."""
        return self.heading.replace("\n", " ")

    @property
    def best_is_high(self) -> bool:
        """Whether the best value is the highest, so that it comes first when sorted."""
        return self.how is not None and self.how.higher_is_better

    def known(self, results: Sequence[Result]) -> bool:
        """Tell whether any result has a number here."""
        return any(isfinite(self.value(result)) for result in results)

    def sorted(self, results: Sequence[Result], *, upwards: bool) -> list[Result]:
        """Order results by their numbers; those without one come last."""
        there = [one for one in results if isfinite(self.value(one))]
        missing = [one for one in results if not isfinite(self.value(one))]
        return [*sorted(there, key=self.value, reverse=not upwards), *missing]

    def text(self, result: Result) -> str:
        """Write a result's number for a narrow column; a mark if it is an old one."""
        text = written(self.value(result))
        timed = self.name == TIME and result.cached
        return f"{CACHED} {text}" if timed else text

    def hint(self, result: Result) -> str:
        """Say more about a result's number than its column has room for."""
        value = self.value(result)
        if not isfinite(value):
            return f"{result.name}: not known"
        if self.how is None:
            old = "; from an earlier comparison" if result.cached else ""
            return f"{result.name}: {value:.3g} {_UNITS[self.name]}{old}"
        error = result.std_errors.get(self.name, nan)
        give = f" ± {error:.2g}" if isfinite(error) else ""
        unit = f" {self.how.unit}" if self.how.unit else ""
        words = f"{result.name}: {value:.4g}{give}{unit}"
        return f"{words} (one standard error)" if give else words


_UNITS = {TIME: "s", MEMORY: "MB"}

METHOD = Column("method", "method", "Click a row to select its layer", lambda _: nan)


def columns_of(scores: Mapping[str, Score]) -> list[Column]:
    """List the columns there can be, beside the method's."""
    return [
        Column(
            TIME,
            "time\n(s)",
            f"Time to denoise, without tuning and scoring; {CACHED} as measured in an "
            "earlier comparison",
            lambda result: result.seconds,
        ),
        Column(
            MEMORY,
            "RAM\n(MB)",
            "How far the program grew meanwhile, at the least; without a GPU's memory",
            lambda result: result.memory_mb,
        ),
        *(_of_score(name, how) for name, how in scores.items()),
    ]


def _of_score(name: str, how: Score) -> Column:
    words = name.replace("_", "\n")
    facts = [how.summary, how.direction]
    facts += [f"range: {how.range}"] if how.range else []
    return Column(
        name,
        f"{words}\n({how.unit})" if how.unit else words,
        "\n".join(f"<p>{fact}</p>" for fact in facts),  # as rich text it is wrapped
        lambda result: result.scores.get(name, nan),
        how,
    )


def written(value: float) -> str:
    """Write a number with as many digits as a narrow column has room for."""
    if not isfinite(value):
        return "–"
    if abs(value) >= 1000:
        return f"{value:.0f}"
    digits = 3 if abs(value) >= 0.01 else 1
    return f"{value:.{digits}g}"
