"""What is handed to watches and calendars is read back by two independent readers."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from html.parser import HTMLParser
from math import exp

import pytest
from coached_people import SMALL, TODAY

from fitgym.coach.advice import Advice, advise
from fitgym.coach.calendars import calendar_bytes, parse_zone, published_days, uid_of
from fitgym.coach.constraints import Constraints
from fitgym.coach.goals import Goal
from fitgym.coach.page import advice_page
from fitgym.coach.person import Coached
from fitgym.coach.program import SeasonProgram
from fitgym.coach.sessions import title_of
from fitgym.coach.summary import NOT_ADVICE, DoneRow, advice_text, candidate_cells, race_rows
from fitgym.coach.workout_files import workout_bytes
from fitgym.model.daniels import vdot


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
    days = [day.date for day in advice.outlook]
    content = calendar_bytes(advice, published=days)
    assert content == calendar_bytes(advice, published=days)
    calendar = icalendar.Calendar.from_ical(content)
    events = {str(event["uid"]): event for event in calendar.walk("VEVENT")}
    assert len(events) == len(advice.outlook)
    for day in advice.outlook:
        event = events[uid_of(advice.name, day.date)]
        if day.plan:
            assert f"{day.minutes:.0f} min" in str(event["summary"])
            assert "/km" in str(event["description"])
        assert event.decoded("dtstart") == date.fromisoformat(day.date)
        assert str(event["status"]) == ("CONFIRMED" if day.plan else "CANCELLED")
        assert NOT_ADVICE in str(event["description"])


def test_only_what_was_published_is_cancelled(advice: Advice) -> None:
    icalendar = pytest.importorskip("icalendar")

    def states(content: bytes) -> dict[str, str]:
        events = icalendar.Calendar.from_ical(content).walk("VEVENT")
        return {str(event["uid"]): str(event["status"]) for event in events}

    planned = {uid_of(advice.name, day.date) for day in advice.outlook if day.plan}
    assert states(calendar_bytes(advice)) == dict.fromkeys(planned, "CONFIRMED")
    free = [day for day in advice.outlook if not day.plan]
    out = published_days(advice, ["2020-01-01", free[0].date])
    assert out == tuple(sorted({day.date for day in advice.outlook if day.plan} | {free[0].date}))
    again = states(calendar_bytes(advice, published=out))
    assert again == {
        **states(calendar_bytes(advice)),
        uid_of(advice.name, free[0].date): "CANCELLED",
    }


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
            for event in icalendar.Calendar.from_ical(
                calendar_bytes(one, published=[day.date for day in advice.outlook])
            ).walk("VEVENT")
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


def test_sessions_are_told_in_words() -> None:
    speeds = [1000.0 / seconds for seconds in (314, 272, 255, 235, 210)]
    assert title_of(0.0, speeds) == "No plan"
    assert title_of(7.0, speeds) == "35 min easy (5:14 /km)"
    assert title_of(12.2, speeds) == "48 min, 13 of them at marathon pace (4:32 /km)"
    faster = title_of(38.2, speeds)
    assert "of them at marathon pace (4:32 /km) and " in faster
    assert faster.endswith("at threshold pace (4:15 /km)")


def test_a_race_is_told_by_its_times(coached: Coached) -> None:
    """VDOT and times of race day, whose range holds slower and faster ones; the grid has it."""
    goal = Goal("race", "2026-04-20")
    program = SeasonProgram(coached, coached.morning, 49, goal, size=SMALL).solve(cache=False)
    found = advise(program, coached.morning, coached.loads, 0)
    assert found.outlook[-1].date == "2026-04-19"
    assert found.race_vdot == found.outlook[-1].vdot
    # The planner's own expectation of the day is the path's, up to its coarse grid.
    assert found.today.worth == pytest.approx(found.race_vdot, abs=1.5)
    for (_, told), metres in zip(
        race_rows(found), (5000.0, 10_000.0, 21_097.5, 42_195.0), strict=True
    ):
        middle, fast, slow = (
            sum(float(part) * 60.0**place for place, part in enumerate(reversed(one.split(":"))))
            for one in told.rstrip(")").replace(" (", " to ").split(" to ")
        )
        assert fast < middle < slow
        assert vdot(metres, middle / 60.0) == pytest.approx(found.race_vdot * exp(-0.016), rel=2e-3)
    column = [row[3] for row in candidate_cells(found)[1]]
    assert column[found.plan] == "best"
    assert all(float(cell) <= 0.0 for cell in column if cell != "best")
    page = advice_page(found, [], [])
    assert '<div class="race"><b>Mon 20 Apr</b>' in page
    assert page.index('class="weeks"') < page.index("<table class=")
