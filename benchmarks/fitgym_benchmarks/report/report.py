"""The report: one self-contained page, a Markdown copy and the numbers as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np
from markupsafe import Markup

from fitgym.calibration import (
    MARATHON_BENCHMARKS,
    STAGES,
    Calibration,
    FitSettings,
    Sessions,
    assess_sessions,
    calibrate,
)
from fitgym.common.files import write_text
from fitgym.common.statistics import Interval
from fitgym.logs import load_marathon_log
from fitgym_agents.summary import PEOPLE_COLUMNS, RANKING_NOTE
from fitgym_benchmarks.report import figures
from fitgym_benchmarks.report.findings import Finding, find
from fitgym_benchmarks.report.tables import (
    COLUMNS,
    Row,
    Table,
    as_markdown,
    cells,
    people_cells,
    tables,
)
from fitgym_benchmarks.results import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Log:
    """The log that replay replays, and what was fitted to it.

    Attributes:
        sessions: Intensities and performances.
        calibrations: One per stage.
    """

    sessions: Sessions
    calibrations: tuple[Calibration, ...]

    @property
    def first_test(self) -> int:
        """Index of the first session of the test part."""
        timed = np.flatnonzero(self.sessions.log.timed)
        return int(timed[np.count_nonzero(self.calibrations[0].training)])


@dataclass(frozen=True)
class Panel:
    """A figure of the page.

    Attributes:
        svg: The ``<svg>`` element.
        title: What is shown.
        caption: How to read it.
    """

    svg: Markup
    title: str
    caption: str


def calibrate_log(settings: FitSettings | None = None) -> Log:
    """Return the marathon runner's log and its calibrations.

    Args:
        settings: How to fit; None for the settings that the shipped runner's parameters come from.
    """
    sessions = assess_sessions(load_marathon_log(), MARATHON_BENCHMARKS)
    calibrations = (calibrate(sessions, stage, settings=settings) for stage in STAGES)
    return Log(sessions, tuple(calibrations))


def write_report(
    results: Sequence[Result], folder: str | os.PathLike[str], log: Log, command: str
) -> Path:
    """Write ``report.html``, ``report.md`` and ``results.json`` and return the page's path.

    Everything is computed from ``results`` and ``log``: the same input gives the same files.

    Args:
        results: Finished runs; every environment needs no service, a fixed plan and a learner.
        folder: Where to write.
        log: The log behind the replay environments.
        command: The command that repeats the benchmark.
    """
    folder = Path(folder)
    findings = [find(table) for table in tables(results)]
    templates = page_templates()
    content = {
        "findings": findings,
        "columns": COLUMNS,
        "people_columns": PEOPLE_COLUMNS,
        "ranking_note": RANKING_NOTE,
        "results": results,
        "log": log,
        "command": command,
        "date": max(result.finished_at for result in results)[:10],
        "machines": sorted({result.machine for result in results}),
        "versions": list({str(result.versions): result.versions for result in results}.values()),
    }
    panels = _panels(findings, log, templates.get_template("sentences.j2").module)
    page = templates.get_template("report.html.j2").render(**content, panels=panels)
    write_text(folder / "report.html", page)
    write_text(folder / "report.md", templates.get_template("report.md.j2").render(**content))
    write_text(folder / "results.json", json.dumps(_numbers(findings, command), indent=2) + "\n")
    return folder / "report.html"


def page_templates() -> jinja2.Environment:
    """Return the templates of pages; those of HTML escape what they show."""
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("fitgym_benchmarks", "report/templates"),
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.globals |= {
        "cells": cells,
        "people_cells": people_cells,
        "as_markdown": as_markdown,
    }
    templates.filters |= {
        "number": _number,
        "share": lambda value: f"{100 * value:.1f}%",
        "signed_interval": _signed_interval,
    }
    return templates


def _number(value: float) -> str:
    """Return a number with commas between thousands, and below a thousand with one decimal."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.1f}".removesuffix(".0")


