"""An answer as one HTML page that needs no network."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import date

from fitgym.coach.advice import Advice
from fitgym.coach.sessions import pace_of, parts_of, plan_text, title_of
from fitgym.coach.summary import (
    NOT_ADVICE,
    DoneRow,
    candidate_cells,
    done_cells,
    done_heading,
    limits_text,
    outlook_heading,
    race_heading,
    race_rows,
    worth_text,
)
from fitgym.profile.drawing import Chart, Line, chart_page

_STYLE = """
h1 { font-size: clamp(1.5rem, 5vw, 2.1rem); line-height: 1.2; margin: 0.2rem 0 0.4rem; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 2.2rem 0 0.6rem; }
.today { background: var(--raised); border-left: 5px solid var(--green); border-radius: 6px;
  padding: 0.9rem 1.1rem; margin: 1rem 0; }
.today h2 { margin: 0 0 0.3rem; font-size: 1.4rem; }
.today p { margin: 0.3rem 0; }
.steps { list-style: none; padding: 0; margin: 0.6rem 0 0; display: grid; gap: 0.3rem; }
.steps li { display: grid; grid-template-columns: 4.2rem 1fr; gap: 0.6rem; }
.steps b { font-variant-numeric: tabular-nums; }
.figures { display: grid; gap: 1.4rem 2rem; align-items: start; margin-top: 2.2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); }
.weeks { display: grid; gap: 0.4rem; grid-template-columns: repeat(7, minmax(0, 1fr)); }
.weeks div { background: var(--raised); border-radius: 4px; padding: 0.4rem 0.5rem;
  font-size: 0.85rem; line-height: 1.35; min-height: 4.6rem; border-top: 3px solid var(--grid); }
