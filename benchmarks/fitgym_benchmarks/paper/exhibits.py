"""Exhibits: what stands under one number of the paper, its tables, figures and claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fitgym.common.statistics import Interval
from fitgym_agents.summary import Summary
from fitgym_benchmarks.paper.claims import Claim
from fitgym_benchmarks.paper.grid import CEILING, DEFAULT, FIXED, LEARNT, NO_SERVICE, Cell
from fitgym_benchmarks.results import Result, summary_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class ResultTable:
    """A table whose rows tell the runs that they come from.

    Attributes:
        name: Of its file, without the ending.
        title: What is shown.
        columns: Heads of the columns.
        rows: Cells, as many as columns.
        runs: Keys of the runs behind each row, as many as rows; none for what needs no run.
        words: Whether cells are words, flush left, and not numbers.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    runs: tuple[tuple[str, ...], ...] = ()
    words: bool = False

    def keys(self, row: int) -> tuple[str, ...]:
        """Return the keys of the runs behind a row."""
        return self.runs[row] if self.runs else ()


@dataclass(frozen=True)
class Drawing:
    """A figure.

    Attributes:
        name: Of its file, without the ending.
        title: What is shown.
        caption: How to read it.
        figure: The figure.
    """

    name: str
    title: str
    caption: str
    figure: Figure


@dataclass(frozen=True)
class Exhibit:
    """What stands under one number.

    Attributes:
        number: As the paper counts, or ``"Beyond 1"`` and so on.
        title: What it is about.
        text: Paragraphs, plain text.
        claims: What the paper says of it, with verdicts.
        tables: Its tables.
        drawings: Its figures.
    """

    number: str
    title: str
    text: tuple[str, ...]
    claims: tuple[Claim, ...] = ()
    tables: tuple[ResultTable, ...] = ()
    drawings: tuple[Drawing, ...] = ()

    @property
    def slug(self) -> str:
        """The number for anchors."""
        return self.number.lower().replace(" ", "-").replace(",", "")


@dataclass(frozen=True)
class Found:
    """The results of all cells.

    Attributes:
        results: By cell, one per training seed.
    """

    results: Mapping[Cell, Sequence[Result]]
    _summaries: dict[Cell, Summary] = field(default_factory=dict)

    def summary(self, cell: Cell) -> Summary:
        """Return what a cell's runs amount to, with the agent called as the cell calls it."""
        if cell not in self._summaries:
            self._summaries[cell] = summary_of(*self.results[cell], label=cell.agent)
        return self._summaries[cell]

    def keys(self, *cells: Cell) -> tuple[str, ...]:
        """Return the keys of the runs of cells."""
        return tuple(result.folder.name for cell in cells for result in self.results[cell])

    def best_fixed(self, part: str, environment: str, variant: str = DEFAULT) -> Cell:
        """Return the cell of the fixed plan that earns most."""
        cells = [Cell(part, environment, variant, plan) for plan in FIXED]
        return max(cells, key=lambda cell: self.summary(cell).mean_return.mean)

    def share(self, cell: Cell, mean: float) -> float:
        """Return how far a mean return is on the way from no service (0) to the ceiling (1).

        Args:
            cell: Of the environment and variant that count; its agent does not.
            mean: The mean return.
        """
        low, high = (
            self.summary(Cell(cell.part, cell.environment, cell.variant, name)).mean_return.mean
            for name in (NO_SERVICE, CEILING)
        )
        return (mean - low) / (high - low)

    def learnt(self, part: str, environment: str, variant: str = DEFAULT) -> Cell:
        """Return the cell of A3C."""
        return Cell(part, environment, variant, LEARNT)


def with_interval(interval: Interval) -> str:
    """Return a mean with its interval."""
    return f"{interval.mean:,.1f} ({interval.low:,.1f} to {interval.high:,.1f})"


def percent(share: float | None) -> str:
    """Return a share in per cent."""
    return "-" if share is None else f"{100 * share:.1f} %"
