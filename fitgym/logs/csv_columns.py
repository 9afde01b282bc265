"""Which column of a table is which quantity, and in which unit, by its name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fitgym.logs.words import fold, words

# Quantities and the dimension of their units.
_DIMENSIONS = {
    "distance": "distance",
    "moving": "time",
    "duration": "time",
    "elapsed": "time",
    "pace": "pace",
    "speed": "speed",
    "stride": "distance",
    "heart_mean": "heart",
    "heart_max": "heart",
}
# Names of units that are names of columns by themselves.
_UNIT_COLUMNS = {"distance": "distance", "time": "duration"}
_NOT_ALONE = {
    "t",
    "u",
    "h",
    "hr",
    "d",
    "s",
    "time",
    "day",
    "days",
    "tage",
    "jours",
    "dias",
    "giorni",
    "dagen",
    "dage",
    "dagar",
    "dni",
    "tim",
    "foot",
    "hora",
    "ora",
    "ore",
    "uur",
    "heure",
    "min sec",
}
# Words of a mean, which before a unit of pace or speed are names of such a column.
_MEANS = ("o", "avg", "average", "mean", "schnitt", "moy", "media")
# What may stand in a name of a distance or duration that is in no list.
_TELLING = {
    "distance": {"distance", "dist", "distanz", "distancia", "distanza", "afstand", "dystans"},
    "duration": {"time", "duration", "dauer", "duree", "duracion", "durata", "duracao", "duur"},
}


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        index: Its position.
        name: Its name as it stands in the header.
        rank: How well its name fits, the lower the better.
        unit: Unit that the name tells, None where it tells none.
        form: Form of durations that the name tells.
    """

    index: int
    name: str
    rank: int = 0
    unit: str | None = None
    form: str | None = None


def columns_of(header: Sequence[str], quantity: str) -> list[Column]:
    """Return the columns that may hold a quantity, the best names first.

    Args:
        header: Names of the columns.
        quantity: One of ``columns`` in the data file.
    """
    found = [
        column
        for index, name in enumerate(header)
        if (column := _match(index, name, quantity)) is not None
    ]
    if not found and quantity in _TELLING:
        found = [
            column
            for index, name in enumerate(header)
            if (column := _guess(index, name, quantity)) is not None
        ]
        if len(found) > 1:
            return []
    return sorted(found, key=lambda column: (column.rank, column.index))


def named_column(header: Sequence[str], quantity: str, wanted: str) -> Column:
    """Return the column that a person named.

    Raises:
        ValueError: If the header has no column of that name.
    """
    for same in (str.strip, fold):
        for index, name in enumerate(header):
            if name and same(name) and same(name) == same(wanted):
                dimension = {"distance": "distance", "time": "time"}.get(quantity, "")
                units = [
                    _unit(unit, dimension)
                    for base, unit in _readings(name)
                    if base or fold(name) == unit
                ] + [_unit(fold(name), dimension)]
                unit, form = next((pair for pair in units if any(pair)), (None, None))
                return Column(index, name, 0, unit, form)
    raise ValueError(
        f"--map {quantity}={wanted!r}: there is no such column; the header has "
        f"{', '.join(map(repr, filter(None, header)))}"
    )


def unit_column(header: Sequence[str], column: Column) -> int | None:
    """Return the column that tells the units of another one's numbers, None where there is none."""
    names = {f"{fold(column.name)} unit", f"{fold(column.name)} units", f"unit {fold(column.name)}"}
    folded = [fold(name) for name in header]
    for index, name in enumerate(folded):
        if name in names or (
            name in ("unit", "units", "einheit", "unite") and index == column.index + 1
        ):
            return index
    return None


def date_parts(header: Sequence[str]) -> tuple[int, int, int] | None:
    """Return the columns of year, month and day, None where the date is not in three columns."""
    folded = [fold(name) for name in header]
    found = []
    for part in ("year", "month", "day"):
        columns = [index for index, name in enumerate(folded) if name in words().parts[part]]
        if len(columns) != 1:
            return None
        found.append(columns[0])
    year, month, day = found
    return year, month, day


def time_parts(header: Sequence[str]) -> dict[str, int]:
    """Return the columns of hours, minutes and seconds, {} where there is only one of them."""
    units = words().units["time"]
    found: dict[str, int] = {}
    for index, name in enumerate(header):
        unit = units.get(fold(name))
        if unit in ("h", "min", "s") and fold(name) not in ("t", "u", "m", "time", "hora", "ora"):
            if unit in found:
                return {}
            found[unit] = index
    return found if len(found) > 1 else {}


