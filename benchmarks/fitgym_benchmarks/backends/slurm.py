"""Runs as tasks of a Slurm array job, through submitit."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from fitgym_benchmarks.backends.backend import DIED, cores_of, do_run, failure
from fitgym_benchmarks.runs import Run

_SECONDS_BETWEEN_LOOKS = 2.0


@dataclass(frozen=True, kw_only=True)
class Slurm:
    """An array job with a task for every chunk of runs.

    A task that comes to its time limit is put in the queue again and goes on where it was.

    Attributes:
        partition: Of the cluster; None for its default.
        minutes: Time limit of a task.
        chunk: Runs of a task, one after the other.
        workers: Tasks at once; None for as many as the cluster takes.
        cluster: Submitit's name of what runs the tasks: ``"slurm"``, or ``"local"`` for processes
            of this machine.
    """

    partition: str | None = None
    minutes: int = 240
    chunk: int = 10
    workers: int | None = None
    cluster: str = "slurm"

    def do(self, runs: Mapping[str, Run], folder: Path) -> Generator[str, None, None]:
        """Do ``runs``; see ``fitgym_benchmarks.backends.backend.Backend``."""
        import submitit

        items, tasks = list(runs.items()), ceil(len(runs) / self.chunk)
        # Long runs come first, and no task is to have all of them.
        chunks = [dict(items[number::tasks]) for number in range(tasks)]
        executor = submitit.AutoExecutor(folder / "jobs", cluster=self.cluster)
        executor.update_parameters(
            name="fitgym",
            timeout_min=self.minutes,
            cpus_per_task=max(map(cores_of, runs.values())),
            slurm_array_parallelism=self.workers or tasks,
        )
        if self.partition is not None:
            executor.update_parameters(slurm_partition=self.partition)
        jobs = executor.map_array(SlurmTask(folder), chunks)
        chunk_of = dict(zip(jobs, chunks, strict=True))
        try:
            for job in submitit.helpers.as_completed(jobs, poll_frequency=_SECONDS_BETWEEN_LOOKS):
                try:
                    failed = job.result()
                except Exception as error:
                    raise RuntimeError(f"{DIED}; job {job.job_id}: {error}") from error
                yield from (key for key in chunk_of[job] if key not in failed)
                for key, message in failed.items():
                    raise failure(runs[key], message)
        except BaseException:
            for job in jobs:
                job.cancel()
            raise


@dataclass(frozen=True)
class SlurmTask:
    """What a task does; submitit asks it for a checkpoint before the time is over.

    Attributes:
        folder: Of the store.
    """

    folder: Path

    def __call__(self, runs: Mapping[str, Run]) -> dict[str, str]:
        """Do runs one after the other, and return the errors of those that failed, by key."""
        failed: dict[str, str] = {}
        for key, run in runs.items():
            try:
                do_run(run, self.folder / key)
            except Exception as error:
                failed[key] = str(error)
        return failed

    def checkpoint(self, runs: Mapping[str, Run]) -> Any:
        """Return what to do in the next task: the same, since what is done is on disk."""
        import submitit

        return submitit.helpers.DelayedSubmission(self, runs)
