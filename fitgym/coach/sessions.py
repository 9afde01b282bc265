"""What a plan asks for, in words, and what it is called."""

from __future__ import annotations

from collections.abc import Sequence

from fitgym.coach.advice import ZONE_NAMES, Advice, OutlookDay, Step, session_parts


def title_of(trimp: float, speeds: Sequence[float]) -> str:
    """Return a session in words, such as ``48 min, 13 of them at marathon pace (4:32 /km)``.

    Args:
        trimp: Points of the plan; 0 for none.
        speeds: Speeds of the zones, m/s.
    """
    if not trimp:
        return "No plan"
    minutes: dict[int, float] = {}
    for part in session_parts(trimp):
        minutes[int(part.zone)] = minutes.get(int(part.zone), 0.0) + part.minutes
    total = f"{sum(minutes.values()):.0f} min"
    faster = [
        f"{lasting:.0f}{' of them' if len(minutes) > 1 else ''} at {ZONE_NAMES[zone]} "
        f"({pace_of(speeds[zone])})"
        for zone, lasting in sorted(minutes.items())
        if zone
    ]
    if not faster:
        return f"{total} easy ({pace_of(speeds[0])})"
    return f"{total}, {faster[0]}" + "".join(
        f" and {one.replace(' of them', '')}" for one in faster[1:]
    )


def plan_text(plan: int, trimp: float) -> str:
    """Return number and points of a plan."""
    return f"plan {plan}, {trimp:.1f} points" if plan else ""


def parts_of(trimp: float, speeds: Sequence[float]) -> str:
    """Return the parts of a plan in words, with their paces."""
    return ", ".join(
        f"{part.minutes:.0f} min {ZONE_NAMES[int(part.zone)]} at {pace_of(speeds[int(part.zone)])}"
        for part in session_parts(trimp)
    )


def pace_of(speed_m_s: float) -> str:
    """Return a speed as a pace, ``m:ss /km``."""
    seconds = round(1000.0 / speed_m_s)
    return f"{seconds // 60}:{seconds % 60:02d} /km"


def step_text(step: Step) -> str:
    """Return a part of today's session in words."""
    return (
        f"{step.minutes:.0f} min {step.zone} at {pace_of(step.speed_m_s)}, heart rate "
        f"{step.heart_rate:.0f} ({step.heart_rate_low:.0f} to {step.heart_rate_high:.0f})"
    )


def day_text(advice: Advice, day: OutlookDay) -> str:
    """Return what a day asks for in words; of today with heart rates."""
    if not day.plan:
        return "No plan."
    if day.date == advice.date:
        return "; ".join(map(step_text, advice.steps)) + "."
    return (
        f"{parts_of(day.trimp, advice.speeds_m_s)}; completed with a chance of "
        f"{100 * day.chance:.0f} % ({plan_text(day.plan, day.trimp)})."
    )
