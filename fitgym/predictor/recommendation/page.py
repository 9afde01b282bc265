"""Recommendations as tables, drawings and a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fitgym.common.figures import COLOURS, new_figure, tidy_axes
from fitgym.common.pages import (
    figures,
    heading,
    html_table,
    inline_figure,
    paragraph,
    text_page,
)
from fitgym.logs.workout import GRID_STEP_S
from fitgym.predictor.channels import sport_family
from fitgym.predictor.recommendation.ranking import Recommendation, minutes_of
from fitgym.predictor.recommendation.targets import Target

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAWN = 3


def recommendation_rows(
    target: Target, ranked: Sequence[Recommendation]
) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of a table of recommendations, the best first."""
    routes = any(each.speed_m_s is not None for each in ranked)
    columns = ["name", *(["flat speed"] if routes else []), "minutes", "mean miss (bpm)"]
    columns += ["min on", "min above", "min below"]
    columns += ["min short", "min over"] if target.is_course else []
    columns += ["worst (bpm)", "at min", "mean bpm (80 %)"]
    rows = []
    for number, each in enumerate(ranked, start=1):
        lies = each.match
        row = [f"{number}. {each.candidate.name}"]
        if routes and each.speed_m_s is not None:
            mark = " (limit)" if each.at_limit else ""
            row.append(f"{speed_text(each.speed_m_s, each.candidate.session.sport)}{mark}")
        row += [f"{minutes_of(each.candidate.session):.0f}", f"{lies.mean_miss_bpm:.1f}"]
        row += [f"{m:.0f}" for m in (lies.minutes_on, lies.minutes_above, lies.minutes_below)]
        if target.is_course:
            row += [f"{lies.minutes_short:.0f}", f"{lies.minutes_over:.0f}"]
        row += [f"{lies.worst_bpm:+.0f}", f"{lies.worst_minute:.0f}"]
        row.append(f"{lies.mean_heart_rate:.0f} ± {each.interval_bpm:.0f}")
        rows.append(row)
    return columns, rows


def speed_text(speed_m_s: float, sport: str) -> str:
    """Return a speed in km/h and, on foot, as a pace."""
    text = f"{3.6 * speed_m_s:.1f} km/h"
    if sport_family(sport) in ("run", "walk"):
        seconds = round(1000.0 / speed_m_s)
        text += f", {seconds // 60}:{seconds % 60:02d} min/km"
    return text


def recommendation_record(each: Recommendation) -> dict[str, Any]:
    """Return a recommendation for JSON."""
    session, lies = each.candidate.session, each.match
    record: dict[str, Any] = {
        "name": each.candidate.name,
        "sport": session.sport,
        "minutes": minutes_of(session),
        "distance_m": float(session.speed_m_s.sum() * GRID_STEP_S),
        "mean_miss_bpm": lies.mean_miss_bpm,
        "minutes_on": lies.minutes_on,
        "minutes_above": lies.minutes_above,
        "minutes_below": lies.minutes_below,
        "minutes_short": lies.minutes_short,
        "minutes_over": lies.minutes_over,
        "worst_bpm": lies.worst_bpm,
        "worst_minute": lies.worst_minute,
        "mean_heart_rate_bpm": lies.mean_heart_rate,
        "mean_interval_80_bpm": each.interval_bpm,
    }
    if each.speed_m_s is not None:
        record |= {"flat_speed_m_s": each.speed_m_s, "speed_at_limit": each.at_limit}
    return record


def draw_recommendation(target: Target, each: Recommendation) -> Figure:
    """Draw the predicted heart rate over the target, with speed and altitude below."""
    session, beats = each.candidate.session, each.heart_rate_bpm
    minutes = np.arange(len(beats)) * GRID_STEP_S / 60.0
    figure = new_figure(5.0, 4.2)
    heart, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    if target.is_course:
        at = np.arange(len(target.low_bpm)) * GRID_STEP_S / 60.0
        low, high = target.low_bpm, target.high_bpm
    else:
        at = np.array([minutes[min(target.settling_steps, len(minutes) - 1)], minutes[-1]])
        low, high = np.repeat(target.low_bpm, 2), np.repeat(target.high_bpm, 2)
    heart.fill_between(at, low, high, color=COLOURS["green"], alpha=0.3, label="target")
    heart.plot(minutes, beats, color=COLOURS["blue"], label="predicted")
    tidy_axes(heart, "", "", "heart rate (bpm)")
    heart.legend(frameon=False, loc="lower right")
    below.plot(minutes, 3.6 * session.speed_m_s, color=COLOURS["grey"])
    tidy_axes(below, "", "minutes", "speed (km/h)")
    below.set_ylim(bottom=0.0)
    if session.has_altitude and np.ptp(session.altitude_m) > 1.0:
        other = below.twinx()
        other.fill_between(
            minutes,
            session.altitude_m,
            float(session.altitude_m.min()),
            color=COLOURS["orange"],
            alpha=0.35,
        )
        other.set_ylabel("altitude (m)")
        other.spines[["top"]].set_visible(False)
    return figure


def recommendation_page(
    person: str, target: Target, parts: Mapping[str, Sequence[Recommendation]], shown: int
) -> str:
    """Return a page with the first ``shown`` of each kind, and the first three drawn.

    Args:
        person: What the person is called.
        target: The target.
        parts: Recommendations by kind, for instance ``workouts``, the best first.
        shown: Rows of each table.
    """
    counted = "" if not target.settling_steps else " after the first minutes"
    body = [
        paragraph(
            f"Predicted for {person}; target: {target.name}{counted}. The mean miss is the mean "
            "distance of the predicted heart rate from the target, zero inside a range. Of five "
            "such sessions four have a mean heart rate within the ± of the prediction: candidates "
            "whose misses differ by much less are hardly told apart."
        )
    ]
    for kind, ranked in parts.items():
        columns, rows = recommendation_rows(target, ranked[:shown])
        body += [heading(kind.capitalize()), html_table(columns, rows)]
        if len(ranked) > shown:
            body.append(paragraph(f"{len(ranked) - shown} more are not shown."))
        body.append(
            figures(
                inline_figure(draw_recommendation(target, each), _caption(number, each))
                for number, each in enumerate(ranked[:DRAWN], start=1)
            )
        )
    return text_page("Workouts for a heart rate", body)


def _caption(number: int, each: Recommendation) -> str:
    lies = each.match
    speed = ""
    if each.speed_m_s is not None:
        speed = f" at {speed_text(each.speed_m_s, each.candidate.session.sport)} on the flat"
    return (
        f"{number}. {each.candidate.name}{speed}: misses by {lies.mean_miss_bpm:.1f} bpm on "
        f"average, {lies.minutes_above:.0f} min above and {lies.minutes_below:.0f} min below."
    )


def evaluation_rows(report: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of a table of one pool of ``evaluation.ranking_report``."""
    columns = ["method", "in the top quarter (95 % over people)", "mean place"]
    columns.append("FitRec has more (95 % over people)")
    rows = [["chance", f"{100.0 * report['chance']:.1f} %", "0.500", ""]]
    for name, scores in report["methods"].items():
        more = ""
        if "ours_more" in scores:
            mean, low, high = (100.0 * value for value in scores["ours_more"])
            more = f"{mean:+.1f} ({low:+.1f} to {high:+.1f})"
        mean, low, high = (100.0 * value for value in scores["top_quarter"])
        rows.append(
            [name, f"{mean:.1f} % ({low:.1f} to {high:.1f})", f"{scores['mean_place']:.3f}", more]
        )
    return columns, rows
