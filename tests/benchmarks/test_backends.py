"""The same runs give the same rows on every backend, and what dies loses nothing finished."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sweeps import Idle, rows_of, timeless_rows
from test_parallel import is_alive, wait_until

from fitgym.cli.main import main
from fitgym_benchmarks.backends.backend import Backend, cores_of, do_run, is_installed
from fitgym_benchmarks.backends.local import Local
from fitgym_benchmarks.backends.ray import Ray
from fitgym_benchmarks.backends.slurm import Slurm, SlurmTask
from fitgym_benchmarks.cli.backends import add_backend_arguments, backend_of, backend_words
from fitgym_benchmarks.results import execute
from fitgym_benchmarks.runs import Run
from fitgym_benchmarks.store import ResultStore
from fitgym_benchmarks.sweep import run_all

needs_submitit = pytest.mark.skipif(not is_installed("submitit"), reason="needs submitit")
needs_ray = pytest.mark.skipif(not is_installed("ray"), reason="needs ray")

ENVIRONMENT = "fitgym/Acquisition-v1"


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_backend_arguments(parser)
    return parser.parse_args(words)


def test_options_name_a_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fitgym_benchmarks.cli.backends.is_installed", lambda name: True)
    assert backend_of(parsed()) == Local(2)
    assert backend_of(parsed("--workers", "5")) == Local(5)
    assert backend_of(parsed("--backend", "ray", "--address", "auto")) == Ray(address="auto")
    slurm = parsed("--backend", "slurm", "--partition", "cpu", "--time", "9", "--chunk", "3")
    assert backend_of(slurm) == Slurm(partition="cpu", minutes=9, chunk=3)
    assert backend_words(slurm) == ["--backend", "slurm"]
    assert backend_words(parsed("--workers", "3")) == ["--workers", "3"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--address", "auto"], "--address is of --backend ray, not of local"),
        (["--backend", "ray", "--chunk", "3"], "--chunk is of --backend slurm, not of ray"),
        (["--backend", "slurm", "--time", "0"], "--time must be an integer of at least 1"),
        (["--backend", "ray", "--address", "x", "--workers", "2"], "a cluster .* has its own"),
    ],
)
def test_wrong_options_are_named(monkeypatch: pytest.MonkeyPatch, words, message) -> None:
    monkeypatch.setattr("fitgym_benchmarks.cli.backends.is_installed", lambda name: True)
    with pytest.raises(ValueError, match=message):
        backend_of(parsed(*words))


@pytest.mark.parametrize("command", ["quick", "algorithms", "people"])
@pytest.mark.parametrize("backend", ["slurm", "ray"])
def test_a_missing_package_is_named_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path, capsys, command, backend
) -> None:
    monkeypatch.setattr("fitgym_benchmarks.cli.backends.is_installed", lambda name: False)
    words = ["benchmark", command, "--backend", backend, "--out", str(tmp_path / "out")]
    assert main(words) == 2
    assert f"pip install 'fitgym[{backend}]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_is_no_package(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "slurmish").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert not is_installed("slurmish")
    assert not is_installed("nowhere_to_be_found")
    assert is_installed("numpy")


def test_a_run_that_somebody_is_at_is_waited_for_and_not_done_twice(make_run, tmp_path) -> None:
    from threading import Thread

    from fitgym.common.files import lock_folder

    run = make_run(agent="fixed", configuration={"plan": 1})
    folder = tmp_path / run.key
    with lock_folder(folder):
        late = Thread(target=do_run, args=(run, folder))
        late.start()
        result = execute(run, folder, lambda steps: None)
        written = (folder / "result.json").stat().st_mtime_ns
        assert late.is_alive()
    late.join()
    assert (folder / "result.json").stat().st_mtime_ns == written
    assert result.run == run


def test_a_lost_folder_is_told(make_run, tmp_path) -> None:
    class Elsewhere:
        def do(self, runs, folder):
            yield from runs

    with pytest.raises(RuntimeError, match="on a file system that they share"):
        run_all([make_run(agent="random")], ResultStore(tmp_path), Elsewhere())


def test_runs_that_work_with_several_processes_get_as_many_cores() -> None:
    assert cores_of(Run(agent="coach", environment=ENVIRONMENT)) == 1
    assert cores_of(Run(agent="ppo", environment=ENVIRONMENT, steps=1)) == 1
    a3c = Run(agent="a3c", environment=ENVIRONMENT, steps=1, configuration={"workers": 3})
    assert cores_of(a3c) == 3
    assert cores_of(replace(a3c, configuration={"workers": 0})) == 1


@pytest.fixture(scope="session")
def grid() -> list[Run]:
    """Two seeds of a learner, and references, on what is quick."""
    common: dict[str, Any] = {"environment": ENVIRONMENT, "episodes": 4}
    ppo = Run(agent="ppo", steps=256, configuration={"environments": 8}, **common)
    plans = [Run(agent="fixed", configuration={"plan": plan}, **common) for plan in (1, 2)]
    return [ppo, replace(ppo, seed=1), *plans, Run(agent="random", **common)]


def rows_by(backend: Backend, grid: list[Run], folder: Path) -> list[dict[str, object]]:
    """Return the rows of a grid without what depends on the clock."""
    store = ResultStore(folder)
    run_all(grid, store, backend)
    run_all(grid, store, Idle())
    return timeless_rows(store)


@pytest.fixture(scope="session")
def local_rows(grid: list[Run], tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return rows_by(Local(1), grid, tmp_path_factory.mktemp("local"))


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new processes find the packages and this folder's learners."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))


@needs_submitit
def test_submitit_s_processes_give_the_same_rows(grid, local_rows, importable, tmp_path) -> None:
    assert rows_by(Slurm(chunk=3, cluster="local"), grid, tmp_path) == local_rows


@needs_submitit
def test_a_failed_run_of_a_chunk_is_named_and_the_others_are_kept(
    make_run, importable, tmp_path
) -> None:
    good = make_run(agent="fixed", configuration={"plan": 1})
    bad = make_run(agent="steady_learner:Failing", steps=1)
    store = ResultStore(tmp_path)
    with pytest.raises(RuntimeError, match="Failing in .* failed: no idea"):
        run_all([bad, good], store, Slurm(cluster="local"))
    assert [row["key"] for row in rows_of(store)] == [good.key]


@needs_submitit
def test_a_task_that_comes_to_its_limit_goes_on_in_the_next(make_run, tmp_path) -> None:
    store = ResultStore(tmp_path)
    done = make_run(agent="random")
    halfway = make_run(agent="steady_learner:Counted", configuration={"fail_at": 25}, steps=40)
    runs = {run.key: run for run in (done, halfway)}
    task = SlurmTask(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        task(runs)
    first = store.get(done)
    assert first is not None
    # What submitit puts in the queue, and does there.
    assert task.checkpoint(runs).result() == {}
    results = run_all([done, halfway], store, Idle())
    assert results[0].finished_at == first.finished_at
    training = results[1].training
    assert training is not None
    assert [session["from_timesteps"] for session in training["sessions"]] == [0, 25]


@pytest.mark.parametrize(
    ("learner", "message"), [("Failing", "failed: no idea"), ("Dying", "worker process died")]
)
@needs_ray
def test_a_run_that_fails_in_ray_is_named(make_run, importable, tmp_path, learner, message) -> None:
    bad = make_run(agent=f"steady_learner:{learner}", steps=1)
    store = ResultStore(tmp_path)
    with pytest.raises(RuntimeError, match=message):
        run_all([bad], store, Ray(workers=1))
    assert store.get(bad) is None


@needs_submitit
def test_slurm_is_asked_for_what_the_options_say(
    grid, importable, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, lines in {
        "sbatch": f"cp $1 {tmp_path}/script; echo Submitted batch job 12",
        "srun": "",
        "scancel": f"echo $* >> {tmp_path}/cancelled",
        "sacct": "echo 'JobID|State|NodeList'; echo '12_0|FAILED|a'; echo '12_1|FAILED|a'",
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{lines}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    slurm = Slurm(partition="cpu", minutes=9, chunk=3, workers=1)
    with pytest.raises(RuntimeError, match="job 12_"):
        run_all(grid, ResultStore(tmp_path / "runs"), slurm)
    script = (tmp_path / "script").read_text()
    for line in ("partition=cpu", "time=9", "array=0-1%1", "cpus-per-task=1"):
        assert f"#SBATCH --{line}\n" in script
    assert "12_" in (tmp_path / "cancelled").read_text()


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Two machines of Ray with a core each, simulated on this one, and a head without any."""
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    found.workers = [found.add_node(num_cpus=1) for _ in range(2)]
    yield found
    found.shutdown()


