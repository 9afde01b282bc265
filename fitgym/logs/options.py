"""What a person may tell the readers that files do not tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fitgym.common.validation import require_choice
from fitgym.logs.csv_dates import ORDERS
from fitgym.logs.words import fold, words
from fitgym.model.daniels import METRES_PER_MILE

METRES = {"km": 1000.0, "miles": METRES_PER_MILE, "m": 1.0, "yards": 0.9144, "ft": 0.3048}
DECIMALS = {"point": ".", "comma": ",", ".": ".", ",": ","}
SPORTS = ("run", "walk", "hike", "bike", "swim", "ski", "other", "all")
COLUMNS = ("date", "distance", "time", "sport")


@dataclass(frozen=True)
class ReadingOptions:
    """How to read files; the defaults decide from what is in them.

    Attributes:
        sport: One of ``SPORTS``: what to keep; runs on trails and treadmills are runs.
        decimal: ``point`` or ``comma`` (or the sign itself) in the numbers of tables; None to
            decide.
        date_order: ``dmy``, ``mdy`` or ``ymd`` in the dates of tables; None to decide.
        distance_unit: ``km``, ``miles``, ``m``, ``yards`` or ``ft`` (or another usual name of one)
            of the distances in tables, whatever their header says; None to decide.
        columns: Names of columns of tables by hand: ``date``, ``distance``, ``time`` or ``sport``.
        keep_all: Whether to keep sessions whose pace is implausible beside the others.
        positions: Whether activities keep latitude and longitude.

    Raises:
        ValueError: If a value is none of those.
    """

    sport: str = "run"
    decimal: str | None = None
    date_order: str | None = None
    distance_unit: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    keep_all: bool = False
    positions: bool = False

    def __post_init__(self) -> None:
        """Check the choices."""
        require_choice("sport", self.sport, SPORTS)
        if self.decimal is not None:
            require_choice("decimal", self.decimal, DECIMALS)
        if self.date_order is not None:
            require_choice("date_order", self.date_order, ORDERS)
        if self.distance_unit is not None:
            known = words().units["distance"].get(fold(self.distance_unit), self.distance_unit)
            require_choice("distance_unit", known, METRES)
            object.__setattr__(self, "distance_unit", known)
        for name in self.columns:
            require_choice("column", name, COLUMNS)
