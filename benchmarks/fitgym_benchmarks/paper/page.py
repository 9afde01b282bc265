"""The paper's page, its Markdown copy, tables as CSV and figures as SVG."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from fitgym.common.files import atomic_path, write_text
from fitgym.common.tables import MISSING, markdown_table
from fitgym_benchmarks.paper.answer import Answer
from fitgym_benchmarks.paper.exhibits import Drawing, Exhibit, ResultTable
from fitgym_benchmarks.paper.grid import PLACES
from fitgym_benchmarks.report.figures import as_svg
from fitgym_benchmarks.report.report import page_templates
from fitgym_benchmarks.results import Result

_QUICK = (
    "This is the quick budget, with trainings of a few thousand days: it shows that everything "
    "runs, and its figures and verdicts mean nothing. `--budget standard` is for reading."
)


def write_paper(
    answer: Answer,
    exhibits: Sequence[Exhibit],
    results: Sequence[Result],
    out: Path,
    budget: str,
    command: str,
) -> Path:
    """Write ``report.html``, ``paper.md``, ``tables/`` and ``figures/``; return the page's path.

    Args:
        answer: The first screen.
        exhibits: In the order of the page.
        results: All that they come from.
        out: Folder.
        budget: Name of the budget.
        command: What repeats it.
    """
    if budget == "quick":
        answer = replace(answer, paragraphs=(_QUICK, *answer.paragraphs))
    glance = _at_a_glance(exhibits)
    tables = [
        answer.people,
        answer.returns,
        glance,
        _verdicts(exhibits),
        *(t for exhibit in exhibits for t in exhibit.tables),
    ]
    drawings = [answer.drawing, *(d for exhibit in exhibits for d in exhibit.drawings)]
    for table in tables:
        write_text(out / "tables" / f"{table.name}.csv", _as_csv(table))
    for drawing in drawings:
        _write_svg(drawing, out / "figures" / f"{drawing.name}.svg")
    content: dict[str, Any] = {
        "answer": answer,
        "exhibits": exhibits,
        "glance": glance,
        "svg": {one.name: Markup(as_svg(one.figure, one.name, one.title)) for one in drawings},
        "markdown": _as_markdown,
        "budget": budget,
        "command": command,
        "runs": len({result.folder.name for result in results}),
        "date": max(result.finished_at for result in results)[:10],
        "machines": sorted({result.machine for result in results}),
        "commits": sorted({result.commit for result in results if result.commit}),
        "versions": list({str(result.versions): result.versions for result in results}.values()),
    }
    templates = page_templates()
    page = out / "report.html"
    write_text(page, templates.get_template("paper.html.j2").render(**content))
    write_text(out / "paper.md", templates.get_template("paper.md.j2").render(**content))
    return page


def _at_a_glance(exhibits: Sequence[Exhibit]) -> ResultTable:
    """Return a row per claim and a column per setting."""
    settings = ("elsewhere", *(place.title for place in PLACES))
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for exhibit in exhibits:
        for claim in exhibit.claims:
            where = claim.where if claim.where in settings else "elsewhere"
            rows.setdefault((exhibit.number, claim.text), {})[where] = str(claim.verdict)
    return ResultTable(
        "claims",
        "Every claim by setting",
        ("number", "the paper says", *settings),
        tuple(
            (number, text, *(found.get(setting, MISSING) for setting in settings))
            for (number, text), found in rows.items()
        ),
        words=True,
    )


def _verdicts(exhibits: Sequence[Exhibit]) -> ResultTable:
    """Return a row per claim and setting, with what was found."""
    return ResultTable(
        "verdicts",
        "Verdicts",
        ("number", "where", "the paper says", "verdict", "found"),
        tuple(
            (exhibit.number, claim.where, claim.text, str(claim.verdict), claim.found)
            for exhibit in exhibits
            for claim in exhibit.claims
        ),
        words=True,
    )


def _as_markdown(table: ResultTable) -> str:
    left = len(table.columns) if table.words else 1
    return markdown_table(table.columns, table.rows, left=left)


def _as_csv(table: ResultTable) -> str:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    heads = ("runs",) if table.runs else ()
    writer.writerow((*table.columns, *heads))
    for number, row in enumerate(table.rows):
        writer.writerow((*row, *(" ".join(table.keys(number)) for _ in heads)))
    return lines.getvalue()


def _write_svg(drawing: Drawing, path: Path) -> None:
    import matplotlib

    # The same figure gives the same file; text that stays text takes half the room.
    settings: Any = {"svg.hashsalt": drawing.name, "svg.fonttype": "none"}
    with matplotlib.rc_context(settings), atomic_path(path) as temporary:
        drawing.figure.savefig(temporary, format="svg", metadata={"Date": None})