@needs_ray
def test_a_cluster_gives_the_same_rows(grid, local_rows, importable, cluster, tmp_path) -> None:
    assert rows_by(Ray(address=cluster.address), grid, tmp_path) == local_rows


@needs_ray
def test_a_machine_that_dies_loses_nothing(make_run, importable, cluster, tmp_path) -> None:
    from threading import Thread

    (tmp_path / "pids").mkdir()
    waiting = make_run(
        agent="steady_learner:Waiting", configuration={"folder": str(tmp_path)}, steps=2
    )
    plans = [make_run(agent="fixed", configuration={"plan": plan}) for plan in (1, 2, 3)]
    runs = [*plans, waiting, replace(waiting, seed=1)]
    store = ResultStore(tmp_path / "runs")

    written: dict[Path, int] = {}

    def processes() -> list[int]:
        return [int(path.name) for path in (tmp_path / "pids").iterdir()]

    def times() -> dict[Path, int]:
        paths = [store.folder / run.key / "result.json" for run in plans]
        return {path: path.stat().st_mtime_ns for path in paths}

    def die() -> None:
        # Both machines are at a run that waits, and all others have finished.
        wait_until(lambda: len(processes()) == 2)
        written.update(times())
        cluster.remove_node(cluster.workers[0], allow_graceful=False)
        # What the dead one was at is done again, for neither run can end before.
        wait_until(lambda: sum(map(is_alive, processes())) == 1)
        (tmp_path / "go").touch()

    killer = Thread(target=die)
    killer.start()
    results = run_all(runs, store, Ray(address=cluster.address))
    killer.join()
    assert [result.run for result in results] == runs
    assert len(rows_of(store)) == len(runs)
    assert times() == written
