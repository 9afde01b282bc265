"""What a plan asks for, in words, and what it is called."""

from __future__ import annotations

from fitgym.coach.advice import ZONE_NAMES, Advice, OutlookDay, Step, session_parts


def title_of(plan: int, trimp: float, minutes: float) -> str:
    """Return what a plan is called."""
    return f"Plan {plan}: {trimp:.1f} points, {minutes:.0f} min" if plan else "No plan"


def parts_of(trimp: float) -> str:
    """Return the parts of a plan in words."""
    return ", ".join(
        f"{part.minutes:.0f} min {ZONE_NAMES[int(part.zone)]}" for part in session_parts(trimp)
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
    return f"{parts_of(day.trimp)}; completed with a chance of {100 * day.chance:.0f} %."
