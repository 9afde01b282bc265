"""Runs as tasks of Ray, on this machine or on a cluster."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fitgym_benchmarks.backends.backend import DIED, do_run, failure
from fitgym_benchmarks.runs import Run

# How often a run is done again whose process or machine died.
_RETRIES = 3


@dataclass(frozen=True, kw_only=True)
class Ray:
    """Tasks of one core each; Ray gives those of a machine that dies to another one.

    Attributes:
        address: Of a cluster, as ``ray.init`` takes it; None starts Ray on this machine.
        workers: Cores that Ray is to use of this machine, None for all; a cluster has its own.
    """

    address: str | None = None
    workers: int | None = None

    def do(self, runs: Mapping[str, Run], folder: Path) -> Generator[str, None, None]:
        """Do ``runs``; see ``fitgym_benchmarks.backends.backend.Backend``."""
        # Nothing about a run is sent to Ray's makers unless its user says so.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray

        # Without an address Ray would join whatever runs on this machine already.
        ray.init(address=self.address or "local", num_cpus=self.workers, log_to_driver=False)
        try:
            task = ray.remote(num_cpus=1, max_retries=_RETRIES)(do_run)
            key_of = {task.remote(run, folder / key): key for key, run in runs.items()}
            while key_of:
                (done,), _ = ray.wait(list(key_of))
                key = key_of.pop(done)
                try:
                    ray.get(done)
                except ray.exceptions.RayTaskError as error:
                    raise failure(runs[key], error.cause) from error
                except ray.exceptions.RayError as error:
                    raise RuntimeError(f"{DIED} ({type(error).__name__})") from error
                yield key
        finally:
            ray.shutdown()
