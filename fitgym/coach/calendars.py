"""Plans as an iCalendar file (RFC 5545), which replaces what it said before.

Every day has one UID for good, so a calendar that imports a newer file moves or cancels what an
older one brought. The file depends on the answer and the days published before alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fitgym.coach.advice import Advice
from fitgym.coach.sessions import day_text, title_of
from fitgym.coach.summary import NOT_ADVICE

_NAMESPACE = uuid.UUID("5b0c2f0e-6f0d-5d3a-9c53-0f6f2a6d6b11")
# Sequence numbers count days from here, so that a later answer always counts as newer.
_ORIGIN = date(2020, 1, 1)


def uid_of(name: str, day: str) -> str:
    """Return the UID of a person's day."""
    return f"{uuid.uuid5(_NAMESPACE, f'{name} {day}')}@fitgym"


def parse_zone(text: str) -> ZoneInfo:
    """Return the time zone that a name stands for.

    Raises:
        ValueError: If there is none of that name.
    """
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"zone must be a name such as Europe/Berlin or America/New_York, got {text!r}"
        ) from None


def published_days(advice: Advice, published: Sequence[str]) -> tuple[str, ...]:
    """Return the days, from the answer's on, that a file has had an event on once this one is out.

    Args:
        advice: The answer.
        published: Those before it.
    """
    planned = {day.date for day in advice.outlook if day.plan}
    return tuple(sorted(planned | {day for day in published if day >= advice.date}))


def calendar_bytes(
    advice: Advice,
    *,
    at: time | None = None,
    zone: ZoneInfo | None = None,
    published: Sequence[str] = (),
) -> bytes:
    """Return the weeks to come as an iCalendar file.

    Args:
        advice: The answer.
        at: When sessions begin; None for events that take the whole day.
        zone: Time zone of that; needed with ``at``.
        published: Days that an earlier file had an event on, ISO dates: those without a plan now
            are cancelled.

    Raises:
        ValueError: If ``at`` is given without a zone.
        ImportError: If the ``watch`` extra is not installed.
    """
    if at is not None and zone is None:
        raise ValueError("at needs a zone, such as Europe/Berlin")
    try:
        from icalendar import Calendar, Event
    except ImportError as error:
        raise ImportError("calendars need icalendar: pip install 'fitgym[watch]'") from error
    calendar = Calendar()
    calendar.add("prodid", "-//fitgym//coach//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"Plans of {advice.name}")
    answered = date.fromisoformat(advice.date)
    stamp = datetime.combine(answered, time(), UTC)
    sequence = max((answered - _ORIGIN).days, 0)
    events = [
        (
            day.date,
            title_of(day.trimp, advice.speeds_m_s),
            f"{day_text(advice, day)} {NOT_ADVICE}",
            day.minutes if day.plan else None,
        )
        for day in advice.outlook
        if day.plan or day.date in published
    ]
    if advice.race:
        events.append((advice.race, "Race", f"The goal of this season. {NOT_ADVICE}", 24.0 * 60.0))
    for day, title, text, minutes in events:
        event = Event()
        event.add("uid", uid_of(advice.name, day))
        event.add("dtstamp", stamp)
        event.add("last-modified", stamp)
        event.add("sequence", sequence)
        event.add("summary", title)
        event.add("description", text)
        then = date.fromisoformat(day)
        if at is None or minutes is None or title == "Race":
            event.add("dtstart", then)
            event.add("dtend", then + timedelta(days=1))
            event.add("transp", "TRANSPARENT")
        else:
            start = datetime.combine(then, at, zone)
            event.add("dtstart", start)
            # Wall-clock time is added to in UTC, so that a night of changing clocks is no error.
            end = start.astimezone(UTC) + timedelta(minutes=round(minutes))
            event.add("dtend", end.astimezone(zone))
        # A day without a plan takes back what an earlier file said.
        event.add("status", "CANCELLED" if minutes is None else "CONFIRMED")
        calendar.add_component(event)
    if at is not None:
        calendar.add_missing_timezones()
    return bytes(calendar.to_ical())
