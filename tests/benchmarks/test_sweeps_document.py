"""What docs/sweeps.md asks of a database works, and so does its backend."""

from __future__ import annotations

import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sweeps import Idle

from fitgym_benchmarks.results import execute
from fitgym_benchmarks.rows import RunRow
from fitgym_benchmarks.runs import Run
from fitgym_benchmarks.store import ResultStore
from fitgym_benchmarks.sweep import run_all

TEXT = (Path(__file__).parents[2] / "docs" / "sweeps.md").read_text(encoding="utf-8")
QUERIES = [shlex.split(line)[-1] for line in re.findall(r"^    (sqlite3 .*)$", TEXT, flags=re.M)]
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, flags=re.S | re.M)


@pytest.fixture
def here(make_run, tmp_path, monkeypatch) -> ResultStore:
    """The results that the page speaks of, in the working directory."""
    monkeypatch.chdir(tmp_path)
    store = ResultStore("results/algorithms/runs")
    # The page's learner by name; a training of a few steps is as good as any.
    dqn = make_run(agent="dqn", configuration={"network": "mlp"}, steps=10)
    runs: list[Run] = [make_run(agent="random"), dqn]
    for run in runs:
        execute(run, store.folder / run.key, lambda steps: None)
    run_all(runs, store, Idle())
    return store


def test_queries_work(here) -> None:
    with closing(sqlite3.connect(here.folder / "runs.sqlite")) as connection:
        by_agent, by_network, best = (connection.execute(query).fetchall() for query in QUERIES)
    assert len(by_agent) == 2
    assert [(name, network) for name, network, *_ in by_network] == [("DQN", "mlp")]
    ((folder, seed, seconds),) = best
    assert (here.folder / folder / "result.json").exists()
    assert seed == 0
    assert seconds >= 0.0


def test_python_blocks_run(here, capsys) -> None:
    pytest.importorskip("pandas")
    reading, backend = BLOCKS
    exec(compile(reading, "docs/sweeps.md", "exec"), {})
    assert "random" in capsys.readouterr().out
    exec(compile(backend, "docs/sweeps.md", "exec"), {})
    assert capsys.readouterr().out.count("fixed plan") >= 1
    assert len(list(Path("results/mine").glob("*/result.json"))) == 2


def test_the_page_s_folder_is_what_a_sweep_leaves(here) -> None:
    for name in ("evaluation.npz", "drawn.npz", "result.json", "agent/"):
        assert name in TEXT
        assert list(here.folder.glob(f"*/{name}"))
    assert f"`{RunRow.__module__}.RunRow`" in TEXT
