"""Runs are done once, in processes of their own, and survive the death of the one who asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sweeps import timeless_rows

from fitgym_benchmarks.backends.local import Local
from fitgym_benchmarks.store import ResultStore
from fitgym_benchmarks.sweep import run_all

PATIENCE_SECONDS = 60.0


def wait_until(condition) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        # A process that has ended but was not waited for still has an id; its state is Z.
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_results_come_in_order_and_are_not_done_again(make_run, tmp_path, capsys) -> None:
    store = ResultStore(tmp_path)
    fixed = [
        make_run(agent="fitgym_agents.references.simple:FixedPlan", configuration={"plan": plan})
        for plan in (3, 1, 2)
    ]
    results = run_all(fixed[:2], store, Local(2))
    assert [result.evaluation.actions[0, 0] for result in results] == [3, 1]
    assert capsys.readouterr().out.count("returns") == 2
    stored = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*")}

    again = run_all([*fixed, fixed[0]], store, Local(2))
    assert [result.evaluation.actions[0, 0] for result in again] == [3, 1, 2, 3]
    assert again[0].finished_at == results[0].finished_at
    assert capsys.readouterr().out.count("returns") == 1
    assert all(path.stat().st_mtime_ns == written for path, written in stored.items())


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the state of processes")
def test_a_kill_loses_only_the_runs_in_flight_and_leaves_no_process(make_run, tmp_path) -> None:
    (tmp_path / "pids").mkdir()
    waiting = make_run(
        agent="steady_learner:Waiting", configuration={"folder": str(tmp_path)}, steps=2
    )
    runs = [
        make_run(agent="fitgym_agents.references.simple:FixedPlan", configuration={"plan": 1}),
        make_run(agent="steady_learner:Steady", steps=3),
        waiting,
        replace(waiting, seed=1),
    ]
    store = ResultStore(tmp_path / "runs")
    program = (
        "from fitgym_benchmarks.runs import Run\n"
        "from fitgym_benchmarks.store import ResultStore\n"
        "from fitgym_benchmarks.backends.local import Local\n"
        "from fitgym_benchmarks.sweep import run_all\n"
        "if __name__ == '__main__':\n"
        f"    run_all({runs!r}, ResultStore({str(store.folder)!r}), Local(2))\n"
    )
    script = tmp_path / "program.py"
    script.write_text(program, encoding="utf-8")
    # The child finds the packages and this folder's learners where this process finds them.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.Popen([sys.executable, script], env=environment)
    try:
        wait_until(lambda: len(list((tmp_path / "pids").iterdir())) == 2)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    workers = [int(path.name) for path in (tmp_path / "pids").iterdir()]
    wait_until(lambda: not any(map(is_alive, workers)))
    finished = {run.key: store.get(run) for run in runs[:2]}
    assert all(finished.values())
    assert [store.get(run) for run in runs[2:]] == [None, None]

    (tmp_path / "go").touch()
    results = run_all(runs, store, Local(2))
    assert [result.run for result in results] == runs
    assert [result.finished_at for result in results[:2]] == [
        result.finished_at for result in finished.values()
    ]
    # Done again in one go, they give the same rows.
    unbroken = ResultStore(tmp_path / "unbroken")
    run_all(runs, unbroken, Local(1))
    assert timeless_rows(store) == timeless_rows(unbroken)
    assert len(timeless_rows(store)) == 4


@pytest.mark.parametrize(
    ("learner", "message"), [("Failing", "Failing in .* no idea"), ("Dying", "worker process died")]
)
def test_a_run_that_fails_is_named_and_the_finished_ones_are_kept(
    make_run, tmp_path, learner, message
) -> None:
    store = ResultStore(tmp_path)
    good = make_run(agent="fitgym_agents.references.simple:FixedPlan", configuration={"plan": 1})
    bad = make_run(agent=f"steady_learner:{learner}", steps=1)
    with pytest.raises(RuntimeError, match=message):
        run_all([good, bad], store, Local(1))
    assert store.get(good) is not None
    assert store.get(bad) is None
