"""The paper's page stands alone, holds every number, and works in a browser and on a phone."""

from __future__ import annotations

import csv
import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from made_up import made_up

from fitgym_benchmarks.paper import algorithm_exhibits, beyond, sensitivity
from fitgym_benchmarks.paper.answer import answer
from fitgym_benchmarks.paper.budgets import BUDGETS
from fitgym_benchmarks.paper.grid import PLACES
from fitgym_benchmarks.paper.log_exhibits import figure_6, figure_7, table_1, table_2
from fitgym_benchmarks.paper.page import write_paper
from fitgym_benchmarks.paper.sensitivity import figures_10_and_11

DOCS = Path(__file__).parents[2] / "docs"
COMMAND = "fitgym benchmark paper --budget quick"
CHROMIUM = shutil.which("chromium")

# Loads a page at a phone's width and tells what happened.
_HARNESS = """<!doctype html><meta charset="utf-8"><body><script>
const frame = document.createElement("iframe");
frame.style.cssText = "border:0;width:390px;height:844px";
frame.srcdoc = PAGE;
frame.addEventListener("load", () => {
  const view = frame.contentWindow, page = frame.contentDocument;
  const first = page.querySelector("#table-1-paces");
  const column = () => [...first.tBodies[0].rows].map((row) => row.cells[2].textContent);
  const folded = [...page.querySelectorAll("details.fold")].filter((one) => !one.open).length;
  const before = column();
  first.querySelectorAll("thead button")[2].click();
  const up = column();
  first.querySelectorAll("thead button")[2].click();
  const claims = page.querySelector("#claims");
  claims.querySelector("thead button").click();
  const numbers = [...claims.tBodies[0].rows].map((row) => row.cells[0].textContent);
  view.dispatchEvent(new view.Event("beforeprint"));
  const unprinted = [...page.querySelectorAll("details.fold")].filter((one) => !one.open).length;
  frame.style.width = "700px";
  view.dispatchEvent(new view.Event("resize"));
  const scrolls = [...page.querySelectorAll(".scroll")];
  const stops = scrolls.map((one) => [one.scrollWidth > one.clientWidth, one.tabIndex === 0]);
  frame.style.width = "390px";
  const told = {
    errors: view.errors,
    requests: view.performance.getEntriesByType("resource").map((one) => one.name),
    width: page.documentElement.scrollWidth,
    figures: [...page.querySelectorAll("figure svg")].map((s) => s.getBoundingClientRect().height),
    stops, folded, unprinted, numbers, before, up, down: column(),
  };
  const pre = document.createElement("pre");
  pre.textContent = JSON.stringify(told);
  document.body.append(pre);
});
document.body.append(frame);
</script>"""
_CATCH = (
    "<script>window.errors = []; addEventListener('error', (e) => errors.push(String(e.message)), "
    "true);</script>"
)


