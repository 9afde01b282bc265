"""A profile in plain words."""

from __future__ import annotations

import textwrap

from fitgym.common.tables import text_table
from fitgym.profile.course import training_load
from fitgym.profile.profile import Profile, ProfileEstimate

_WIDTH = 100
NOT_ADVICE = "A research simulator's reading of a history, not medical advice."


def pace_text(minutes: float) -> str:
    """Return a pace or time of ``minutes`` as ``m:ss``."""
    seconds = round(60.0 * minutes)
    return f"{seconds // 60}:{seconds % 60:02d}"


def number_text(value: float) -> str:
    """Return a number with three digits that count."""
    if abs(value) >= 100.0:
        return f"{value:.0f}"
    if abs(value) >= 10.0:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.095 or value == 0.0 else f"{value:.3f}"


def estimate_cells(one: ProfileEstimate) -> tuple[str, str, str, str]:
    """Return value with unit, interval, verdict and source of an estimate."""
    digits = 4 if one.name == "base_decay" else None
    low, value, high = (
        number_text(x) if digits is None else f"{x:.{digits}f}"
        for x in (one.low, one.value, one.high)
    )
    unit = "" if one.unit == "" else f" {one.unit}"
    return f"{value}{unit}", f"{low} to {high}", one.verdict, one.source


def reading_lines(profile: Profile, *, left_out: bool = True) -> list[str]:
    """Return what was read, in sentences, with what was left out or without."""
    read = profile.summary
    lines = [
        f"Read {_count(read.sessions, 'session')} from {read.first} to {read.last}, "
        f"{read.total_km:.0f} km at a median pace of "
        f"{pace_text(read.median_pace_min_per_km)} min/km; "
        f"{_count(read.recordings, 'recorded run')}, {read.with_heart_rate} of them with heart "
        "rate."
    ]
    if read.used_sessions < read.sessions:
        lines.append(
            f"The last {len(profile.points)} days are used, {read.used_sessions} sessions: older "
            "ones say nothing of today."
        )
    if left_out:
        lines += [f"Left out: {count}, {reason}." for reason, count in read.left_out]
    lines += [f"Not believed: {one}." for one in read.rejected]
    return lines


def state_lines(profile: Profile) -> list[str]:
    """Return today's state, in sentences."""
    state, load = profile.state, training_load(profile.points)
    motivation = "as usual"
    if abs(state.motivation) > 0.5 * max(state.motivation_sd, 0.05):
        motivation = "above usual" if state.motivation > 0.0 else "below usual"
    return [
        f"On {state.date}: VDOT {state.vdot:.1f}, base level {state.base_level:.1f} points, "
        f"fitness {state.fitness:.0f} and fatigue {state.fatigue:.1f} points; motivation "
        f"{motivation} ({state.motivation:+.2f} +- {state.motivation_sd:.2f}); "
        f"{_count(state.days_since, 'day')} since the last session.",
        f"Load: CTL {load.chronic[-1]:.1f} and ATL {load.acute[-1]:.1f} points a day, TSB (form) "
        f"{load.chronic[-1] - load.acute[-1]:+.1f}, acute:chronic ratio {load.ratio[-1]:.2f}.",
    ]


def heart_lines(profile: Profile) -> list[str]:
    """Return what the personal correction is worth, in sentences."""
    heart = profile.heart
    if heart is None:
        return []
    if heart.error_bpm is None or heart.error_alone_bpm is None:
        return [
            "One recording with heart rate: it corrects the predictor, but nothing is left to test "
            "that on."
        ]
    return [
        f"Heart rate of the last {_count(len(heart.held_out), 'workout')}, each forecast from the "
        f"earlier ones alone: mean absolute error {heart.error_bpm:.1f} bpm with the personal "
        f"correction, {heart.error_alone_bpm:.1f} without."
    ]


def profile_text(profile: Profile) -> str:
    """Return the profile for the terminal."""
    rows = [
        (one.label, *estimate_cells(one)[:3]) for one in profile.estimates if one.verdict != "state"
    ]
    week = [
        (
            one.weekday,
            f"{one.trained} of {one.days}",
            f"{100.0 * one.probability:.0f} %",
            f"{one.median_trimp:.0f}",
        )
        for one in profile.weekdays
    ]
    paragraphs = [
        *map(_wrapped, reading_lines(profile)),
        "",
        *map(_wrapped, state_lines(profile)),
        *map(_wrapped, heart_lines(profile)),
        "",
        text_table(("what", "estimate", "95 % interval", "verdict"), rows, left=4),
        "",
        text_table(("day", "trained", "probability", "usual points"), week),
        "",
        "plans (points): " + ", ".join(f"{one:g}" for one in profile.individual.plans_trimp),
        "",
        *map(_wrapped, profile.summary.borrowed),
        NOT_ADVICE,
    ]
    return "\n".join(paragraphs)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, subsequent_indent="  ")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
