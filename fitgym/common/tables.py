"""Tables as text for the terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# Stands where a table has no number.
MISSING = "-"


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """Return a Markdown table.

    Args:
        columns: Heads of the columns.
        rows: Cells of each row, as many as columns.
        left: How many columns are flush left; the others are flush right, as numbers are.

    Raises:
        ValueError: If a row has another number of cells.
    """
    rule = ["---"] * left + ["---:"] * (len(columns) - left)
    lines = _checked(columns, rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def text_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """Return a table in columns of equal width, for the terminal.

    Args:
        columns: Heads of the columns.
        rows: Cells of each row, as many as columns.
        left: How many columns are flush left; the others are flush right, as numbers are.

    Raises:
        ValueError: If a row has another number of cells.
    """
    lines = _checked(columns, rows)
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    text = [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([text[0], "-" * len(text[0]), *text[1:]])


def _checked(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[Sequence[str]]:
    lines = [columns, *rows]
    for line in lines:
        if len(line) != len(columns):
            raise ValueError(f"a row must have {len(columns)} cells, got {list(line)!r}")
    return lines
