"""From the bytes of a table to its header and rows: encoding, delimiter, first lines, quotes."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fitgym.logs.words import fold, words

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

# Ours: exports put a title, a person and a period before the header, people their thoughts.
_LONGEST_PREAMBLE = 100
# Ours: the longest text over several lines that a quoted field may hold.
_LONGEST_FIELD_LINES = 200
# Ours: fields of notes may be long, but a file that is one field is none.
_LONGEST_FIELD = 1_000_000

_AS_TEXT = re.compile(r'\s*="([^"]*)"\s*')
# Signs of numbers and times in full width, and the decimal sign and separator of Arabic.
_SIGNS = {chr(ord(sign) + 0xFEE0): sign for sign in ":.,/-()"} | {"\u066b": ".", "\u066c": ","}

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig", "UTF-8"),
    (b"\xff\xfe\x00\x00", "utf-32", "UTF-32"),
    (b"\x00\x00\xfe\xff", "utf-32", "UTF-32"),
    (b"\xff\xfe", "utf-16", "UTF-16"),
    (b"\xfe\xff", "utf-16", "UTF-16"),
)
# Encodings of one byte a letter, tried where a file is not UTF-8; the first wins a tie.
_OLD_ENCODINGS = {"cp1252": "cp1252", "cp1250": "cp1250", "mac_roman": "Mac Roman"}


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes:
        line: Line of the file where it begins, as an editor counts.
        cells: Its fields, without blanks at their ends, as many as the header has.
    """

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """A table as it stands in a file.

    Attributes:
        encoding: How its text was decoded.
        delimiter: What stands between its fields.
        header: Names of its columns.
        rows: Its rows, empty ones left out.
        broken: Line and what is wrong with it, for rows that cannot be taken apart.
        skipped: Number of lines before the header, comments excepted; 0 where all are empty.
        titles: Line and text of rows of a single field, as above a section.
        remarks: Lines before the header, and comments.
    """

    encoding: str
    delimiter: str
    header: list[str]
    rows: list[Row]
    broken: list[tuple[int, str]]
    skipped: int
    titles: tuple[tuple[int, str], ...] = ()
    remarks: tuple[str, ...] = ()


def decode(content: bytes, score: Callable[[str], int]) -> tuple[str, str]:
    """Return the text of a file and the name of its encoding.

    Args:
        content: The file.
        score: How many words of a text are known, which decides between old encodings.

    Raises:
        ValueError: If it is no text; the message says what it is and what to do.
    """
    _require_text(content)
    for mark, codec, name in _BOMS:
        if content.startswith(mark):
            try:
                return content.decode(codec).lstrip("\ufeff"), name
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"is not the {name} text that its first bytes promise: {error}"
                ) from None
    zeros = content[:400].count(0)
    if zeros > len(content[:400]) // 4:
        codec = (
            "utf-16-le" if content[1:400:2].count(0) > content[0:400:2].count(0) else "utf-16-be"
        )
        try:
            return content.decode(codec), "UTF-16"
        except UnicodeDecodeError:
            zeros = 1
    if zeros or b"\0" in content:
        raise ValueError("is no text: it holds zero bytes; save it as CSV, UTF-8")
    try:
        return content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        pass
    texts = [(content.decode(codec, "replace"), name) for codec, name in _OLD_ENCODINGS.items()]
    return max(texts, key=lambda text: score(text[0][:20_000]))


