"""A profile as one HTML page that needs no network."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from fitgym.profile.course import replay, training_load
from fitgym.profile.drawing import Chart, Line, chart_page, interval_bar
from fitgym.profile.profile import Profile, ProfileEstimate
from fitgym.profile.summary import (
    NOT_ADVICE,
    estimate_cells,
    heart_lines,
    reading_lines,
    state_lines,
)

# Days that the charts of load show, and held-out workouts that are drawn.
_SHOWN_DAYS, _DRAWN_WORKOUTS = 183, 3

_STYLE = """
h1 { font-size: clamp(1.6rem, 5vw, 2.2rem); line-height: 1.2; margin: 0.2rem 0 0.6rem; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 2.4rem 0 0.6rem; }
.tiles { display: grid; gap: 0.6rem; margin: 1rem 0; padding: 0;
  grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); }
.tiles div { background: var(--raised); border-left: 4px solid var(--blue); border-radius: 4px;
  padding: 0.6rem 0.8rem; }
.tiles dt { color: var(--faint); font-size: 0.85rem; }
.tiles dd { margin: 0; font-size: 1.4rem; font-weight: 650; line-height: 1.3; }
.tiles dd small { font-size: 0.85rem; font-weight: 400; color: var(--faint); display: block; }
.figures { display: grid; gap: 1.6rem 2rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); }
figcaption b { color: var(--ink); }
.scroll { overflow-x: auto; margin: 1rem 0; border: 1px solid var(--grid); border-radius: 4px; }
th, td { padding: 0.4rem 0.7rem; text-align: left; font-weight: 400; vertical-align: top; }
thead th { color: var(--faint); border-bottom: 1px solid var(--grid); white-space: nowrap; }
.interval { width: 6.5rem; height: 0.9rem; display: block; }
.verdict { white-space: nowrap; font-weight: 600; }
.identified { color: var(--green); }
.partly { color: var(--blue); }
.borrowed { color: var(--orange); }
.given { color: var(--ink); }
.state { color: var(--faint); }
@media (max-width: 46rem) {
  .estimates thead { display: none; }
  .estimates tr { display: block; padding: 0.6rem 0.7rem; }
  .estimates tbody tr + tr { border-top: 1px solid var(--grid); }
  .estimates tbody tr + tr > * { border-top: 0; }
  .estimates th, .estimates td { display: block; padding: 0.05rem 0; }
  .estimates th { font-weight: 600; } .estimates .source { color: var(--faint); }
  .interval { width: 100%; max-width: 14rem; }
}
"""


def profile_page(profile: Profile) -> str:
    """Return the profile as a page."""
    name = html.escape(profile.individual.name)
    parts = [
        f"<h1>{name}: what a training history says</h1>",
        f'<p class="faint">Made by fitgym profile for {html.escape(profile.state.date)}. '
        f"{NOT_ADVICE}</p>",
        _tiles(profile),
        "<h2>What was read</h2>",
        _list(_read(profile)),
        "<h2>Fitness, fatigue and form</h2>",
        _paragraphs(state_lines(profile)),
        _load_figures(profile),
        "<h2>Heart rate, predicted and measured</h2>",
        _heart(profile),
        "<h2>What is identified, and what is borrowed</h2>",
        "<p>An interval holds 95 % of what the history leaves possible. Identified: at most half "
        "as wide as in the population; borrowed: hardly narrower than there. The bar shows the "
        "interval beside the estimate.</p>",
        _estimates(profile.estimates),
        _list(profile.summary.borrowed),
        "<h2>Habits and plans</h2>",
        _weekdays(profile),
        "<p>Plans that a service may push, in points: "
        + ", ".join(f"{plan:g}" for plan in profile.individual.plans_trimp)
        + ".</p>",
    ]
    return chart_page(f"Profile of {name}", _STYLE, parts)


def _read(profile: Profile) -> list[str]:
    """Return what was read: as understood by the readers, where they tell."""
    understood = [f"{what}: {how}." for what, how in profile.summary.understood]
    own = reading_lines(profile, left_out=not understood)
    return own + understood


def _tiles(profile: Profile) -> str:
    def tile(name: str, digits: int) -> tuple[str, str]:
        one = profile.estimate(name)
        return (
            f"{one.value:.{digits}f}",
            f"{one.low:.{digits}f} to {one.high:.{digits}f} {one.unit}, {one.verdict}",
        )

    load = training_load(profile.points)
    balance = float(load.chronic[-1] - load.acute[-1])
    entries = [
        ("VDOT today", *tile("vdot", 1)),
        ("Resting heart rate", *tile("resting_heart_rate", 0)),
        ("Maximum heart rate", *tile("maximum_heart_rate", 0)),
        ("Form (TSB)", f"{balance:+.1f}", "CTL less ATL, points a day"),
        ("Acute:chronic ratio", f"{load.ratio[-1]:.2f}", "7 days over 28"),
    ]
    return (
        '<dl class="tiles">'
        + "".join(
            f"<div><dt>{label}</dt><dd>{value}<small>{html.escape(note)}</small></dd></div>"
            for label, value, note in entries
        )
        + "</dl>"
    )


def _load_figures(profile: Profile) -> str:
    load = training_load(profile.points)
    course = replay(profile.start, profile.points)
    shown = slice(max(len(profile.points) - _SHOWN_DAYS, 0), None)
    labels = month_labels(profile.dates[shown])

    def line(label: str, colour: str, values: Sequence[float], **more: bool) -> Line:
        return Line(label, colour, np.asarray(values)[shown].tolist(), **more)

    charts = [
        (
            Chart(
                "Daily points, chronic and acute training load and form",
                [
                    line("CTL, 42 days (fitness)", "blue", load.chronic.tolist()),
                    line("ATL, 7 days (fatigue)", "red", load.acute.tolist()),
                    line("TSB (form)", "green", load.balance.tolist(), dashed=True),
                ],
                labels=labels,
                unit="points a day",
                zero=True,
            ),
            "<b>Load under its usual names.</b> CTL and ATL are means of daily points over 42 and "
            "7 days; TSB is what is left of CTL without ATL.",
        ),
        (
            Chart(
                "Acute to chronic workload ratio",
                [line("acute:chronic ratio, 7 over 28 days", "purple", load.ratio.tolist())],
                bands=[(0.8, 1.3, "green"), (1.5, 9.0, "red")],
                labels=labels,
                zero=True,
            ),
            "<b>How suddenly the load rises.</b> Green: 0.8 to 1.3; red: above 1.5. It describes a "
            "rise and is no cause of injury by itself.",
        ),
        (
            Chart(
                "Points of each day and base level",
                [line("base level", "orange", course.base_level[1:].tolist())],
                bars=list(profile.points[shown]),
                labels=labels,
                unit="points",
            ),
            "<b>What was done.</b> Points of each day, and the base level that they keep.",
        ),
        (
            Chart(
                "Performance by the model",
                [line("VDOT by the model", "blue", course.vdot[1:].tolist())],
                labels=labels,
                unit="VDOT",
            ),
            "<b>Performance replayed.</b> What fitness and fatigue of the model make of these "
            "sessions, with the estimates below.",
        ),
    ]
    return (
        '<div class="figures">'
        + "".join(
            f"<figure>{chart.svg()}<figcaption>{text}</figcaption></figure>"
            for chart, text in charts
        )
        + "</div>"
    )


def _heart(profile: Profile) -> str:
    heart = profile.heart
    if heart is None:
        return "<p>No recording with heart rate was read.</p>"
    figures = []
    for one in heart.held_out[-_DRAWN_WORKOUTS:]:
        begun = date(1970, 1, 1) + timedelta(days=int(one.day))
        minutes = len(one.forecast_bpm) / 2.0
        every = max(10 * round(minutes / 50.0), 10)
        chart = Chart(
            f"Heart rate of the workout of {begun}",
            [
                Line("measured", "red", one.measured_bpm, width=1.6),
                Line("with the personal correction", "blue", one.forecast_bpm),
                Line("predictor alone", "grey", one.alone_bpm, dashed=True),
            ],
            labels=[(2.0 * m, f"{m} min") for m in range(0, int(minutes), every)],
            unit="bpm",
        )
        figures.append(
            f"<figure>{chart.svg()}<figcaption><b>{begun}</b>, after {one.earlier} earlier "
            f"workouts: off by {one.error_bpm:.1f} bpm, {one.error_alone_bpm:.1f} without the "
            "correction.</figcaption></figure>"
        )
    return _paragraphs(heart_lines(profile)) + f'<div class="figures">{"".join(figures)}</div>'


def _estimates(estimates: Sequence[ProfileEstimate]) -> str:
    rows = []
    for one in estimates:
        value, interval, verdict, source = estimate_cells(one)
        # The scale reaches as far beyond the interval as the verdict says it might.
        margin = {"identified": 2.0, "partly identified": 0.6, "given": 2.0}.get(verdict, 0.15)
        span = margin * (one.high - one.low)
        bar = interval_bar(one.low, one.value, one.high, one.low - span, one.high + span)
        rows.append(
            f"<tr><th scope='row'>{html.escape(one.label)}</th><td>{html.escape(value)}</td>"
            f"<td>{html.escape(interval)}{bar}</td>"
            f'<td class="verdict {verdict.split()[0]}">{verdict}</td>'
            f'<td class="source">{html.escape(source)}</td></tr>'
        )
    return (
        '<div class="scroll"><table class="estimates"><thead><tr><th>what</th><th>estimate</th>'
        "<th>95 % interval</th><th>verdict</th><th>from</th></tr></thead><tbody>"
        + "".join(rows)
        + "</tbody></table></div>"
    )


def _weekdays(profile: Profile) -> str:
    rows = "".join(
        f"<tr><th scope='row'>{one.weekday}</th><td>{one.trained} of {one.days}</td>"
        f"<td>{100.0 * one.probability:.0f} %</td><td>{one.median_trimp:.0f}</td></tr>"
        for one in profile.weekdays
    )
    return (
        '<div class="scroll"><table><thead><tr><th>day</th><th>trained</th><th>probability</th>'
        f"<th>usual points</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def month_labels(days: Sequence[date]) -> list[tuple[float, str]]:
    """Return place and name of the months that begin among days; of short ranges, of some days."""
    if len(days) < 50:
        step = max(len(days) // 4, 1)
        return [(float(i), f"{days[i]:%d %b}") for i in range(step // 2, len(days), step)]
    firsts = [(float(i), f"{day:%b}") for i, day in enumerate(days) if day.day == 1]
    step = max(1, round(len(firsts) / 7))
    return [label for label in firsts[::step] if 4 <= label[0] <= len(days) - 4]


def _paragraphs(lines: Sequence[str]) -> str:
    return "".join(f"<p>{html.escape(line)}</p>" for line in lines)


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in lines) + "</ul>"
