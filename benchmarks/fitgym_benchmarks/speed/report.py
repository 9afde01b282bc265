"""The report of ``fitgym benchmark speed``: ``speed.md`` for people, ``speed.json``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from fitgym.common.files import write_text
from fitgym.common.provenance import machine, versions
from fitgym.common.tables import markdown_table
from fitgym_benchmarks.speed.speed import Measurements
from fitgym_benchmarks.speed.timing import Comparison


def write_speed_report(measurements: Measurements, out: Path, repeats: int, command: str) -> Path:
    """Write ``speed.md`` and ``speed.json`` and return the path of the first.

    Args:
        measurements: What was found.
        out: Folder of the results.
        repeats: Turns that counted.
        command: What measured it.
    """
    content = {
        "command": command,
        "machine": machine(),
        "versions": versions(),
        "date": str(date.today()),
        "repeats": repeats,
        **{
            part: [vars(comparison) for comparison in comparisons]
            for part, comparisons in vars(measurements).items()
        },
    }
    write_text(out / "speed.json", json.dumps(content, indent=2) + "\n")
    page = out / "speed.md"
    write_text(page, as_markdown(measurements, repeats, command))
    return page


def as_markdown(measurements: Measurements, repeats: int, command: str) -> str:
    """Return the report as Markdown; see ``write_speed_report``."""
    found = ", ".join(f"{package} {number}" for package, number in versions().items())
    lines = [
        "# Speed",
        "",
        f"`{command}`, {date.today()}. {machine()}. {found}.",
        "",
        f"Medians of {repeats} repeats, both sides in turns. The ratio is the median of the "
        "repeats' ratios; above 1 the first side is faster or smaller. Times hold for this machine "
        "on that day; ratios carry further.",
    ]
    if measurements.environments:
        lines += _section(
            "Environments",
            "Time per step of one environment, resets included, unless the name says otherwise.",
            ("time", "yardstick's time"),
            _duration,
            measurements.environments,
        )
    if measurements.memory:
        lines += _section(
            "Memory",
            "Peak bytes that each environment beyond the first takes over making, reset and an "
            "episode; of a sweep, those of the process that drives it. Measured once.",
            ("bytes", "yardstick's bytes"),
            lambda size: f"{size:,.0f}",
            measurements.memory,
        )
    if measurements.training:
        lines += _section(
            "Training",
            "Environment steps per second of `learn`, with each agent's default settings and one "
            "torch thread in each process.",
            ("steps/s", "yardstick's steps/s"),
            lambda seconds: f"{1.0 / seconds:,.0f}",
            measurements.training,
        )
    if measurements.runs:
        lines += _section(
            "Runs",
            "Wall time of each further run in a sweep with one worker, less that of its "
            "evaluation; measured once.",
            ("time", "yardstick's time"),
            _duration,
            measurements.runs,
        )
    return "\n".join(lines) + "\n"


def _section(
    title: str,
    note: str,
    columns: tuple[str, str],
    show: Callable[[float], str],
    comparisons: Sequence[Comparison],
) -> list[str]:
    """Return a heading, a note and a table, with targets where there are any."""
    with_targets = any(comparison.target is not None for comparison in comparisons)
    header = ["what", "yardstick", *columns, "ratio", "lowest ratio"]
    rows = [
        [
            c.name,
            c.yardstick,
            show(c.cost),
            show(c.yardstick_cost),
            f"{c.ratio:,.2f}",
            f"{c.lowest_ratio:,.2f}",
        ]
        for c in comparisons
    ]
    if with_targets:
        header += ["target", "met"]
        for row, comparison in zip(rows, comparisons, strict=True):
            row += _target(comparison)
    return ["", f"## {title}", "", note, "", markdown_table(header, rows, left=2)]


def _target(comparison: Comparison) -> list[str]:
    if comparison.target is None:
        return ["", ""]
    return [f">= {comparison.target:g}", "yes" if comparison.met else "no"]


def _duration(seconds: float) -> str:
    """Return seconds in a unit that leaves few digits."""
    if seconds >= 1.0:
        return f"{seconds:,.2f} s"
    return f"{seconds * 1e3:,.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:,.3g} us"
