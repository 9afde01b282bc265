"""Which sport each row of a table is: by a column of sports, titles of sections, or of sessions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fitgym.logs.csv_columns import Column, columns_of, named_column
from fitgym.logs.csv_sheet import Sheet
from fitgym.logs.words import fold, sport_family, sport_of, words

# Ours: share of the cells of a column that must name a sport for it to be one of sports.
_SPORT_SHARE = 0.3
# Ours: where no column is called one of sports, this share of short cells makes one.
_NAMED_SHARE, _MOST_WORDS = 0.5, 7


def sports_of(sheet: Sheet) -> tuple[list[str | None], Column | None]:
    """Return the sport of each row, None where it is not told, and the column that tells it."""
    unknown: list[str | None] = [None] * len(sheet.table.rows)
    if sheet.options.sport == "all":
        return unknown, None
    wanted = sheet.options.columns.get("sport")
    if wanted is not None:
        candidates = [named_column(sheet.table.header, "sport", wanted)]
    else:
        candidates = columns_of(sheet.table.header, "sport")
        coded = _by_number(sheet, candidates)
        if coded is not None:
            return coded
    best: tuple[float, Column, list[str]] | None = None
    for column in candidates:
        cells = sheet.cells(column)
        known = [cell for cell in cells if cell]
        if not known:
            continue
        # A column of nothing but "training" and the like tells no sports.
        told = {sport_of(cell) for cell in known}
        kinds_told = any(_is_run_kind(cell) for cell in known)
        if wanted is None and told <= {"other", None} and not kinds_told:
            continue
        share = sum(sport_of(cell) is not None for cell in known) / len(known)
        kinds = sum(_is_run_kind(cell) for cell in known) / len(known)
        if wanted is not None or (share >= _SPORT_SHARE and share + kinds >= 0.5):
            if best is None or share > best[0]:
                best = (share, column, cells)
        elif share > 0 and share + kinds >= 0.5:
            best = best or (share, column, cells)
    if best is None:
        _tell_unknown(sheet, candidates)
        return _by_titles(sheet), None
    _, column, cells = best
    sports: list[str | None] = []
    kinds_kept: Counter[str] = Counter()
    for cell in cells:
        sport = sport_of(cell) if cell else None
        if sport is None and _is_run_kind(cell):
            kinds_kept[cell] += 1
            sport = "run"
        sports.append(sport or (f"'{cell}', which is no sport known" if cell else "not told"))
    if kinds_kept:
        listed = ", ".join(f"{name!r} ({number})" for name, number in kinds_kept.most_common(8))
        sheet.notes.append(f"column {column.name!r}: taken as kinds of runs: {listed}")
    return sports, column


def _tell_unknown(sheet: Sheet, candidates: Sequence[Column]) -> None:
    """Tell of a column called one of sports that names none that is known."""
    for column in candidates:
        kinds = Counter(cell for cell in sheet.cells(column) if cell)
        numbers = all(cell.isdigit() for cell in kinds)
        if not numbers and len(kinds) > 1 and len(kinds) * 2 <= sum(kinds.values()):
            listed = ", ".join(f"{name!r} ({number})" for name, number in kinds.most_common(8))
            sheet.notes.append(
                f"column {column.name!r} tells {listed}, of which none is a sport that is known: "
                f"all rows are taken as {sheet.options.sport}; if they are sports, write their "
                "usual names"
            )


def _by_number(
    sheet: Sheet, candidates: Sequence[Column]
) -> tuple[list[str | None], Column | None] | None:
    """Return the sports of a column that holds a service's numbers for them, None without one."""
    for column in candidates:
        cells = sheet.cells(column)
        known = [cell for cell in cells if cell]
        if not known or not all(cell.isdigit() for cell in known):
            continue
        names = {fold(name) for name in sheet.table.header}
        codes = next((words().sport_codes[n] for n in words().sport_codes if n in names), None)
        if codes is not None and any(cell in codes for cell in known):
            sheet.notes.append(f"column {column.name!r} tells sports by the service's numbers")
            return [codes.get(cell, f"number {cell}, not known") for cell in cells], column
        listed = ", ".join(f"{name} ({n})" for name, n in Counter(known).most_common(8))
        sheet.notes.append(
            f"column {column.name!r} holds numbers ({listed}), whose meaning is not known: all "
            f"rows are taken as {sheet.options.sport}; if they are sports, write their names"
        )
    return None


def _by_titles(sheet: Sheet) -> list[str | None]:
    """Return the sports that titles of sections and of sessions name, None where they do not."""
    sports: list[str | None] = []
    for row in sheet.table.rows:
        above = [text for line, text in sheet.table.titles if line < row.line]
        sport = sport_of(above[-1]) if above and _is_short(above[-1]) else None
        sports.append(None if sport is None or sport == "other" else sport)
    if len(set(sports)) > 1:
        sheet.notes.append("titles above the rows tell their sports")
        return sports
    sports = [None] * len(sheet.table.rows)
    for index, name in enumerate(sheet.table.header):
        cells = sheet.cells(Column(index, name))
        told = [_sport_in_title(cell, sheet.options.sport) for cell in cells]
        families = {sport_family(sport) for sport in told if sport is not None}
        filled = sum(bool(cell) for cell in cells)
        if sum(sport is not None for sport in told) < _NAMED_SHARE * max(filled, 1):
            continue
        others = families - {sheet.options.sport, "other"}
        if sheet.options.sport in families and others:
            sheet.notes.append(
                f"column {name!r} names other sports in some rows ({', '.join(sorted(others))}): "
                'they are left out; --map sport="..." names a column of sports'
            )
            return [sport if sport and sport_family(sport) in others else None for sport in told]
    return _by_notes(sheet)


def _by_notes(sheet: Sheet) -> list[str | None]:
    """Return the other sports that notes name and say nothing else, None of all other rows."""
    wanted = sheet.options.sport
    sports: list[str | None] = [None] * len(sheet.table.rows)
    for column in columns_of(sheet.table.header, "title"):
        cells = sheet.cells(column)
        hints = []
        for row, cell in enumerate(cells):
            sport = words().sports.get(fold(cell))
            if sport not in (None, "other", wanted):
                sports[row] = sport
            elif sport_family(_sport_in_title(cell, wanted) or "other") not in ("other", wanted):
                hints.append(row)
        if hints:
            sheet.notes.append(
                f"column {column.name!r} speaks of another sport in {len(hints)} row(s), the first "
                f"in row {sheet.table.rows[hints[0]].line} ({cells[hints[0]]!r}): all of them are "
                f"taken as {wanted}; if they are none, tell the sports in a column of their own"
            )
    return sports


def _sport_in_title(title: str, wanted: str) -> str | None:
    """Return the sport that a title names; of several the one that is wanted."""
    if not _is_short(title):
        return None
    parts = [words().sports.get(part) for part in fold(title).split()]
    return wanted if wanted in parts else sport_of(title)


def _is_short(text: str) -> bool:
    return 0 < len(fold(text).split()) <= _MOST_WORDS and not any(map(str.isdigit, text))


def _is_run_kind(cell: str) -> bool:
    """Return whether a cell names a kind of run, and no sport."""
    kinds = words().run_kinds
    parts = fold(cell).split()
    return sport_of(cell) is None and (fold(cell) in kinds or any(part in kinds for part in parts))