def _signed_interval(interval: Interval) -> str:
    text = f"{interval.mean:+,.1f} (95% interval {interval.low:+,.1f} to {interval.high:+,.1f})"
    # A hyphen in place of a minus would let a line end between sign and number.
    return text.replace("-", "\N{MINUS SIGN}")


def _panels(findings: Sequence[Finding], log: Log, sentences: Any) -> dict[str, list[Panel]]:
    """Return the figures of every environment, by id, and those of the log, as ``"log"``."""
    panels = {finding.table.environment: _environment_panels(finding) for finding in findings}
    dates, split = log.sessions.log.dates, log.first_test
    intensity, performance = log.sessions.intensity_trimp, log.sessions.performance
    panels["log"] = [
        _panel(
            "log-intensity",
            figures.session_series(dates, intensity, split, "intensity (points)"),
            "Intensity of every session",
            "Training load of the runner's log (Fang et al. 2022, figure 6).",
        ),
        _panel(
            "log-performance",
            figures.session_series(dates, performance, split, "performance (VDOT)"),
            "Performance in every session",
            "VDOT of each session's pace (Fang et al. 2022, figure 7). Only races show all that "
            "a runner can do; in easy sessions it is low by intention.",
        ),
        *(
            _panel(
                f"calibration-{calibration.stage}",
                figures.calibration_fit(calibration),
                f"Calibration, {calibration.stage} stage",
                sentences.calibration(calibration),
            )
            for calibration in log.calibrations
        ),
    ]
    return panels


def _environment_panels(finding: Finding) -> list[Panel]:
    table, fixed = finding.table, finding.best_fixed
    palette = figures.palette(table)
    # Those far below would squeeze the others together.
    rivals = [
        row
        for row in table.rows
        if row is not fixed
        and (row.kind == "learnt" or table.ceiling is None or (row.score or 0.0) > 0.8)
    ]
    return [
        _panel(
            f"{finding.slug}-returns",
            figures.returns(table, palette),
            "Fixed plans against learnt policies",
            f"Mean return over {table.rows[0].result.run.episodes} episodes with 95% intervals "
            "(Fang et al. 2022, figure 9). Learnt policies are coloured.",
        ),
        _panel(
            f"{finding.slug}-differences",
            figures.differences(fixed, rivals, palette),
            f"In comparison with {fixed.label}",
            "Difference in return in the same episodes, with 95% intervals; right of the line is "
            "better. Shown are the learnt policies and the references that come close.",
        ),
        _panel(
            f"{finding.slug}-learning",
            figures.learning_curves(table, palette),
            "Learning curves",
            "Mean return of the episodes finished in training, exploration included (Fang et al. "
            "2022, figure 8); the other figures show unseen episodes.",
        ),
        _panel(
            f"{finding.slug}-plans",
            figures.mean_plans(table, palette),
            "Plan by day of the episode",
            "What each learnt policy, and the ceiling, asks for: the mean over episodes.",
        ),
    ]


def _panel(name: str, figure: Figure, title: str, caption: str) -> Panel:
    return Panel(Markup(figures.as_svg(figure, name, title)), title, caption)


def _numbers(findings: Sequence[Finding], command: str) -> dict[str, Any]:
    """Return every number of the tables, with its origin, as plain JSON."""
    return {
        "command": command,
        "environments": {
            finding.table.environment: {
                "best_learnt_less_best_fixed": asdict(finding.difference),
                "rows": [_row_numbers(row, finding.table) for row in finding.table.rows],
            }
            for finding in findings
        },
    }


def _row_numbers(row: Row, table: Table) -> dict[str, Any]:
    result = row.result
    return {
        "run": result.run.key,
        **row.summary.to_dict(table.no_service.summary.evaluations[0]),
        "agent": result.agent,
        "kind": row.kind,
        "score": row.score,
        "training_seconds": result.training_seconds,
        "steps_per_second": result.steps_per_second,
        "steps": result.run.steps,
        "seed": result.run.seed,
        "learning_curve": [
            {"steps": steps, "mean_return": mean_return} for steps, mean_return in result.curve
        ],
        "finished_at": result.finished_at,
        "machine": result.machine,
        "versions": dict(result.versions),
    }