@pytest.fixture(scope="module")
def exhibits(log, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(algorithm_exhibits, "_costs", lambda results: (10, 20, 30.0))
        patch.setattr(sensitivity, "PLACES", (PLACES[0], PLACES[4]))
        found = made_up()
        made = [
            table_1(log),
            table_2(log),
            algorithm_exhibits.table_3({"A3C": 1}),
            algorithm_exhibits.table_4(),
            algorithm_exhibits.table_5(found),
            figure_6(log),
            figure_7(log),
            algorithm_exhibits.figure_8(found),
            algorithm_exhibits.figure_9(found),
            *figures_10_and_11(found, BUDGETS["quick"]),
            beyond.adherence(found),
            beyond.scaling(found),
            beyond.motivation(found),
            beyond.observations(found),
            beyond.activities(found),
        ]
    return found, made


@pytest.fixture(scope="module")
def folder(exhibits, tmp_path_factory) -> Path:
    found, made = exhibits
    out = tmp_path_factory.mktemp("paper")
    results = [result for group in found.results.values() for result in group]
    page = write_paper(answer(found, made), made, results, out, "quick", COMMAND)
    assert page == out / "report.html"
    return out


def test_the_page_asks_for_nothing(folder) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<(?:link|img|iframe)|src=|@import|url\((?!#)|fetch\(", page)
    assert set(re.findall(r"https?://[^\"<\s]+", page)) == {"https://arxiv.org/abs/2204.00961"}
    used = set(re.findall(r"var\(--([a-z]+)\)", page))
    light, dark = re.findall(r":root \{([^}]*--page:.*?)\}", page, re.DOTALL)
    for scheme in (light, dark):
        assert used <= set(re.findall(r"--([a-z]+):", scheme))


def test_a_quick_page_says_that_it_means_nothing_and_no_other_does(
    folder, exhibits, tmp_path
) -> None:
    found, made = exhibits
    results = [result for group in found.results.values() for result in group]
    write_paper(answer(found, made), made, results, tmp_path, "standard", COMMAND)
    for name in ("report.html", "paper.md"):
        assert "mean nothing" in (folder / name).read_text(encoding="utf-8")
        assert "mean nothing" not in (tmp_path / name).read_text(encoding="utf-8")


def test_every_cell_stands_on_the_page_and_in_its_file(folder, exhibits) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    text = html.unescape(page)
    for exhibit in exhibits[1]:
        assert f'id="{exhibit.slug}"' in page
        for claim in exhibit.claims:
            assert claim.found in text
            assert claim.rule in text
        for table in exhibit.tables:
            with (folder / "tables" / f"{table.name}.csv").open(encoding="utf-8") as file:
                head, *rows = csv.reader(file)
            assert head[: len(table.columns)] == list(table.columns)
            assert [tuple(row[: len(table.columns)]) for row in rows] == list(table.rows)
            for number, row in enumerate(table.rows):
                assert all(cell in text for cell in row)
                for key in table.keys(number):
                    assert key in rows[number][-1].split()
                    assert key in page
        for drawing in exhibit.drawings:
            assert (folder / "figures" / f"{drawing.name}.svg").stat().st_size > 1000


def test_identifiers_are_unique_and_the_paper_s_numbers_are_in_order(folder, exhibits) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    found = re.findall(r' id="([^"]*)"', page)
    assert [name for name in found if found.count(name) > 1] == []
    numbers = [exhibit.number for exhibit in exhibits[1]]
    assert len(numbers) == len(set(numbers))
    assert numbers[:5] == [f"Table {number}" for number in (1, 2, 3, 4, 5)]


def test_the_same_results_give_the_same_files(log, tmp_path) -> None:
    found = made_up()
    results = [result for group in found.results.values() for result in group]
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        made = [table_2(log), beyond.observations(found)]
        write_paper(answer(found, made), made, results, folder, "quick", COMMAND)
    files = {path.relative_to(first) for path in first.rglob("*") if path.is_file()}
    assert len(files) == 11
    for name in files:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_browser_shows_it_at_a_phone_s_width(folder, exhibits, tmp_path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    page = page.replace("<head>", f"<head>{_CATCH}", 1)
    # What ends a script must not stand in one.
    literal = json.dumps(page).replace("</", "<\\/")
    harness = tmp_path / "harness.html"
    harness.write_text(_HARNESS.replace("PAGE", literal, 1), encoding="utf-8")
    shown = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--virtual-time-budget=20000",
            "--dump-dom",
            harness.as_uri(),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    told = json.loads(html.unescape(re.search(r"<pre>(.*?)</pre>", shown, re.DOTALL)[1]))
    assert told["errors"] == told["requests"] == []
    assert told["width"] <= 390
    drawings = 1 + sum(len(exhibit.drawings) for exhibit in exhibits[1])
    assert len(told["figures"]) == drawings
    assert min(told["figures"]) > 50
    assert told["folded"] == page.count('<details class="fold"')
    assert told["up"] == sorted(told["before"], key=float)
    assert told["down"] == told["up"][::-1]
    assert told["unprinted"] == 0
    # The keyboard stops at tables that scroll, and at no others.
    assert all(scrolls == stop for scrolls, stop in told["stops"])
    assert any(stop for _, stop in told["stops"])
    # Figure 6 stands before figure 10.
    figures = [int(one.split()[1]) for one in told["numbers"] if one.startswith("Figure")]
    assert max(figures) >= 10
    assert figures == sorted(figures)


def test_shares_that_were_found_are_not_found_again(exhibits, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(beyond, "load_pretrained", lambda *_: pytest.fail("loaded again"))
    rows = [["somebody", *["1"] * 9]]
    for place in PLACES[4:]:
        names = [
            name
            for name, environment in beyond.pretrained_agents()
            if environment == place.environment and name.endswith("-population")
        ]
        assert names
        kept = tmp_path / "people" / f"{place.slug}.json"
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps({"agents": names, "rows": rows}), encoding="utf-8")
    exhibit = beyond.unseen_people(exhibits[0], tmp_path)
    assert [table.rows for table in exhibit.tables[2:]] == [(tuple(rows[0]),)] * 2
    # No service has nothing over itself; who learnt has both kinds of actions.
    for table in exhibit.tables[:2]:
        assert table.rows[0][2] == "+0.0 (+0.0 to +0.0)"
        assert [row[4] == "-" for row in table.rows] == [True] * 3 + [False] * 3


def test_the_document_shows_the_verdicts_that_were_found() -> None:
    document = (DOCS / "paper.md").read_text(encoding="utf-8")
    with (DOCS / "paper" / "tables" / "claims.csv").open(encoding="utf-8") as file:
        for row in csv.reader(file):
            assert f"| {' | '.join(row)} |" in document