def parse_table(text: str, score: Callable[[Sequence[str]], int]) -> Table:
    """Return the table in a text.

    Args:
        text: The whole text.
        score: How much a row looks like a header: 0 for not at all.

    Raises:
        ValueError: If there is no header and row, or fields and header do not agree.
    """
    lines = [
        # A table in a text has bars at both ends, and one line of bars and dashes.
        "" if re.fullmatch(r"\s*\|[\s|:-]+", line) else re.sub(r"^\s*\|(.*)\|\s*$", r"\1", line)
        for line in re.split(r"\r\n|\r|\n", text)
    ]
    if not any(line.strip() for line in lines):
        raise ValueError("is empty: there must be a header and at least one row")
    told = None
    first = 0
    for number, line in enumerate(lines[:_LONGEST_PREAMBLE]):
        if match := re.fullmatch(r'\s*"?sep=(.)"?\s*', line, re.IGNORECASE):
            told, first = match[1], number + 1
            break
        if line.strip():
            break
    best = (0, 0, 0, told or ",")
    for delimiter in (told,) if told else DELIMITERS:
        for number in range(first, min(first + _LONGEST_PREAMBLE, len(lines))):
            cells = _split(lines[number], delimiter)
            points = score([column_name(cell) for cell in cells]) if cells else 0
            # Among equals the first line with most fields.
            best = max(best, (points, len(cells or ()), -number, delimiter))
    points, _, minus_number, delimiter = best
    if not points:
        shown = next(line for line in lines[first:] if line.strip())[:120]
        raise ValueError(
            "has no header: no line names the columns of date, distance and time that a training "
            f"log needs; the first line is {shown!r}. Name them in a first line, or with "
            '--map date="..." distance="..." time="..."'
        )
    start = -minus_number
    above = [line for line in lines[first:start] if not _is_comment(line)]
    skipped = [line for line in above if line.strip(" \t,;|")]
    header = [column_name(cell) for cell in _split(lines[start], delimiter) or []]
    while header and not header[-1]:
        header.pop()
    records, broken = [], []
    titles = [
        (number + 1, filled[0])
        for number in range(first, start)
        if len(filled := _filled(_split(lines[number], delimiter) or [])) == 1
    ]
    for place, cells, wrong in _records(lines, start + 1, delimiter, len(header)):
        if wrong:
            broken.append((place, wrong))
            continue
        records.append(Row(place, cells))
        if len(filled := _filled(cells)) == 1 and len(header) > 1:
            titles.append((place, filled[0]))
    if records and _is_row_of_units(records[0].cells):
        units = records.pop(0).cells + [""] * len(header)
        header = [f"{n} ({u})" if u else n for n, u in zip(header, units, strict=False)]
    records = _without_other_tables(records, broken, header, score)
    rows, broken = _fit(records, broken, header, delimiter)
    remarks = skipped + [line for line in lines if _is_comment(line)]
    return Table(
        "",
        delimiter,
        header,
        rows,
        broken,
        len(above) if skipped else 0,
        tuple(titles),
        tuple(remarks),
    )


def _is_row_of_units(cells: Sequence[str]) -> bool:
    """Return whether a row under the header holds nothing but the units of its columns."""
    names = [fold(cell.strip("()[] ")) for cell in _filled(cells)]
    kinds = words().units
    distances = sum(name in kinds["distance"] for name in names)
    return distances > 0 and all(any(name in kind for kind in kinds.values()) for name in names)


def column_name(cell: str) -> str:
    """Return the name of a column without the names of the package that some exports prefix."""
    return re.sub(r"^(?:[a-z_]+\.){3,}(?=\w+$)", "", cell.strip())


def _filled(cells: Sequence[str]) -> list[str]:
    return [cell.strip() for cell in cells if cell.strip()]


def _without_other_tables(
    records: list[Row],
    broken: list[tuple[int, str]],
    header: Sequence[str],
    score: Callable[[Sequence[str]], int],
) -> list[Row]:
    """Return the rows under the header, not those under another header in the same file."""
    kept, other = [], False
    names = [name.lower() for name in header]
    for row in records:
        cells = [cell.lower() for cell in _trimmed(row.cells)]
        if cells == names:
            other = False
            broken.append((row.line, "the header again"))
        elif (
            len(cells) > 1
            and not any(map(str.isdigit, "".join(cells)))
            and (score(row.cells) or cells[0] == names[0])
        ):
            other = True
            broken.append((row.line, "the header of another table"))
        elif other:
            broken.append((row.line, "row of another table"))
        else:
            kept.append(row)
    return kept


