"""Words of training logs in the languages of the usual exports, from ``data/log_words.json``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from fitgym.common.json_files import parse_json

# Letters that Unicode does not take apart into a plain letter and an accent.
_LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "æ": "ae", "Æ": "ae", "đ": "d", "œ": "oe"}
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_WORD = re.compile(r"[\W_]+")

# What a sports word means where a cell has several, the first that is found.
_SPORT_ORDER = ("swim", "bike", "ski", "run", "hike", "walk", "other")


@lru_cache(maxsize=16_384)
def fold(text: str) -> str:
    """Return the words of a text, lower case, without accents and punctuation, one blank between.

    ``DistanceInMeters`` becomes ``distance in meters``, ``Dur\u00e9e (h:mm:ss)`` ``duree h mm ss``.
    """
    plain = unicodedata.normalize("NFKD", _CAMEL.sub(" ", text).translate(_LETTERS))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _NOT_WORD.sub(" ", letters.lower()).strip()


@dataclass(frozen=True)
class Words:
    """What the data file knows.

    Attributes:
        columns: Quantity -> rank of each of its column names, the lower the better.
        not_columns: Words that show that a column whose name is not known is another one.
        units: Dimension -> name of a unit -> unit.
        months: Name of a month -> its number.
        weekdays: Names of days.
        date_fillers: Words inside dates that tell nothing.
        sports: Name of a sport -> its family.
        sport_signs: Picture of a sport -> its family.
        modifiers: Word -> ``trail`` or ``treadmill``.
        run_kinds: Names of kinds of runs.
        parts: ``year``, ``month`` and ``day`` -> names of columns that hold no more.
        totals: Words of summary rows.
        not_finished: Words of races that were not finished.
        empty: What stands where nothing is known.
        sport_codes: Column that only one service has -> its number of a sport -> the sport.
        periods: Names of columns that tell weeks or months.
        session_counts: Names of columns that count the sessions of a period.
        day_totals: Names of columns that only totals of days have.
        steps: Names of columns of steps.
        states: Names of columns that tell whether a session took place.
        not_done: What they, or notes, say where it did not.
        negations: What else they say there.
        plans: Titles of sections whose sessions are still to come.
        ticks: What they say where it did, and nothing elsewhere.
        people: Names of columns that tell whose session it is.
        first_names: Names of columns that tell that, or what a session is called.
        distance_with_unit: Names of columns that are distances if they have a unit of one.
        starts: Names of columns that tell when sessions began.
        ends: Names of columns that tell when they ended.
        repetitions: Names of columns that tell how often a distance was run.
        lap_numbers: Names of columns that count laps.
        race_distances: Name of a distance of races -> metres.
        file_names: Names of columns that tell the file of a session's recording.
    """

    columns: Mapping[str, Mapping[str, int]]
    not_columns: frozenset[str]
    units: Mapping[str, Mapping[str, str]]
    months: Mapping[str, int]
    weekdays: frozenset[str]
    date_fillers: frozenset[str]
    sports: Mapping[str, str]
    sport_signs: Mapping[str, str]
    modifiers: Mapping[str, str]
    run_kinds: frozenset[str]
    parts: Mapping[str, frozenset[str]]
    totals: frozenset[str]
    not_finished: frozenset[str]
    empty: frozenset[str]
    sport_codes: Mapping[str, Mapping[str, str]]
    periods: frozenset[str]
    session_counts: frozenset[str]
    day_totals: frozenset[str]
    steps: frozenset[str]
    states: frozenset[str]
    not_done: frozenset[str]
    negations: frozenset[str]
    plans: frozenset[str]
    ticks: frozenset[str]
    people: frozenset[str]
    first_names: frozenset[str]
    distance_with_unit: frozenset[str]
    starts: frozenset[str]
    ends: frozenset[str]
    repetitions: frozenset[str]
    lap_numbers: frozenset[str]
    race_distances: Mapping[str, str]
    file_names: frozenset[str]


@lru_cache(maxsize=1)
def words() -> Words:
    """Return the words of the data file that ships."""
    file = resources.files("fitgym") / "data" / "log_words.json"
    content: dict[str, Any] = parse_json(file.read_bytes(), "log_words.json")
    return Words(
        columns={
            quantity: {name: rank for rank, name in reversed(list(enumerate(names)))}
            for quantity, names in content["columns"].items()
        },
        not_columns=frozenset(content["not_columns"]),
        units={dimension: _inverse(units) for dimension, units in content["units"].items()},
        months={
            name: number
            for number, names in enumerate(content["months"], start=1)
            for name in names
        },
        weekdays=frozenset(content["weekdays"]),
        date_fillers=frozenset(content["date_fillers"]),
        sports=_inverse(content["sports"]),
        sport_signs=_inverse(content["sport_signs"]),
        modifiers=_inverse(content["modifiers"]),
        run_kinds=frozenset(content["run_kinds"]),
        parts={part: frozenset(names) for part, names in content["parts"].items()},
        totals=frozenset(content["totals"]),
        not_finished=frozenset(content["not_finished"]),
        empty=frozenset(content["empty"]),
        sport_codes={name: _inverse(codes) for name, codes in content["sport_codes"].items()},
        periods=frozenset(content["periods"]),
        session_counts=frozenset(content["session_counts"]),
        day_totals=frozenset(content["day_totals"]),
        steps=frozenset(content["steps"]),
        states=frozenset(content["states"]),
        not_done=frozenset(content["not_done"]),
        negations=frozenset(content["negations"]),
        plans=frozenset(content["plans"]),
        ticks=frozenset(content["ticks"]),
        people=frozenset(content["people"]),
        first_names=frozenset(content["first_names"]),
        distance_with_unit=frozenset(content["distance_with_unit"]),
        starts=frozenset(content["starts"]),
        ends=frozenset(content["ends"]),
        repetitions=frozenset(content["repetitions"]),
        lap_numbers=frozenset(content["lap_numbers"]),
        race_distances=_inverse(content["race_distances"]),
        file_names=frozenset(content["file_names"]),
    )


def is_empty(cell: str) -> bool:
    """Return whether a cell says that nothing is known."""
    return not cell or cell.lower() in words().empty


@lru_cache(maxsize=4096)
def sport_of(name: str) -> str | None:
    """Return the sport that a name means, in the predictor's words; None if it is not known.

    The families are ``run, bike, walk, hike, swim, ski, other``; a run may be ``run_trail`` or
    ``run_treadmill``, a ride ``bike_indoor``.

    Args:
        name: Name of a sport or activity type in any of the languages, for instance
            ``Course \u00e0 pied`` or ``HKWorkoutActivityTypeRunning``.
    """
    known, folded = words(), fold(name)
    parts = folded.split()
    family = known.sports.get(folded)
    if family is None:
        phrases = {" ".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, i + 4)}
        found = {known.sports[phrase] for phrase in phrases if phrase in known.sports}
        found |= {known.sports[name] for name in _unspaced() if name in folded}
        found |= {known.sport_signs[sign] for sign in name if sign in known.sport_signs}
        family = next((sport for sport in _SPORT_ORDER if sport in found), None)
    manners = {known.modifiers[part] for part in (*parts, folded) if part in known.modifiers}
    if family == "run":
        return f"run_{min(manners, key=('treadmill', 'trail').index)}" if manners else "run"
    if family == "bike" and "treadmill" in manners:
        return "bike_indoor"
    if family is None and manners and set(parts) & {"treadmill", "laufband"}:
        return "run_treadmill"
    return family


@lru_cache(maxsize=1)
def _unspaced() -> tuple[str, ...]:
    """Return the names of sports in scripts that write no blanks, so long that no word holds them.

    Two letters of a syllabary, as in the Japanese word for a run, are part of many words.
    """
    return tuple(
        name
        for name in words().sports
        if name[0] >= "\u4e00" or (name[0] >= "\u3040" and len(name) > 2)
    )


def sport_family(sport: str) -> str:
    """Return the family of a sport in the predictor's words: ``run`` for ``run_trail``."""
    return sport.partition("_")[0]


def _inverse(groups: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: group for group, names in groups.items() for name in names}
