"""Which rows of a table are sessions that did not take place: planned, skipped, not ticked."""

from __future__ import annotations

from fitgym.logs.csv_columns import columns_of
from fitgym.logs.csv_sheet import Sheet
from fitgym.logs.words import fold, words


def not_done(sheet: Sheet) -> list[str | None]:
    """Return for each row what says that its session did not take place, None if nothing does."""
    known, header = words(), sheet.table.header
    found: list[str | None] = [None] * len(sheet.table.rows)
    titles = [(column.index, known.not_done) for column in columns_of(header, "title")]
    states = [
        (index, known.not_done | known.negations)
        for index, name in enumerate(header)
        if fold(name) in known.states
    ]
    for index, denials in titles + states:
        for position, row in enumerate(sheet.table.rows):
            if fold(row.cells[index]) in denials:
                found[position] = row.cells[index]
    for index, _ in states:
        cells = [row.cells[index] for row in sheet.table.rows]
        ticks = set(cells) - {""}
        if ticks and all((fold(cell) or cell) in known.ticks for cell in ticks):
            for position, cell in enumerate(cells):
                if not cell:
                    found[position] = f"column {header[index]!r} is empty"
    above = [(line, fold(text) in known.plans) for line, text in sheet.table.titles]
    for position, row in enumerate(sheet.table.rows):
        title = next((planned for line, planned in reversed(above) if line < row.line), False)
        if title:
            found[position] = "under a title of plans"
    return found
