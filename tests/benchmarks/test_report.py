"""The page stands alone, holds every figure and number, and is made from results only."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fitgym_benchmarks.report import figures
from fitgym_benchmarks.report.report import write_report
from fitgym_benchmarks.report.tables import as_markdown, cells, people_cells, tables

COMMAND = "fitgym benchmark quick --seed 0 --steps 40"
VOID = {"meta", "link", "br", "hr", "img", "input"}
FIGURES = [
    "Fixed plans against learnt policies",
    "Learning curves",
    "Plan by day of the episode",
    "Intensity of every session",
    "Performance in every session",
    "Calibration, acquisition stage",
    "Calibration, retention stage",
]


class Page(HTMLParser):
    """Elements and text of a page; fails where tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    def attributes(self, name: str) -> list[str]:
        return [value for _, attrs in self.elements for key, value in attrs.items() if key == name]


@pytest.fixture(scope="module")
def folder(results, log, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    assert write_report(results, folder, log, COMMAND) == folder / "report.html"
    return folder


@pytest.fixture(scope="module")
def source(folder) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(source) -> Page:
    return Page(source)


def test_page_needs_nothing_from_elsewhere(source, page) -> None:
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed"}
    assert not re.search(r"@import|url\((?!#)", source)
    anchors = [attrs["href"] for tag, attrs in page.elements if tag == "a"]
    # Addresses are for readers to follow, never for the browser to load.
    assert set(re.findall(r"https?://[^\"<\s]+", source)) == {
        anchor for anchor in anchors if anchor.startswith("http")
    }


def test_page_is_for_phones_and_for_the_dark(source, page) -> None:
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in (
        page.elements
    )
    assert "prefers-color-scheme: dark" in source
    # Every colour of a figure is defined in both schemes.
    used = set(re.findall(r"var\(--([a-z]+)\)", source))
    light, dark = re.findall(r":root \{([^}]*--page:.*?)\}", source, re.DOTALL)
    for scheme in (light, dark):
        assert used <= set(re.findall(r"--([a-z]+):", scheme))


def test_every_figure_is_there_with_its_caption(page) -> None:
    count = [tag for tag, _ in page.elements].count("svg")
    # Four of each of two environments, and four of the log.
    assert count == 12
    assert count == [tag for tag, _ in page.elements].count("figcaption")
    labels = page.attributes("aria-label")
    assert set(FIGURES) <= set(labels)


def test_identifiers_are_unique_and_references_lead_somewhere(page, source) -> None:
    identifiers = page.attributes("id")
    assert len(identifiers) == len(set(identifiers))
    references = [ref for name in ("href", "xlink:href") for ref in page.attributes(name)]
    inside = {ref[1:] for ref in references if ref.startswith("#")}
    inside |= set(re.findall(r"url\(#([^)]*)\)", source))
    assert inside <= set(identifiers)


def test_every_number_of_the_tables_is_shown_and_leads_to_its_run(page, results) -> None:
    for table in tables(results):
        for row in table.rows:
            for cell in (*cells(row), *people_cells(row, table)):
                assert cell in page.text
            assert f"#run-{row.result.run.key}" in page.attributes("href")
            assert f"run-{row.result.run.key}" in page.attributes("id")
    assert COMMAND in page.text
    assert results[0].machine in page.text
    assert f"numpy {results[0].versions['numpy']}" in page.text


def test_page_says_what_replay_means(page) -> None:
    text = " ".join(page.text.split())
    assert "contextual bandit" in text
    assert "indeed the same on every day of every episode" in text
    assert "mu = 60" in text


def test_markdown_holds_the_same_tables_and_no_markup(folder, results) -> None:
    markdown = (folder / "report.md").read_text(encoding="utf-8")
    for table in tables(results):
        assert as_markdown(table) in markdown
    for result in results:
        assert f"`{result.run.key}`" in markdown
    assert not re.search(r"<[a-z]|&[a-z#0-9]+;|\{\{|\{%", markdown)


def test_json_holds_the_evaluations_numbers(folder, results) -> None:
    content = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    rows = {
        row["run"]: row
        for environment in content["environments"].values()
        for row in environment["rows"]
    }
    assert len(rows) == len(results)
    for result in results:
        row = rows[result.run.key]
        means = [one.mean for one in (result.evaluation, result.drawn) if one is not None]
        assert row["mean_return"]["mean"] == pytest.approx(max(means))
        assert row["seed"] == result.run.seed
        assert len(row["learning_curve"]) == len(result.curve)


def test_the_same_results_give_the_same_page(folder, results, log, tmp_path) -> None:
    write_report(results, tmp_path, log, COMMAND)
    for name in ("report.html", "report.md", "results.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_every_session_is_a_dot_of_its_own(log) -> None:
    sessions = log.sessions
    figure = figures.session_series(
        sessions.log.dates, sessions.intensity_trimp, log.first_test, "points"
    )
    svg = figures.as_svg(figure, "name", "description")
    dots = re.findall(r"M ([\d.]+ [\d.]+) \nL \1(?![\d.])", svg)
    assert len(dots) == len(sessions.log) == 1127
    assert log.first_test == 901


def test_text_of_a_figure_is_text(log) -> None:
    svg = figures.as_svg(figures.calibration_fit(log.calibrations[0]), "fit", "a fit")
    assert "performance (VDOT)</text>" in svg
    assert svg.startswith('<svg role="img" aria-label="a fit" viewBox="')