.weeks .plan { border-top-color: var(--blue); }
.weeks .hard { border-top-color: var(--red); }
.weeks .race { border-top-color: var(--green); font-weight: 650; }
.narrow { max-width: 26rem; }
.candidates th { white-space: normal; min-width: 13rem; }
.candidates thead th { min-width: 0; } .candidates .why { white-space: normal; min-width: 9rem; }
.candidates th, .candidates td { padding: 0.35rem 0.45rem; }
.weeks .blank { background: none; border: 0; min-height: 0; padding: 0; }
.weeks b { display: block; font-size: 0.8rem; color: var(--faint); font-weight: 500; }
.scroll { overflow-x: auto; margin: 0.8rem 0; border: 1px solid var(--grid); border-radius: 4px; }
th, td { padding: 0.35rem 0.7rem; text-align: right; font-weight: 400; white-space: nowrap; }
th:first-child, td:first-child, .why { text-align: left; }
thead th { color: var(--faint); border-bottom: 1px solid var(--grid); }
tr.chosen { background: var(--raised); }
tr.chosen > * { font-weight: 650; }
tr.out > * { color: var(--faint); }
@media (max-width: 46rem) {
  .weeks { grid-template-columns: 1fr; } .weeks div { min-height: 0; display: grid;
    grid-template-columns: 6.5rem 1fr; gap: 0 0.6rem; } .weeks .blank { display: none; }
  .candidates thead { display: none; }
  .candidates tr { display: grid; grid-template-columns: 1fr 1fr; padding: 0.5rem 0.7rem; }
  .candidates tbody tr + tr { border-top: 1px solid var(--grid); }
  .candidates tbody tr + tr > * { border-top: 0; }
  .candidates th, .candidates td { display: block; text-align: left; padding: 0.05rem 0;
    white-space: normal; } .candidates td::before { content: attr(data-of) " ";
    color: var(--faint); font-weight: 400; }
  .candidates .why:empty { display: none; } .candidates .why, .candidates th {
    grid-column: 1 / -1; } .candidates th, .candidates .why { min-width: 0; }
  .candidates th { font-weight: 650; }
}
"""


def advice_page(advice: Advice, done: Sequence[DoneRow], notes: Sequence[str]) -> str:
    """Return an answer as a page.

    Args:
        advice: The answer.
        done: Planned against done so far.
        notes: What else is worth saying.
    """
    name = html.escape(advice.name)
    day = f"{date.fromisoformat(advice.date):%A, %d %B %Y}"
    parts = [
        f"<h1>{name}, {day}</h1>",
        f'<p class="faint">{html.escape(" ".join((*notes, NOT_ADVICE)))}</p>',
        _today(advice),
        "<h2>The weeks to come</h2>",
        f"<p>{html.escape(outlook_heading(advice))} Blue marks a plan, red a hard one; the share "
        "is the chance of completing it, and pointing at a day shows its parts. "
        f"{html.escape(limits_text(advice))}</p>",
        _weeks(advice),
        _race(advice),
        "<h2>What every plan of today would bring</h2>",
        f"<p>{html.escape(worth_text(advice))}. VDOT and fatigue, in VDOT, are next morning's; "
        "heart rate is the mean of the session with the range that holds it 95 times in a "
        "hundred.</p>",
        _candidates(advice),
        _figures(advice),
        "<h2>Planned and done</h2>",
        _done(done),
    ]
    return chart_page(f"Plan of {name} for {advice.date}", _STYLE, parts)


def _today(advice: Advice) -> str:
    today = advice.today
    steps = "".join(
        f"<li><b>{step.minutes:.0f} min</b><span>{step.zone} at {pace_of(step.speed_m_s)}, heart "
        f"rate {step.heart_rate:.0f} ({step.heart_rate_low:.0f} to {step.heart_rate_high:.0f})"
        "</span></li>"
        for step in advice.steps
    )
    reasons = "".join(f"<p>{html.escape(reason)}</p>" for reason in advice.reasons)
    listed = f'<ul class="steps">{steps}</ul>' if steps else ""
    number = f'<p class="faint">{plan_text(today.plan, today.trimp).capitalize()}</p>'
    return (
        f'<section class="today"><h2>{title_of(today.trimp, advice.speeds_m_s)}</h2>'
        f"{number if today.plan else ''}{listed}{reasons}</section>"
    )


def _race(advice: Advice) -> str:
    if not advice.race:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td>{time}</td></tr>' for name, time in race_rows(advice)
    )
    return (
        f'<h2>On race day</h2><p>{html.escape(race_heading(advice))}</p><div class="scroll narrow">'
        f"<table><tbody>{rows}</tbody></table></div>"
    )


def _candidates(advice: Advice) -> str:
    heads, rows = candidate_cells(advice)
    lines = []
    for one, cells in zip(advice.candidates, rows, strict=True):
        kind = "chosen" if one.plan == advice.plan else "out" if one.forbidden else ""
        words = title_of(one.trimp, advice.speeds_m_s)
        label = f"{one.plan}: {words}" if one.plan else words
        body = "".join(
            f'<td data-of="{head}">{html.escape(cell)}</td>'
            for head, cell in zip(heads[1:-1], cells[1:-1], strict=True)
        )
        lines.append(
            f'<tr class="{kind}"><th scope="row">{label}</th>{body}'
            f'<td class="why" data-of="">{html.escape(cells[-1])}</td></tr>'
        )
    top = "".join(f"<th>{head}</th>" for head in heads[:-1]) + '<th class="why">why not</th>'
    return (
        '<div class="scroll"><table class="candidates"><thead><tr>'
        f"{top}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _weeks(advice: Advice) -> str:
    outlook = advice.outlook
    cells = ['<div class="blank"></div>'] * date.fromisoformat(outlook[0].date).weekday()
    for day in outlook:
        text = "no plan"
        if not day.free:
            text = "injured" if day.injured else "not free"
        kind = about = ""
        if day.plan:
            kind = "hard" if day.hard else "plan"
            words = title_of(day.trimp, advice.speeds_m_s)
            text = f"{words}, {100 * day.chance:.0f}&nbsp;%"
            parts = parts_of(day.trimp, advice.speeds_m_s)
            about = f' title="{plan_text(day.plan, day.trimp)}: {parts}"'
        cells.append(
            f'<div class="{kind}"{about}><b>{date.fromisoformat(day.date):%a %d %b}</b>'
            f"<span>{text}</span></div>"
        )
    race = date.fromisoformat(advice.race) if advice.race else None
    if race and (race - date.fromisoformat(outlook[-1].date)).days == 1:
        cells.append(f'<div class="race"><b>{race:%a %d %b}</b><span>Race</span></div>')
    return f'<div class="weeks">{"".join(cells)}</div>'


def _figures(advice: Advice) -> str:
    labels = [
        (float(i), f"{date.fromisoformat(day.date):%d %b}")
        for i, day in enumerate(advice.outlook)
        if i % (7 * (1 + len(advice.outlook) // 36)) == 3
    ]
    outlook = advice.outlook
    charts = [
        (
            Chart(
                "Points planned and expected",
                [
                    Line(
                        "expected, habit included",
                        "orange",
                        [day.expected_trimp for day in outlook],
                    ),
                ],
                bars=[day.trimp for day in outlook],
                labels=labels,
                unit="points",
                zero=True,
            ),
            "Bars: what is asked for; line: what is likely to be done.",
        ),
        (
            Chart(
                "Performance to be expected",
                [Line("VDOT next morning", "green", [day.vdot for day in outlook])],
                labels=labels,
                unit="VDOT",
            ),
            "Performance if things go as expected.",
        ),
        (
            Chart(
                "Acute to chronic workload ratio",
                [
                    Line("if all is carried out", "purple", [day.ratio for day in outlook]),
                    Line(
                        "as expected",
                        "grey",
                        [day.expected_ratio for day in outlook],
                        dashed=True,
                    ),
                ],
                bands=[(0.8, 1.3, "green"), (1.5, 9.0, "red")],
                labels=labels,
                zero=True,
            ),
            "Green: 0.8 to 1.3; red: above 1.5. The ratio describes a rise and is no cause of "
            "injury by itself.",
        ),
    ]
    return (
        '<div class="figures">'
        + "".join(
            f"<figure>{chart.svg()}<figcaption>{text}</figcaption></figure>"
            for chart, text in charts
            if len(outlook) > 1
        )
        + "</div>"
    )


def _done(done: Sequence[DoneRow]) -> str:
    if not done:
        return "<p>Nothing has been read since the profile.</p>"
    heads, rows = done_cells(list(done)[-28:])
    top = "".join(f"<th>{head}</th>" for head in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
        for cells in rows
    )
    return (
        f"<p>{html.escape(done_heading(done))}</p>"
        f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody>'
        "</table></div>"
    )
