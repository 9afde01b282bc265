"""Numbers and durations in the cells of tables, as people and spreadsheets write them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fitgym.logs.numbers import number_in
from fitgym.logs.words import fold, words

MINUTES = {"s": 1.0 / 60.0, "min": 1.0, "h": 60.0, "days": 1440.0, "ms": 1.0 / 60_000.0}
_NAMES = {"s": "seconds", "min": "minutes", "h": "hours", "days": "days", "ms": "milliseconds"}

# Ours: in so many times of two decimals one would be 60 hundredths or more, were they decimals.
_SEXAGESIMAL_ROWS = 12

# What is told where it might be otherwise.
_DECIMALS = {
    "a number of minutes": " with decimals, not mm.ss",
    "a number of hours": " with decimals, not h.mm",
}

# Ours: fewer numbers than this share of the times with colons or words are no way to write times.
_FEW_NUMBERS = 0.1

# How else two numbers with a colon may be meant, where the header tells no form.
_OTHER_FORMS = {"mm:ss": "h:mm", "h:mm": "mm:ss", "h:mm:ss or mm:ss": "h:mm"}

_GROUPING = re.compile("[\\s\u00a0\u202f\u2009'\u2019]")
_PARTS = re.compile(r"([+-]?[\d.,]*\d)\s*([^\d\s][^\d]*)?", re.ASCII)
_CLOCK = re.compile(
    r"(\d{1,4}):(\d{1,2}(?=:)|\d\d)(?::(\d{1,2}(?:[.,]\d*)?)|([.,]\d+))?\s*([ap]\.?m\.?)?", re.ASCII
)
# What stands around a number that is no part of it, and numbers that are added.
_ABOUT = re.compile(
    r"^(?:[~\u2248]|(?:ca|approx|about|circa|env|etwa)\b\.?)\s*(?=\d)", re.IGNORECASE
)
_REMARK = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]$")
_SUM = re.compile(r"(\d+(?:[.,]\d+)?(?:\s*\+\s*\d+(?:[.,]\d+)?)+)(\s*[^\d+]*)", re.ASCII)
_UNITS = ("distance", "time", "formats")
_DOTTED_CLOCK = re.compile(r"(\d{1,2})\.(\d\d)\.(\d\d)", re.ASCII)
_ISO = re.compile(
    r"P(?:(\d+)D)?T?(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?", re.ASCII
)
_TOKENS = re.compile(r"([0-9]+(?:[.,][0-9]+)?)\s*([^\W\d]+|[\u2032\u2019'\u2033\u201d\"]{1,2})\.?")
# The day that spreadsheets and pandas put before a duration.
_DAY_ZERO = re.compile(
    r"^(?:1899-12-3[01]|1900-01-0[01]|(?:12/30|30/12|30\.12)[/.]1899|1/0/1900|0 days?)[ T]\+?"
    r"|^0\.(?=\d\d:\d\d:\d\d)"
)


@dataclass(frozen=True)
class Times:
    """One reading of a column of durations.

    Attributes:
        label: What it was read as, for the table.
        minutes: Minutes of each row; NaN where the cell tells none.
        sure: Whether the column can be read in no other way.
        last_resort: Whether it is only to be taken where no other column is a duration.
        other: Minutes of each row whose two numbers may be read in another form, NaN of the rest.
        other_form: That form, ``""`` without one.
    """

    label: str
    minutes: list[float]
    sure: bool = True
    last_resort: bool = False
    other: tuple[float, ...] = ()
    other_form: str = ""


def plain_amount(cell: str) -> str:
    """Return the number and unit of a cell that says more, the cell itself where it does not.

    ``10*`` and ``ca. 10 (race)`` are ``10``, ``8+10 km`` is ``18 km``, ``HM`` is ``21098 m``.
    """
    if (metres := words().race_distances.get(fold(cell))) is not None:
        return f"{metres} m"
    text = _ABOUT.sub("", cell).rstrip("*! ")
    while (match := _REMARK.search(text)) and not _is_telling(match[1]):
        text = text[: match.start()].rstrip("*! ")
    if match := _SUM.fullmatch(text):
        sign = "," if "," in match[1] else "."
        total = sum(float(part.replace(",", ".")) for part in match[1].split("+"))
        text = f"{total:.10g}".replace(".", sign) + match[2]
    return text if text[:1].isdigit() else cell


def _is_telling(remark: str) -> bool:
    """Return whether a remark in brackets is a unit, a multiple, or says that nothing was run."""
    known, folded = words(), fold(remark)
    return (
        any(folded in known.units[dimension] for dimension in _UNITS)
        or folded in known.not_done | known.not_finished
        or re.search(r"\d\s*[x\u00d7*]|[x\u00d7*]\s*\d", remark) is not None
    )


def decimal_evidence(cells: Sequence[str]) -> tuple[dict[str, list[int]], bool]:
    """Return the rows that show each decimal sign, and whether any cell may be read twice.

    A cell such as ``6,000`` shows nothing: it is six or six thousand.
    """
    shown: dict[str, list[int]] = {}
    ambiguous = False
    for row, cell in enumerate(cells):
        digits, _ = split_unit(cell)
        sign, unclear = _sign_of(digits)
        ambiguous |= unclear
        if sign:
            shown.setdefault(sign, []).append(row)
    return shown, ambiguous


def _sign_of(digits: str) -> tuple[str, bool]:
    points, commas = digits.count("."), digits.count(",")
    if points and commas:
        last = max(".,", key=digits.rfind)
        return (last, False) if digits.count(last) == 1 else ("", False)
    sign = "." if points else ","
    if points + commas > 1:
        return ("," if points else "."), False
    if points + commas == 0:
        return "", False
    before, after = digits.lstrip("+-").split(sign)
    if len(after) == 3 and 1 <= len(before) <= 3 and not before.startswith("0"):
        return "", True
    return sign, False


def split_unit(cell: str) -> tuple[str, str]:
    """Return the digits and signs at the beginning of a cell, and the unit behind them."""
    match = _PARTS.fullmatch(_GROUPING.sub("", cell))
    return (match[1], match[2] or "") if match else ("", "")


def parse_number(cell: str, decimal: str) -> float:
    """Return the number in a cell, its unit left out; NaN where there is none.

    Args:
        cell: The cell.
        decimal: The decimal sign, ``.`` or ``,``; the other one may separate thousands.
    """
    digits, _ = split_unit(cell)
    other = "," if decimal == "." else "."
    if other in digits:
        whole = digits.split(decimal)[0]
        # A sign that cannot separate thousands is a decimal sign, whatever that of the others.
        if decimal not in digits and _sign_of(digits) == (other, False):
            return number_in(digits.replace(other, "."))
        if not re.fullmatch(rf"[+-]?\d{{1,3}}(?:\{other}\d{{3}})+", whole):
            return math.nan
        digits = digits.replace(other, "")
    return number_in(digits.replace(decimal, "."))


def read_times(
    cells: Sequence[str], decimal: str, unit: str | None, form: str | None
) -> list[Times]:
    """Return every way to read a column of durations, the likeliest first.

    Args:
        cells: The cells.
        decimal: Decimal sign of its numbers.
        unit: Unit that the header tells, ``s``, ``min``, ``h``, ``days`` or ``ms``.
        form: Form that the header tells, ``h:mm:ss``, ``h:mm`` or ``mm:ss``.
    """
    texts = [_DAY_ZERO.sub("", cell).strip() for cell in cells]
    clocks = [_clock_parts(text) for text in texts]
    spelled = [
        math.nan if clock else _spelled(text) for clock, text in zip(clocks, texts, strict=True)
    ]
    bare = [
        math.nan
        if clock or not math.isnan(told) or split_unit(text)[1]
        else parse_number(text, decimal)
        for clock, told, text in zip(clocks, spelled, texts, strict=True)
    ]
    counts = Counter(len(clock) for clock in clocks if clock)
    written = sum(counts.values()) + sum(map(math.isfinite, spelled))
    few = max(1.0, _FEW_NUMBERS * written) if written > 2 else 0.0
    if unit is None and sum(map(math.isfinite, bare)) <= few:
        # A few numbers among times with colons or words are slips of the pen.
        bare = [math.nan] * len(bare)
    forms = _forms(clocks, counts, form)
    numbers = [value for value in bare if not math.isnan(value)]
    units: dict[str, list[float]] = {"": [math.nan] * len(bare)}
    if numbers:
        units = {
            f"a number of {_NAMES[name]}": [MINUTES[name] * value for value in bare]
            for name in ([unit] if unit else ("min", "s", "h", "days", "ms"))
        }
        if unit in (None, "min") and _is_sexagesimal(texts, decimal):
            units = {
                "mm.ss: no number has 60 hundredths or more": [_mm_ss(value) for value in bare]
            }
        elif unit == "h" and _is_sexagesimal(texts, decimal):
            units = {"h.mm: no number has 60 hundredths or more": [60.0 * _mm_ss(v) for v in bare]}
        elif _is_sexagesimal(texts, decimal, rows=1):
            units = {name + _DECIMALS.get(name, ""): values for name, values in units.items()}
    readings = []
    for shape, last_resort in forms:
        other_form = "" if form in ("h:mm", "mm:ss") else _OTHER_FORMS.get(shape, "")
        other = tuple(
            _minutes(clock, other_form) if other_form and len(clock) == 2 else math.nan
            for clock in clocks
        )
        for name, by_number in units.items():
            minutes = [
                told if not math.isnan(told) else (_minutes(clock, shape) if clock else number)
                for clock, told, number in zip(clocks, spelled, by_number, strict=True)
            ]
            words_of_time = (
                ""
                if shape or name or not any(map(math.isfinite, spelled))
                else "hours and minutes in words"
            )
            label = ", ".join(part for part in (shape, name, words_of_time) if part)
            sure = len(forms) * len(units) == 1
            readings.append(Times(label, minutes, sure, last_resort, other, other_form))
    return readings


def _forms(
    clocks: Sequence[tuple[float, ...]], counts: Mapping[int, int], form: str | None
) -> list[tuple[str, bool]]:
    if not counts:
        return [("", False)]
    if form == "h:mm:ss" or (counts.get(3) and counts.get(2)):
        return [("h:mm:ss or mm:ss", False)] if counts.get(2) else [("h:mm:ss", False)]
    if counts.get(3):
        forms = [("h:mm:ss", False)]
        if all(clock[2] == 0.0 for clock in clocks if clock):
            forms.append(("mm:ss:00, a spreadsheet's reading of mm:ss", True))
        return forms
    if form in ("h:mm", "mm:ss"):
        return [(form, False)]
    return [("mm:ss", False), ("h:mm", False)]


def _clock_parts(text: str) -> tuple[float, ...]:
    """Return the two or three numbers between the colons of a cell, () where it is no such."""
    if match := _DOTTED_CLOCK.fullmatch(text):
        return tuple(float(part) for part in match.groups())
    match = _CLOCK.fullmatch(text.lower())
    if match is None:
        return ()
    first, second, third, fraction, half = match.groups()
    hours = float(first)
    if half:
        # A spreadsheet shows a duration of 0:30:26 as 12:30:26 AM.
        hours = hours % 12 + (12 if half.startswith("p") else 0)
        third = third or "0"
    if third is not None:
        return hours, float(second), float(third.replace(",", "."))
    return hours, float(second) + float((fraction or "0").replace(",", "."))


def _minutes(clock: Sequence[float], shape: str) -> float:
    if shape.startswith("mm:ss:00"):
        clock = clock[:2]
    last_two = clock[-2:]
    if last_two[-1] >= 60.0 or (len(clock) == 3 and last_two[0] >= 60.0):
        return math.nan
    if len(clock) == 3:
        return 60.0 * clock[0] + clock[1] + clock[2] / 60.0
    return 60.0 * clock[0] + clock[1] if shape == "h:mm" else clock[0] + clock[1] / 60.0


def _spelled(text: str) -> float:
    """Return the minutes of ``1h 02m``, ``0h30``, ``30'26"`` or ``PT30M``; NaN of others."""
    if not text or text[0] not in "0123456789P":
        return math.nan
    if text[0] == "P":
        match = _ISO.fullmatch(text)
        if match is None or not any(match.groups()):
            return math.nan
        days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return 1440.0 * days + 60.0 * hours + minutes + seconds / 60.0
    total, place, last = 0.0, 0, None
    names = words().units["time"]
    quotes = {
        "'": "min",
        "\u2032": "min",
        "\u2019": "min",
        '"': "s",
        "\u2033": "s",
        "\u201d": "s",
        "''": "s",
        "\u2019\u2019": "s",
        "\u2032\u2032": "s",
    }
    order = ("days", "h", "min", "s", "ms")
    for match in _TOKENS.finditer(text):
        between = fold(text[place : match.start()])
        name = fold(match[2])
        unit = quotes.get(match[2]) or names.get(name)
        if (
            between not in ("", "and", "und", "et", "y", "e", "en", "og", "och", "i")
            or unit is None
        ):
            return math.nan
        if last is not None and order.index(unit) <= order.index(last):
            return math.nan
        total += MINUTES[unit] * float(match[1].replace(",", "."))
        place, last = match.end(), unit
    rest = text[place:].strip()
    if last is None:
        return math.nan
    if rest:
        follower = {"h": "min", "min": "s"}.get(last)
        if follower is None or not re.fullmatch(r"[0-5]\d(?:[.,]\d+)?", rest, re.ASCII):
            return math.nan
        total += MINUTES[follower] * float(rest.replace(",", "."))
    return total


def _is_sexagesimal(texts: Sequence[str], decimal: str, rows: int = _SEXAGESIMAL_ROWS) -> bool:
    """Return whether every number has two decimals below 60, as in 30.26 for 30 min 26 s."""
    cells = [text for text in texts if text]
    ends = [text.rpartition(decimal)[2] for text in cells if decimal in text]
    return (
        len(ends) >= rows
        and len(ends) == len(cells)
        and all(len(end) == 2 and end.isdigit() and int(end) < 60 for end in ends)
    )


def _mm_ss(value: float) -> float:
    """Return the minutes in 30.26 for 30 min 26 s, or the hours in 1.05 for 1 h 5 min."""
    whole = math.floor(value) if math.isfinite(value) else value
    return whole + (value - whole) * 100.0 / 60.0
