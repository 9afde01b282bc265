"""The fifty synthetic logs in ``cases/``, each as its README says that it is right."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from fitgym.logs import History, ReadingOptions, read

CASES = Path(__file__).parent / "cases"
SAME = [
    *(f"a{number:02d}" for number in range(1, 23)),
    *("a24", "a27", "a28", "a29", "a31", "a33", "a35", "a36", "a37", "a38", "a39"),
    *("a40", "a41", "a42", "a43", "a44", "a45"),
]


def case(name: str) -> Path:
    (path,) = CASES.glob(f"{name}_*.csv")
    return path


def read_case(name: str, **options: object) -> History:
    return read(case(name), options=ReadingOptions(**options))  # type: ignore[arg-type]


def reasons(history: History) -> dict[str, list[str]]:
    """Return the numbers of the rows left out by reason."""
    found: dict[str, list[str]] = {}
    for item in history.report.left_out:
        found.setdefault(item.reason, []).append(item.source.rpartition(" row ")[2])
    return found


def how(history: History, quantity: str) -> str:
    return dict(history.report.understood)[quantity]


@pytest.fixture(scope="module")
def expected() -> History:
    return read_case("a01")


def test_there_are_fifty() -> None:
    assert len(list(CASES.glob("a??_*.csv"))) == 50


def test_the_reference_by_hand(expected: History) -> None:
    assert len(expected.sessions) == 80
    first, last = expected.sessions[0], expected.sessions[-1]
    assert (str(first.date), first.distance_m) == ("2023-01-02", 6000.0)
    assert first.minutes == pytest.approx(30 + 26 / 60)
    assert (str(last.date), last.distance_m) == ("2023-08-27", 6000.0)
    assert sum(session.distance_m for session in expected.sessions) == pytest.approx(668_000.0)


@pytest.mark.parametrize("name", SAME)
def test_the_same_runs(name: str, expected: History) -> None:
    history = read_case(name)
    assert len(history.sessions) == 80
    # Without seconds, a time is known to the minute; miles are written with two decimals.
    tolerance = 1.0 if name in ("a08", "a33") else 0.06
    for session, other in zip(history.sessions, expected.sessions, strict=True):
        assert session.date == other.date
        assert session.distance_m == pytest.approx(other.distance_m, abs=9.0)
        assert session.minutes == pytest.approx(other.minutes, abs=tolerance)


@pytest.mark.parametrize(
    ("name", "quantity", "words"),
    [
        ("a05", "distance", "read as miles: median pace 8:16 min/mile"),
        ("a06", "distance", "read as m:"),
        ("a07", "time", "a number of seconds"),
        ("a08", "time", "h:mm"),
        ("a09", "distance", "decimal comma"),
        ("a09", "table", "semicolon-separated, cp1252"),
        ("a12", "table", "tab-separated, UTF-16"),
        ("a19", "date", "local time as written"),
        ("a21", "time", "a number of days"),
        ("a22", "date", "a spreadsheet's serial numbers"),
        ("a24", "date", "month/day/year"),
        ("a38", "time", "'Moving Time'"),
        ("a39", "distance", "'km'"),
    ],
)
def test_what_is_told_of_it(name: str, quantity: str, words: str) -> None:
    assert words in how(read_case(name), quantity)


@pytest.mark.parametrize(
    ("name", "sessions", "left_out"),
    [
        ("a02", 80, {"sport is bike": 14}),
        ("a03", 80, {"sport is bike": 14}),
        ("a04", 80, {"sport is walk": 80}),
        ("a13", 80, {"summary row": ["82"]}),
        ("a14", 80, {"summary row": ["82"]}),
        ("a15", 80, {"rest day": ["42"]}),
        ("a16", 80, {"no distance": ["82"]}),
        ("a25", 79, {"date out of range": ["32"]}),
        ("a26", 79, {"date out of range": ["81"]}),
        ("a27", 80, {"impossible speed": ["82"]}),
        ("a29", 80, {"the same session twice": 80}),
        ("a34", 79, {"not finished": ["22"]}),
        ("a48", 79, {"row cannot be taken apart": ["6"]}),
    ],
)
def test_what_is_left_out_is_named(
    name: str, sessions: int, left_out: dict[str, list[str] | int]
) -> None:
    history = read_case(name)
    assert len(history.sessions) == sessions
    found = reasons(history)
    assert set(found) == set(left_out)
    for reason, rows in left_out.items():
        assert (len(found[reason]) if isinstance(rows, int) else found[reason]) == rows


def test_three_runs_are_read_and_a_gap_is_named() -> None:
    assert len(read_case("a23").sessions) == 3
    notes = read_case("a30").report.notes
    assert any("a gap of 503 days" in note for note in notes)


def test_the_time_of_day_is_no_duration() -> None:
    for name in ("a40", "a41", "a42"):
        history = read_case(name)
        assert any("'time' cannot be a duration" in note for note in history.report.notes)
        assert max(session.minutes for session in history.sessions) < 90.0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a32", "line 6, column 'date' says '01/14/2023'.*line 2.*'02/01/2023'.*exchanged"),
        ("a46", "is empty"),
        ("a47", "is a web page.*sign in"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_a_remedy(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        read_case(name)
    assert case(name).name in str(caught.value)


def test_constant_pace_and_repetitions() -> None:
    assert len(read_case("a49").sessions) == 80
    history = read_case("a50")
    days = [session.date for session in history.sessions]
    assert len(days) == len(set(days))
    assert min(session.distance_m for session in history.sessions) >= 1200.0
    assert sum(session.distance_m for session in history.sessions) == pytest.approx(120 * 400.0)
    assert any("repetitions" in note for note in history.report.notes)


def test_another_sport_and_all_sports() -> None:
    assert len(read_case("a02", sport="bike", distance_unit="km").sessions) == 14
    assert len(read_case("a02", sport="all", distance_unit="km").sessions) == 94
    with pytest.raises(ValueError, match=r"no row is left to read: .* sport is run"):
        read_case("a01", sport="swim")


def test_a_unit_that_is_told_wins() -> None:
    history = read_case("a01", distance_unit="miles", keep_all=True)
    assert history.sessions[0].distance_m == pytest.approx(6 * 1609.344)
    with pytest.raises(ValueError, match=r"median pace would be .*--distance-unit"):
        read_case("a05", distance_unit="m")
    assert not math.isnan(history.sessions[0].minutes)