def header_score(cells: Sequence[str], mapped: Mapping[str, str]) -> int:
    """Return how much a row looks like the header of a training log; 0 for not at all."""
    names = [cell for cell in cells if cell.strip()]
    told = {name.strip() for name in mapped.values()}
    # Names in other scripts have no folded form.
    folded = {fold(name) for name in told} - {""}
    by_hand = sum(name.strip() in told or fold(name) in folded for name in names)
    quantities = {
        "date": ("date", "date_second"),
        "distance": ("distance",),
        "time": ("moving", "duration", "elapsed", "pace"),
    }
    score = by_hand + (date_parts(names) is not None)
    for kinds in quantities.values():
        score += any(_match(0, name, kind) is not None for name in names for kind in kinds)
    return score if score >= 2 else 0


def word_score(text: str) -> int:
    """Return how many names of columns and months a text has, to tell encodings apart."""
    known = words()
    parts = set(fold(text).split())
    telling = {part for names in known.columns.values() for name in names for part in name.split()}
    return len(parts & (telling | set(known.months)))


def _match(index: int, name: str, quantity: str) -> Column | None:
    ranks = words().columns[quantity]
    folded = fold(name)
    dimension = _DIMENSIONS.get(quantity, "")
    if _UNIT_COLUMNS.get(dimension) == quantity and folded not in _NOT_ALONE:
        unit, form = _unit(folded, dimension)
        if unit is not None:
            return Column(index, name, 0, unit, form)
    if folded in ranks:
        return Column(index, name, ranks[folded])
    for base, unit_text in _readings(name):
        unit, form = _unit(unit_text, dimension) if dimension else (None, None)
        if base in ranks:
            # Without brackets, a word that is no unit makes another name of it.
            bracketed = (
                dimension != "heart"
                and "(" in re.sub(r"[\[{]", "(", name)
                and not _is_rate(unit_text)
            )
            if unit or form or bracketed:
                return Column(index, name, ranks[base], unit, form)
        elif unit and base in _with_unit(quantity):
            return Column(index, name, len(ranks), unit, form)
    return None


def _with_unit(quantity: str) -> Collection[str]:
    """Return the names that mean a quantity only where the unit of one stands beside them."""
    columns = words().columns
    if quantity == "distance":
        return words().distance_with_unit
    if quantity in ("pace", "speed"):
        # German "Tempo (min/km)" is a pace, "Tempo (km/h)" a speed, though Italian "tempo" is time.
        return {*columns["duration"], *columns["pace"], *columns["speed"], *_MEANS}
    return ()


def _is_rate(unit_text: str) -> bool:
    """Return whether a folded text names a unit of pace or speed, and of nothing else."""
    units = words().units
    rate = unit_text in units["pace"] or unit_text in units["speed"]
    return rate and unit_text not in units["distance"] and unit_text not in units["time"]


def _guess(index: int, name: str, quantity: str) -> Column | None:
    parts = set(fold(name).split())
    if any(fold(name) in names for names in words().columns.values()):
        return None
    if parts & words().not_columns or not parts & _TELLING[quantity]:
        return None
    dimension = _DIMENSIONS[quantity]
    units = [_unit(unit, dimension) for _, unit in _readings(name)]
    unit, form = next((pair for pair in units if any(pair)), (None, None))
    return Column(index, name, 1000, unit, form)


def _readings(name: str) -> Iterator[tuple[str, str]]:
    """Yield the ways to take a name apart into name and unit, both folded."""
    if match := re.search(r"[(\[{]([^)\]}]*)[)\]}]?", name):
        base = fold(name[: match.start()] + " " + name[match.end() :])
        unit = " ".join(part for part in fold(match[1]).split() if part != "raw")
        yield base, unit
    parts = fold(name).split()
    for length in (4, 3, 2, 1):
        if len(parts) > length:
            words_before = parts[:-length]
            while len(words_before) > 1 and words_before[-1] in ("in", "en", "w", "i", "em"):
                words_before.pop()
            yield " ".join(words_before), " ".join(parts[-length:])


def _unit(text: str, dimension: str) -> tuple[str | None, str | None]:
    """Return unit and form that a folded text names."""
    units = words().units
    # In a header, Danish "time" for an hour is the English word.
    unit = None if text == "time" else units.get(dimension, {}).get(text)
    form = None
    if dimension == "time":
        form = units["formats"].get(text)
        if form is not None:
            unit = None
    return unit, form
