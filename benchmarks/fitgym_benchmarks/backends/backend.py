"""What all backends share: how they are asked, and how a worker does one run."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from fitgym.common.files import lock_folder
from fitgym_agents.agent import Progress
from fitgym_agents.registry import find_agent
from fitgym_benchmarks.results import execute, is_finished
from fitgym_benchmarks.runs import Run

DIED = (
    "a worker process died (killed, or out of memory); the finished runs are kept, so start the "
    "same command again to go on"
)

_SECONDS_BETWEEN_LOOKS = 1.0


class Backend(Protocol):
    """Does runs somewhere; a closed or failing iteration stops what is under way."""

    def do(self, runs: Mapping[str, Run], folder: Path) -> Generator[str, None, None]:
        """Do ``runs``, each in the sub-folder of its key, and yield the keys as they finish.

        Args:
            runs: What to do, by key.
            folder: Of the store; every worker sees it under the same path.

        Raises:
            RuntimeError: If a run fails or its worker dies; the finished runs are kept.
        """


def is_installed(package: str) -> bool:
    """Return whether a package can be imported."""
    found = find_spec(package)
    # Any folder of that name in the working directory would do otherwise.
    return found is not None and found.origin is not None


def do_run(run: Run, folder: Path, progress: Progress = lambda steps: None) -> None:
    """Do a run in its folder, unless it has been done there.

    Whoever is at it already, as the worker of a driver that was killed, is waited for.

    Args:
        run: What to do.
        folder: Of this run.
        progress: Called now and then with the steps trained so far.
    """
    # Each worker is to keep to one core: more threads would only fight for those of the others.
    # torch, which is loaded with the first learner, reads this.
    os.environ["OMP_NUM_THREADS"] = "1"
    with ExitStack() as stack:
        while not is_finished(folder):
            try:
                stack.enter_context(lock_folder(folder))
                break
            except BlockingIOError:
                time.sleep(_SECONDS_BETWEEN_LOOKS)
        if not is_finished(folder):
            execute(run, folder, progress)


def cores_of(run: Run) -> int:
    """Return how many processes a run works with: A3C trains in several."""
    settings: Any = find_agent(run.agent).settings_class
    if settings is None or not run.steps:
        return 1
    return max(1, getattr(settings.from_mapping(run.configuration), "workers", 1))


def failure(run: Run, error: object) -> RuntimeError:
    """Return what tells that a run failed, and why."""
    return RuntimeError(f"the run {run} failed: {error}")
