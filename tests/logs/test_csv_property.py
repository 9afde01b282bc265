"""A log in every combination of spellings reads back equal, or is refused with a remedy."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from fitgym.logs.csv_log import read_csv
from fitgym.logs.options import METRES, ReadingOptions

# Date, distance, time and kind of activity, and the name of a run.
LANGUAGES = {
    "en": ("Date", "Distance", "Time", "Activity Type", "Running"),
    "de": ("Datum", "Distanz", "Dauer", "Sportart", "Laufen"),
    "fr": ("Date", "Distance", "Dur\u00e9e", "Type d'activit\u00e9", "Course \u00e0 pied"),
    "es": ("Fecha", "Distancia", "Duraci\u00f3n", "Tipo de actividad", "Carrera"),
    "it": ("Data", "Distanza", "Durata", "Tipo di attivit\u00e0", "Corsa"),
    "pt": ("Data", "Dist\u00e2ncia", "Dura\u00e7\u00e3o", "Tipo de atividade", "Corrida"),
    "nl": ("Datum", "Afstand", "Tijdsduur", "Activiteittype", "Hardlopen"),
    "da": ("Dato", "Distance", "Varighed", "Aktivitetstype", "L\u00f8b"),
    "no": ("Dato", "Distanse", "Varighet", "Aktivitetstype", "L\u00f8ping"),
    "sv": ("Datum", "Distans", "Varaktighet", "Aktivitetstyp", "L\u00f6pning"),
    "pl": ("Data", "Dystans", "Czas trwania", "Typ aktywno\u015bci", "Bieganie"),
}
DATES = {
    "iso": "%Y-%m-%d",
    "dmy/": "%d/%m/%Y",
    "mdy/": "%m/%d/%Y",
    "dmy.": "%d.%m.%Y",
    "dmy-": "%d-%m-%y",
    "mdy short": "%m/%d/%y",
    "clock": "%d/%m/%Y 07:30",
}
TIMES = ("h:mm:ss", "mm:ss", "s", "min", "h", "days", "words", "h:mm", "mm:ss beyond")
UNITS = {"km": "km", "miles": "mi", "m": "m"}


@dataclass(frozen=True)
class Spelling:
    delimiter: str
    decimal: str
    date: str
    unit: str
    unit_at: str
    language: str
    encoding: str
    time: str
    time_unit: bool
    ends: str


SPELLINGS = st.builds(
    Spelling,
    delimiter=st.sampled_from(",;\t|"),
    decimal=st.sampled_from(".,"),
    date=st.sampled_from(sorted(DATES)),
    unit=st.sampled_from(sorted(UNITS)),
    unit_at=st.sampled_from(["header", "cell", "nowhere"]),
    language=st.sampled_from(sorted(LANGUAGES)),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    time=st.sampled_from(TIMES),
    time_unit=st.booleans(),
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
)


def runs(rows: int, pace: float, seed: int) -> list[tuple[date, float, float]]:
    """Return dates, metres and minutes."""
    generator = random.Random(seed)
    start = date(2022, 1, 1) + timedelta(days=generator.randrange(300))
    log = []
    for row in range(rows):
        km = round(generator.uniform(3.0, 18.0), 2)
        minutes = round(60 * km * pace * generator.uniform(0.9, 1.12)) / 60
        log.append((start + timedelta(days=row * 2), 1000 * km, minutes))
    return log


def number(value: float, places: int, decimal: str) -> str:
    return f"{value:.{places}f}".replace(".", decimal)


def duration(minutes: float, spelling: Spelling) -> str:
    seconds = round(60 * minutes)
    hours, rest = divmod(seconds, 3600)
    if spelling.time == "h:mm:ss":
        return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
    if spelling.time == "mm:ss":
        short = f"{rest // 60:02d}:{rest % 60:02d}"
        return f"{hours}:{short}" if hours else short
    if spelling.time == "mm:ss beyond":
        return f"{seconds // 60}:{seconds % 60:02d}"
    if spelling.time == "h:mm":
        return f"{hours}:{rest // 60:02d}"
    if spelling.time == "words":
        return f"{hours}h {rest // 60:02d}m {rest % 60:02d}s"
    if spelling.time == "s":
        return str(seconds)
    places, per_minute = {"min": (3, 1), "h": (4, 60), "days": (8, 1440)}[spelling.time]
    return number(minutes / per_minute, places, spelling.decimal)


def write(log: list[tuple[date, float, float]], spelling: Spelling) -> bytes:
    day, distance, time, kind, run = LANGUAGES[spelling.language]
    if spelling.unit_at == "header":
        distance += f" ({UNITS[spelling.unit]})"
    if spelling.time_unit and spelling.time in ("s", "min", "h", "h:mm"):
        time += f" ({spelling.time})"
    file = io.StringIO()
    writer = csv.writer(file, delimiter=spelling.delimiter, lineterminator=spelling.ends)
    writer.writerow((kind, day, distance, time))
    for when, metres, minutes in log:
        value = metres / METRES[spelling.unit]
        cell = number(value, 0 if spelling.unit == "m" else 2, spelling.decimal)
        if spelling.unit_at == "cell":
            cell += f" {UNITS[spelling.unit]}"
        told = when.strftime(DATES[spelling.date])
        writer.writerow((run, told, cell, duration(minutes, spelling)))
    return file.getvalue().encode(spelling.encoding, "replace")


@settings(max_examples=examples(400), deadline=None)
@given(
    spelling=SPELLINGS,
    rows=st.integers(3, 40),
    pace=st.floats(4.4, 7.2),
    seed=st.integers(0, 10_000),
)
def test_equal_or_refused(spelling: Spelling, rows: int, pace: float, seed: int) -> None:
    log = runs(rows, pace, seed)
    try:
        read = read_csv(write(log, spelling), "log.csv", ReadingOptions())
    except ValueError as error:
        message = str(error)
        assert "--" in message or "write the unit into its name" in message, message
        # What the file tells is never asked for.
        if spelling.unit_at != "nowhere":
            assert "--distance-unit k" not in message
        if spelling.date in ("iso", "dmy."):
            assert "--date-order" not in message
        return
    assert len(read.sessions) == len(log)
    tolerance = 1.0 if spelling.time == "h:mm" else 0.02
    for row, (when, metres, minutes) in zip(read.sessions, log, strict=True):
        assert row.session.date == when
        assert row.session.distance_m == pytest.approx(metres, abs=9.0)
        assert row.session.minutes == pytest.approx(minutes, abs=tolerance)


@settings(max_examples=examples(60), deadline=None)
@given(spelling=SPELLINGS, seed=st.integers(0, 10_000))
def test_the_options_make_every_spelling_readable(spelling: Spelling, seed: int) -> None:
    log = runs(12, 5.5, seed)
    order = "mdy" if spelling.date.startswith("mdy") else "dmy"
    options = ReadingOptions(
        decimal="comma" if spelling.decimal == "," else "point",
        date_order=order,
        distance_unit=spelling.unit,
    )
    read = read_csv(write(log, spelling), "log.csv", options)
    assert [row.session.date for row in read.sessions] == [when for when, _, _ in log]
    distances = [row.session.distance_m for row in read.sessions]
    assert distances == pytest.approx([metres for _, metres, _ in log], abs=9.0)


@settings(max_examples=examples(300), deadline=None)
@given(content=st.binary(max_size=300))
def test_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        read_csv(content, "log.csv", ReadingOptions())
    except ValueError as error:
        problem = str(error)
        assert problem.startswith("log.csv: ")


@settings(max_examples=examples(300), deadline=None)
@given(
    cells=st.lists(
        st.tuples(
            st.text(max_size=12) | st.sampled_from(["2023-01-02", "1/2/23", "44928", "-"]),
            st.text(max_size=8) | st.sampled_from(["5", "5,0", "5.000", "nan", "1e9", "inf"]),
            st.text(max_size=8) | st.sampled_from(["30", "0:30", "30:26:00", "1h", "1e400"]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_cells_are_read_or_refused(cells: list[tuple[str, str, str]]) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([("date", "distance", "time"), *cells])
    try:
        read = read_csv(file.getvalue().encode("utf-8", "replace"), "log.csv", ReadingOptions())
    except ValueError as error:
        problem = str(error)
        assert problem.startswith("log.csv: ")
        return
    assert len(read.sessions) + len(read.left_out) >= 1
