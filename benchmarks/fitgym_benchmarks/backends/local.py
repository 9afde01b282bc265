"""Runs on a few processes of this machine, with progress bars."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Generator, Mapping
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from fitgym_benchmarks.backends.backend import DIED, do_run, failure
from fitgym_benchmarks.runs import Run

_REFRESH_SECONDS = 0.2

# Set once in every worker process: where it reports the steps it has trained.
_reports: Any = None


@dataclass(frozen=True)
class Local:
    """Spawned processes of this machine.

    Attributes:
        workers: Number of processes.
    """

    workers: int = 2

    def do(self, runs: Mapping[str, Run], folder: Path) -> Generator[str, None, None]:
        """Do ``runs``; see ``fitgym_benchmarks.backends.backend.Backend``."""
        others = set(multiprocessing.active_children())
        # Forking a process that has loaded torch or numba may hang; spawned workers start clean.
        context = multiprocessing.get_context("spawn")
        reports = context.Queue()
        bars = _TrainingBars(runs)
        executor = ProcessPoolExecutor(
            min(self.workers, len(runs)),
            mp_context=context,
            initializer=_start_worker,
            initargs=(reports,),
        )
        try:
            key_of = {executor.submit(_do, run, folder / key): key for key, run in runs.items()}
            pending = set(key_of)
            while pending:
                done, pending = wait(pending, _REFRESH_SECONDS, return_when=FIRST_COMPLETED)
                bars.read(reports)
                for future in done:
                    # A future keeps its run: let go of, since there may be thousands.
                    key = key_of.pop(future)
                    bars.finish(key)
                    try:
                        future.result()
                    except BrokenProcessPool:
                        raise RuntimeError(DIED) from None
                    except Exception as error:
                        raise failure(runs[key], error) from error
                    yield key
        except BaseException:
            # After a failed run or Ctrl-C nobody waits for the others; they go on another time.
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
            raise
        finally:
            executor.shutdown(wait=False, cancel_futures=True)
            bars.close()


def _start_worker(reports: Any) -> None:
    """Prepare a worker process."""
    global _reports
    _reports = reports
    # Ctrl-C reaches the whole process group; a worker then ends at once and without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    """End this process when its parent is gone; else a killed benchmark would leave orphans."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(run: Run, folder: Path) -> None:
    do_run(run, folder, lambda steps: _reports.put((folder.name, steps)))


class _TrainingBars:
    """A progress bar for every run that is being trained."""

    def __init__(self, runs: Mapping[str, Run]) -> None:
        self._runs = dict(runs)
        self._bars: dict[str, tqdm[Any]] = {}

    def read(self, reports: Any) -> None:
        """Move the bars to where the workers say they are."""
        while True:
            try:
                key, steps = reports.get_nowait()
            except queue.Empty:
                return
            run = self._runs.get(key)
            if run is None:
                continue
            if key not in self._bars:
                self._bars[key] = tqdm(
                    total=run.steps,
                    desc=str(run),
                    unit="step",
                    unit_scale=True,
                    leave=False,
                    disable=None,
                )
            self._bars[key].update(steps - self._bars[key].n)

    def finish(self, key: str) -> None:
        """Remove the bar of a run that has ended."""
        self._runs.pop(key, None)
        if key in self._bars:
            self._bars.pop(key).close()

    def close(self) -> None:
        """Remove all bars."""
        for bar in self._bars.values():
            bar.close()
