"""What is handed to watches and calendars is read back by two independent readers."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from html.parser import HTMLParser

import pytest
from coached_people import SMALL, TODAY

from fitgym.coach.advice import Advice, advise
from fitgym.coach.calendars import calendar_bytes, parse_zone, uid_of
from fitgym.coach.constraints import Constraints
from fitgym.coach.goals import Goal
from fitgym.coach.page import advice_page
from fitgym.coach.person import Coached
from fitgym.coach.program import SeasonProgram
from fitgym.coach.summary import NOT_ADVICE, DoneRow, advice_text
from fitgym.coach.workout_files import workout_bytes


@pytest.fixture(scope="module")
def advice(coached: Coached) -> Advice:
    kept = Constraints(free=(0, 2, 3, 5, 6))
    program = SeasonProgram(coached, coached.morning, 60, Goal(), kept, SMALL).solve(cache=False)
    return advise(program, coached.morning, coached.loads, 0)


def test_steps_make_the_plan(advice: Advice) -> None:
    assert advice.plan
    assert sum(step.minutes for step in advice.steps) == pytest.approx(advice.today.minutes)
    mean = sum(step.minutes * step.heart_rate for step in advice.steps) / advice.today.minutes
    assert mean == pytest.approx(advice.today.heart_rate, abs=0.5)
    for step in advice.steps:
        assert step.heart_rate_low < step.heart_rate < step.heart_rate_high
        assert step.heart_rate_high <= 185.0 + 1e-9


def expected_steps(advice: Advice) -> list[tuple[float, int, int]]:
    return [
        (
            float(round(60.0 * step.minutes)),
            100 + round(step.heart_rate_low),
            100 + round(step.heart_rate_high),
        )
        for step in advice.steps
    ]


def test_a_workout_is_read_by_fitdecode(advice: Advice) -> None:
    pytest.importorskip("fit_tool")
    fitdecode = pytest.importorskip("fitdecode")
    content = workout_bytes(advice)
    assert content == workout_bytes(advice)
    with fitdecode.FitReader(io.BytesIO(content), check_crc=fitdecode.CrcCheck.RAISE) as reader:
        messages = [frame for frame in reader if isinstance(frame, fitdecode.FitDataMessage)]
    by_name = {one.name: one for one in messages}
    assert by_name["file_id"].get_value("type") == "workout"
    assert by_name["workout"].get_value("sport") == "running"
    assert by_name["workout"].get_value("num_valid_steps") == len(advice.steps)
    steps = [one for one in messages if one.name == "workout_step"]
    found = []
    for one in steps:
        assert one.get_value("duration_type") == "time"
        assert one.get_value("target_type") == "heart_rate"
        found.append(
            (
                float(one.get_value("duration_time")),
                int(one.get_value("custom_target_heart_rate_low")),
                int(one.get_value("custom_target_heart_rate_high")),
            )
        )
    assert found == expected_steps(advice)


def test_a_workout_is_read_by_fitparse(advice: Advice) -> None:
    pytest.importorskip("fit_tool")
    fitparse = pytest.importorskip("fitparse")
    file = fitparse.FitFile(io.BytesIO(workout_bytes(advice)))
    steps = [one.get_values() for one in file.get_messages("workout_step")]
    found = [
        (
            float(one["duration_time"]),
            int(one["custom_target_heart_rate_low"]),
            int(one["custom_target_heart_rate_high"]),
        )
        for one in steps
    ]
    assert found == expected_steps(advice)


def test_no_workout_without_a_plan(advice: Advice) -> None:
    with pytest.raises(ValueError, match="no plan"):
        workout_bytes(replace(advice, plan=0))


def test_a_calendar_is_read_by_icalendar(advice: Advice) -> None:
    icalendar = pytest.importorskip("icalendar")
    content = calendar_bytes(advice)
    assert content == calendar_bytes(advice)
    calendar = icalendar.Calendar.from_ical(content)
    events = {str(event["uid"]): event for event in calendar.walk("VEVENT")}
    assert len(events) == len(advice.outlook)
    for day in advice.outlook:
        event = events[uid_of(advice.name, day.date)]
        assert event.decoded("dtstart") == date.fromisoformat(day.date)
        assert str(event["status"]) == ("CONFIRMED" if day.plan else "CANCELLED")
        assert NOT_ADVICE in str(event["description"])


def test_a_newer_calendar_replaces_an_older_one(advice: Advice) -> None:
    icalendar = pytest.importorskip("icalendar")
    shifted = replace(
        advice,
        date=advice.outlook[1].date,
        outlook=advice.outlook[1:],
    )
    older, newer = (
        {
            str(event["uid"]): int(event["sequence"])
            for event in icalendar.Calendar.from_ical(calendar_bytes(one)).walk("VEVENT")
        }
        for one in (advice, shifted)
    )
    common = set(older) & set(newer)
    assert len(common) == len(advice.outlook) - 1
    assert all(newer[uid] > older[uid] for uid in common)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Adelaide"])
def test_times_stay_on_the_wall_clock(advice: Advice, zone: str) -> None:
    """Across a change of clocks sessions begin at the same local time."""
    icalendar = pytest.importorskip("icalendar")
    content = calendar_bytes(advice, at=time(18, 30), zone=parse_zone(zone))
    calendar = icalendar.Calendar.from_ical(content)
    assert [str(one["tzid"]) for one in calendar.walk("VTIMEZONE")] == [zone]
    planned = {day.date: day for day in advice.outlook if day.plan}
    offsets = set()
    for event in calendar.walk("VEVENT"):
        if str(event["status"]) == "CANCELLED":
            continue
        start = event.decoded("dtstart")
        day = planned[start.date().isoformat()]
        assert (start.hour, start.minute) == (18, 30)
        lasting = event.decoded("dtend").astimezone(UTC) - start.astimezone(UTC)
        assert lasting == timedelta(minutes=round(day.minutes))
        offsets.add(start.utcoffset())
    # There they change on 8 March.
    assert len(offsets) == 2 or zone != "America/New_York"


def test_a_calendar_is_read_by_another_parser(advice: Advice) -> None:
    vobject = pytest.importorskip("vobject")
    content = calendar_bytes(advice, at=time(7, 15), zone=parse_zone("Europe/Berlin"))
    calendar = vobject.readOne(content.decode())
    planned = {day.date for day in advice.outlook if day.plan}
    found = set()
    for event in calendar.vevent_list:
        if event.status.value == "CONFIRMED":
            start = event.dtstart.value
            assert isinstance(start, datetime)
            assert (start.hour, start.minute) == (7, 15)
            found.add(start.date().isoformat())
    assert found == planned


def test_zones_that_are_none_are_refused(advice: Advice) -> None:
    for text in ("Europe/Nowhere", "", "../etc"):
        with pytest.raises(ValueError, match="zone must be"):
            parse_zone(text)
    with pytest.raises(ValueError, match="needs a zone"):
        calendar_bytes(advice, at=time(7))


class _Tags(HTMLParser):
    _VOID = ("meta", "rect", "line", "path", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.requests: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.requests += [str(value) for name, value in attrs if name in ("src", "href") and value]
        if tag not in self._VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._VOID:
            assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_for_nothing(advice: Advice) -> None:
    done = [DoneRow("2026-03-01", 12.2, 10.0, 40.0, True)]
    page = advice_page(replace(advice, name="A & <B>"), done, ["A note & <more>."])
    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    assert tags.requests == []
    assert "<B>" not in page
    assert "<more>" not in page
    assert page.count(NOT_ADVICE) == 1


def test_the_text_says_what_matters(advice: Advice) -> None:
    text = advice_text(advice, [], ["A note."])
    assert text.count("medical advice") == 1
    assert f"{TODAY:%A}" in text
    for reason in advice.reasons:
        assert reason in text
    assert "not free" in text