def _records(
    lines: Sequence[str], start: int, delimiter: str, width: int
) -> Iterator[tuple[int, list[str], str]]:
    """Yield line number, fields and what is wrong of every row that is not empty."""
    number = start
    while number < len(lines):
        line = lines[number]
        if not line.strip() or _is_comment(line):
            number += 1
            continue
        cells = _split(line, delimiter)
        used = 1
        if cells is None and line.count('"') % 2:
            for used in range(2, _LONGEST_FIELD_LINES + 1):
                if number + used > len(lines):
                    break
                if lines[number + used - 1].count('"') % 2 == 0:
                    continue
                joined = "\n".join(lines[number : number + used])
                cells = _split(joined, delimiter)
                if cells is not None and len(_trimmed(cells)) <= width:
                    break
                cells = None
            if cells is None:
                used = 1
        if cells is None:
            yield number + 1, [], "quotation marks that do not pair"
        elif cells[:1] == ["Sample rate"]:
            # Under the summary of a session, Polar writes its samples.
            return
        elif any(cell.strip() for cell in cells):
            yield number + 1, [cell.strip() for cell in cells], ""
        number += used


def _fit(
    records: list[Row], broken: list[tuple[int, str]], header: list[str], delimiter: str
) -> tuple[list[Row], list[tuple[int, str]]]:
    """Return rows with as many fields as the header, and the others among the broken ones."""
    rows = []
    long, short = 0, 0
    for row in records:
        cells = _trimmed(row.cells)
        if len(cells) > len(header):
            long += 1
            broken.append((row.line, f"{len(cells)} fields, the header has {len(header)}"))
        elif len(cells) < len(header) and len(row.cells) < len(header) and len(header) <= 4:
            # In a short table every column counts, and a field that lacks shifts the others.
            short += 1
            broken.append((row.line, f"{len(row.cells)} fields, the header has {len(header)}"))
        else:
            rows.append(Row(row.line, cells + [""] * (len(header) - len(cells))))
    if long and long >= max(1, len(records) // 4):
        name = DELIMITERS.get(delimiter, delimiter)
        example = next(line for line, wrong in broken if "fields" in wrong)
        raise ValueError(
            f"has {long} of {len(records)} rows with more fields than the header's {len(header)} "
            f"(line {example}): decimal commas without quotation marks in a table separated by "
            f"{name}s? Export it with semicolons or decimal points"
        )
    if not rows:
        raise ValueError("has a header but no row that fits it: there must be at least one row")
    return rows, sorted(broken)


def _trimmed(cells: Sequence[str]) -> list[str]:
    last = len(cells)
    while last and not cells[last - 1].strip():
        last -= 1
    return list(cells[:last])


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(("#", "//"))


def _split(text: str, delimiter: str) -> list[str] | None:
    """Return the fields of one row, None if its quotation marks do not pair."""
    try:
        csv.field_size_limit(_LONGEST_FIELD)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        rows = list(reader)
    except csv.Error:
        return None
    if len(rows) != 1:
        return None if rows else []
    cells = [_plain(cell) for cell in rows[0]]
    if len(cells) == 1 and text.startswith('"') and delimiter in cells[0]:
        # Spreadsheets that open a file with another delimiter quote whole rows.
        return _split(cells[0], delimiter)
    return cells


def _plain(cell: str) -> str:
    """Return a cell with the digits and signs of all scripts as those of ASCII.

    Spreadsheets keep a text from being understood as ``="50:00"``.
    """
    if match := _AS_TEXT.fullmatch(cell):
        cell = match[1]
    if cell.isascii():
        return cell
    return "".join(map(_plain_letter, cell))


def _plain_letter(letter: str) -> str:
    if letter in _SIGNS:
        return _SIGNS[letter]
    return str(unicodedata.decimal(letter)) if letter.isdecimal() else letter


def _require_text(content: bytes) -> None:
    head = content[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not content.strip():
        raise ValueError("is empty: there must be a header and at least one row")
    if head.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        raise ValueError(
            "is a web page, not a table: the service probably asked to sign in; download the "
            "export again while signed in"
        )
    if head.startswith((b"{", b"[{", b"[\n")):
        raise ValueError("is JSON, not a table; export the log as CSV")
    if head.startswith(b"pk\x03\x04"):
        raise ValueError("is a spreadsheet or archive, not text; save its table as CSV (UTF-8)")
    if head.startswith((b"\xd0\xcf\x11\xe0", b"%pdf")):
        raise ValueError("is an Excel or PDF document, not text; save its table as CSV (UTF-8)")
    if head.startswith(b"<?xml"):
        raise ValueError("is XML, not a table; export the log as CSV")
