"""What the README and the documents name exists, and their commands and Python blocks work."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from datetime import date
from pathlib import Path

import gymnasium as gym
import pytest

from fitgym.cli.command import COMMANDS
from fitgym.logs import Workout
from fitgym.people.individual import load_individual
from fitgym.virtual.season import simulate_history
from fitgym_agents.cli import COMMANDS as AGENTS
from fitgym_benchmarks.cli import COMMANDS as BENCHMARKS

ROOT = Path(__file__).parents[1]
EVERY = {**COMMANDS, **AGENTS, **BENCHMARKS}
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PAGES}

LINKS = [
    (page, target)
    for page, text in TEXTS.items()
    for target in re.findall(r"\]\(([^)\s]+)\)", text)
    if not target.startswith("https://")
]
SPANS = [(page, span) for page, text in TEXTS.items() for span in re.findall(r"`([^`\n]+)`", text)]
# Lines of indented and fenced blocks.
LINES = [
    (page, line.strip())
    for page, text in TEXTS.items()
    for line in re.findall(r"^(?: {4,})?(fitgym .*)$", text, flags=re.M)
]


def python_blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", TEXTS[page], flags=re.S | re.M)


BLOCKS = [
    (page, number, block)
    for page in ("README.md", "docs/predictor.md")
    for number, block in enumerate(python_blocks(page))
]
# Pages whose blocks other tests run.
RUN_ELSEWHERE = {
    "docs/custom-agents.md": "tests/benchmarks/test_tutorial.py",
    "docs/online.md": "tests/agents/online/test_document.py",
    "docs/recipes.md": "tests/test_recipes.py",
    "docs/sweeps.md": "tests/benchmarks/test_sweeps_document.py",
    **{f"docs/{name}.md": "tests/test_site.py" for name in ("index", "faq")},
    **{page: "tests/test_site.py" for page in TEXTS if page.startswith("docs/tutorials/")},
}
# All others, whose blocks may build on those before them.
FROM_THE_TOP = [
    page
    for page in TEXTS
    if python_blocks(page)
    and page not in RUN_ELSEWHERE
    and page not in {page for page, *_ in BLOCKS}
]
# The changelog names what is past, entry-point groups are called as modules might be, and these
# files are a reader's own.
PRESENT = [(page, span) for page, span in SPANS if page != "CHANGELOG.md"]
GROUPS = {"fitgym.agents", "fitgym.commands"}
READERS_OWN = ("results/", "my_agents.py", ".venv/")

FILES = [
    f"/{path.relative_to(ROOT).as_posix()}"
    for folder in ("fitgym", "agents", "benchmarks", "docs", "examples", "scripts", "tests", ".ci")
    for path in (ROOT / folder, *(ROOT / folder).rglob("*"))
]
PATHS = [
    (page, span)
    for page, span in PRESENT
    if re.fullmatch(r"([\w.-]+/)+([\w.-]+)?|\w+\.py", span)
    and span not in gym.registry
    and not span.startswith(READERS_OWN)
]
NAMES = [
    (page, re.match(r"[\w.]+", span)[0])
    for page, span in PRESENT
    if re.match(r"fitgym(_\w+)?\.\w", span) and span not in GROUPS
]
SENTENCES = [(page, span) for page, span in SPANS if re.match("fitgym [^-]", span)]


def heading_names(text: str) -> set[str]:
    """Return the names that headings have in links, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, flags=re.M)
    kept = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.strip().replace(" ", "-") for heading in kept}


@pytest.mark.parametrize(("page", "target"), LINKS)
def test_relative_links_lead_somewhere(page, target) -> None:
    file, _, heading = target.partition("#")
    path = (ROOT / page).parent / file if file else ROOT / page
    assert path.exists()
    if heading:
        assert heading in heading_names(path.read_text(encoding="utf-8"))


def test_files_that_are_named_exist() -> None:
    assert PATHS
    missing = [
        (page, path)
        for page, path in PATHS
        if not any(file.endswith(f"/{path.rstrip('/')}") for file in FILES)
    ]
    assert missing == []


@pytest.mark.parametrize(("page", "name"), NAMES)
def test_modules_and_what_is_in_them_can_be_imported(page, name) -> None:
    first, *parts = name.split(".")
    found = importlib.import_module(first)
    for number, part in enumerate(parts, start=1):
        if not hasattr(found, part):
            importlib.import_module(".".join([first, *parts[:number]]))
        found = getattr(found, part)


@pytest.mark.parametrize(("page", "line"), LINES)
def test_command_lines_parse(page, line, capsys) -> None:
    _, name, *words = shlex.split(line, comments=True)
    parser = argparse.ArgumentParser()
    importlib.import_module(EVERY[name].module).add_arguments(parser)
    try:
        parser.parse_args(words)
    except SystemExit as end:
        assert end.code == 0, capsys.readouterr().err


@pytest.mark.parametrize(("page", "span"), SENTENCES)
def test_commands_named_in_a_sentence_exist(page, span) -> None:
    words = re.match(r"fitgym (COMMAND|[a-z-]+(?: \| [a-z-]+)*)", span)
    assert words is not None
    assert set(words[1].split(" | ")) <= {*EVERY, "COMMAND"}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Change to a folder with the files that blocks take for granted."""
    monkeypatch.chdir(tmp_path)
    # What `fitgym calibrate` leaves.
    person = Path("results/calibration/marathon/individual.json")
    person.parent.mkdir(parents=True)
    load_individual("marathon-runner").to_file(person)
    # A reader's own log.
    Path("runs.csv").write_text("Date,Distance (km),Time\n2026-01-05,8.2,41:10\n", "utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def workouts() -> dict[str, Workout]:
    """Return a workout and the one before it, by the names that blocks call them."""
    season = simulate_history(
        load_individual("club-runner"), days=14, seed=1, start=date(2026, 1, 1), race_every=0
    )
    *_, last, workout = season.history.workouts
    return {"last_workout": last, "workout": workout}


def test_tests_that_run_blocks_of_pages_exist() -> None:
    assert all((ROOT / test).exists() and page in TEXTS for page, test in RUN_ELSEWHERE.items())


@pytest.mark.parametrize(("page", "number", "block"), BLOCKS)
def test_python_blocks_run_on_their_own(page, number, block, folder) -> None:
    exec(compile(block, f"{page}, Python block {number}", "exec"), {})


@pytest.mark.parametrize("page", FROM_THE_TOP)
def test_python_blocks_run_from_the_top(page, folder, workouts) -> None:
    names = dict(workouts)
    for number, block in enumerate(python_blocks(page)):
        exec(compile(block, f"{page}, Python block {number}", "exec"), names)
