"""A finished run is a folder and a row, neither is lost, and what is damaged is named."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from sweeps import Idle, rows_of

from fitgym_agents.evaluation import Evaluation
from fitgym_agents.files import load_agent
from fitgym_benchmarks import database
from fitgym_benchmarks.backends.local import Local
from fitgym_benchmarks.results import execute, summary_of
from fitgym_benchmarks.rows import RunRow
from fitgym_benchmarks.runs import Run
from fitgym_benchmarks.speed.timing import peak_bytes
from fitgym_benchmarks.store import ResultStore
from fitgym_benchmarks.sweep import run_all


def fill(store: ResultStore, *runs: Run) -> None:
    for run in runs:
        execute(run, store.folder / run.key, lambda steps: None)


@pytest.fixture
def fixed(make_run) -> Run:
    return make_run(agent="fixed", configuration={"plan": 2})


def test_a_result_comes_back_as_it_was(make_run, tmp_path) -> None:
    store = ResultStore(tmp_path)
    for run in (make_run(agent="random"), make_run(agent="steady_learner:Steady", steps=4)):
        assert store.get(run) is None
        result = execute(run, tmp_path / run.key, lambda steps: None)
        found = store.get(run)
        for field in fields(result):
            assert getattr(found, field.name) == getattr(result, field.name)
        for one, other in ((result.evaluation, found.evaluation), (result.drawn, found.drawn)):
            for field in fields(Evaluation) if one else ():
                np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))
        assert (found.drawn is not None) == (run.steps > 0)
    assert load_agent(store.agent_folder(run)).plan == 2


def test_a_run_that_has_not_finished_is_not_found(fixed, tmp_path) -> None:
    store = ResultStore(tmp_path)
    fill(store, fixed)
    # What a run leaves that was killed while it wrote: everything but the last file.
    (tmp_path / fixed.key / "result.json").unlink()
    assert store.get(fixed) is None


@pytest.mark.parametrize("name", ["result.json", "evaluation.npz"])
@pytest.mark.parametrize("content", [b"", b"{}", b"PK\x03\x04 nonsense"])
def test_a_damaged_result_is_named(fixed, tmp_path, name, content) -> None:
    store = ResultStore(tmp_path)
    fill(store, fixed)
    (tmp_path / fixed.key / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{fixed.key} is damaged .* remove the folder"):
        _ = store.get(fixed).evaluation
    with pytest.raises(ValueError, match=f"{fixed.key} is damaged"):
        run_all([fixed], store, Idle())


def test_a_row_holds_the_numbers_of_its_evaluations(make_run, tmp_path) -> None:
    store = ResultStore(tmp_path)
    run = make_run(agent="steady_learner:Steady", steps=4, seed=3)
    fill(store, run)
    (result,) = run_all([run], store, Idle())
    (row,) = rows_of(store)
    likeliest, drawn = result.evaluation, result.drawn
    assert drawn is not None
    better = max((likeliest, drawn), key=lambda one: one.rewards.sum())
    assert list(row) == [field.name for field in fields(RunRow)]
    assert (row["key"], row["folder"]) == (run.key, run.key)
    assert (row["agent"], row["name"]) == ("steady_learner:Steady", "steady")
    assert (row["steps"], row["timesteps"], row["seed"], row["episodes"]) == (4, 4, 3, 5)
    assert row["individual"] == "marathon-runner"
    assert row["evaluation_kwargs"] == '{"days": 6, "log_part": "test"}'
    assert row["mean_return"] == pytest.approx(better.rewards.sum() / 5)
    assert row["likeliest_return"] == pytest.approx(likeliest.rewards.sum() / 5)
    assert row["drawn_return"] == pytest.approx(drawn.rewards.sum() / 5)
    assert row["completion_rate"] == pytest.approx(better.met.sum() / (better.actions > 0).sum())
    assert row["weekly_load"] == pytest.approx(7 * better.done_trimp.mean())
    assert row["finished_at"] == result.finished_at
    # No scores ship for windows of six days.
    assert row["share"] is None


def test_the_share_is_that_of_the_scores_that_ship(tmp_path) -> None:
    store = ResultStore(tmp_path)
    plain = Run(agent="fixed", environment="fitgym/Retention-v1", configuration={"plan": 0})
    fill(store, plain)
    run_all([plain], store, Idle())
    (row,) = rows_of(store)
    assert row["share"] == pytest.approx(0.0, abs=0.02)


def test_folders_of_a_store_without_a_database_are_taken_over(fixed, make_run, tmp_path) -> None:
    store = ResultStore(tmp_path)
    other = make_run(agent="random")
    fill(store, fixed, other)
    assert not (tmp_path / "runs.sqlite").exists()
    results = run_all([other, fixed], store, Idle())
    assert [result.run for result in results] == [other, fixed]
    assert {row["key"] for row in rows_of(store)} == {fixed.key, other.key}
    # A folder that is removed takes its row with it, and the run is done again.
    shutil.rmtree(tmp_path / other.key)
    run_all([fixed], store, Idle())
    assert [row["key"] for row in rows_of(store)] == [fixed.key]
    run_all([other], store, Local(1))
    assert len(rows_of(store)) == 2


@pytest.mark.parametrize("damage", ["no database", "torn"])
def test_a_damaged_database_is_named_and_made_anew(fixed, tmp_path, damage) -> None:
    store = ResultStore(tmp_path)
    fill(store, fixed)
    run_all([fixed], store, Idle())
    before, path = rows_of(store), tmp_path / "runs.sqlite"
    content = path.read_bytes()
    half = len(content) // 2
    torn = content[:half] + b"\xff" * (len(content) - half)
    path.write_bytes(b"nonsense" * 1000 if damage == "no database" else torn)
    with pytest.raises(ValueError, match=r"runs\.sqlite is damaged .*: remove it"):
        run_all([fixed], store, Idle())
    for file in tmp_path.glob("runs.sqlite*"):
        file.unlink()
    run_all([fixed], store, Idle())
    assert rows_of(store) == before


def test_a_database_of_another_version_is_refused(fixed, tmp_path) -> None:
    store = ResultStore(tmp_path)
    fill(store, fixed)
    run_all([fixed], store, Idle())
    with closing(sqlite3.connect(tmp_path / "runs.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 7")
    with pytest.raises(ValueError, match="has version 7 .* writes 1: remove the file"):
        run_all([fixed], store, Idle())


def test_a_database_that_somebody_locks_is_named(fixed, tmp_path, monkeypatch) -> None:
    store = ResultStore(tmp_path)
    fill(store, fixed)
    run_all([fixed], store, Idle())
    (tmp_path / fixed.key).rename(tmp_path / "moved")
    monkeypatch.setattr(database, "_PATIENCE_SECONDS", 0.01)
    with closing(sqlite3.connect(tmp_path / "runs.sqlite", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(OSError, match=r"runs\.sqlite cannot be written: database is locked"):
            run_all([fixed], store, Idle())


def test_a_second_driver_is_refused(fixed, tmp_path) -> None:
    store = ResultStore(tmp_path)
    with store.writing(), pytest.raises(BlockingIOError, match="is in use: another process"):
        run_all([fixed], ResultStore(Path(tmp_path)), Idle())


def test_rows_are_read_while_a_driver_writes(fixed, tmp_path) -> None:
    store = ResultStore(tmp_path)
    fill(store, fixed)
    with store.writing():
        assert len(rows_of(store)) == 1


def test_a_sweep_holds_no_episodes(make_run, tmp_path) -> None:
    runs = [make_run(agent="random", seed=seed, episodes=400) for seed in range(9)]

    def peak(count: int) -> int:
        store = ResultStore(tmp_path / str(count))
        fill(store, *runs[:count])
        # Of each seed its outcomes are held, as every table of seeds needs them.
        return peak_bytes(lambda: summary_of(*run_all(runs[:count], store, Idle())))

    # What is made once, such as compiled code, belongs to no run.
    peak(2)
    further = (peak(9) - peak(1)) / 8
    evaluation = ResultStore(tmp_path / "1").get(runs[0]).evaluation
    days = sum(np.asarray(getattr(evaluation, one.name)).nbytes for one in fields(Evaluation))
    outcomes = 7 * 8 * 400
    assert outcomes < further < 2 * outcomes < days / 2
