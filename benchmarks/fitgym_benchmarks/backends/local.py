"""Many runs on a few processes, with progress bars; a run that is finished is never done again."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from tqdm import tqdm

from fitgym_benchmarks.runs import Result, Run, execute, summary_of
from fitgym_benchmarks.store import ResultStore

_REFRESH_SECONDS = 0.2

# tqdm's way to say: no bars unless standard error is a terminal. In a file the lines that finished
# runs leave are progress enough.
_NO_BARS = None

# Set once in every worker process: where it reports the steps it has trained.
_reports: Any = None


def run_all(runs: Sequence[Run], store: ResultStore, *, workers: int) -> list[Result]:
    """Return the results of ``runs``, in their order, doing those that ``store`` lacks.

    Every result is stored as soon as it is there, and every training is saved as it goes on, so
    that stopping this process, by whatever means, loses half a minute of work.

    Args:
        runs: What to do, longest first where the order is free, so that no worker idles at the
            end.
        store: Where results are looked up and kept.
        workers: Number of processes.

    Raises:
        RuntimeError: If a run fails or a worker process dies; the finished runs are kept.
    """
    found = {run.key: store.get(run) for run in runs}
    results = {key: result for key, result in found.items() if result is not None}
    missing = {run.key: run for run in runs if run.key not in results}
    if missing:
        with tqdm(
            total=len(found), initial=len(results), desc="runs", unit="run", disable=_NO_BARS
        ) as overall:

            def finish(result: Result) -> None:
                results[result.run.key] = result
                overall.update()

            _run_missing(missing, store, min(workers, len(missing)), finish)
    return [results[run.key] for run in runs]


def _run_missing(
    runs: Mapping[str, Run], store: ResultStore, workers: int, finish: Callable[[Result], None]
) -> None:
    """Do ``runs`` and call ``finish`` with each result as it comes."""
    others = set(multiprocessing.active_children())
    # Forking a process that has loaded torch or numba may hang; spawned workers start clean.
    context = multiprocessing.get_context("spawn")
    reports = context.Queue()
    bars = _TrainingBars(runs)
    executor = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_start_worker, initargs=(reports,)
    )
    try:
        run_of = {executor.submit(_do, run, store): run for run in runs.values()}
        pending = set(run_of)
        while pending:
            done, pending = wait(pending, _REFRESH_SECONDS, return_when=FIRST_COMPLETED)
            bars.read(reports)
            for future in done:
                result = _result_of(future, run_of[future])
                bars.finish(result)
                finish(result)
    except BaseException:
        # After a failed run or Ctrl-C nobody waits for the others; they go on another time.
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        raise
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        bars.close()


def _result_of(future: Future[Result], run: Run) -> Result:
    try:
        return future.result()
    except BrokenProcessPool:
        raise RuntimeError(
            "a worker process died (killed, or out of memory); the finished runs are kept, so "
            "start the same command again to go on"
        ) from None
    except Exception as error:
        raise RuntimeError(f"the run {run} failed: {error}") from error


def _start_worker(reports: Any) -> None:
    """Prepare a worker process."""
    global _reports
    _reports = reports
    # Ctrl-C reaches the whole process group; a worker then ends at once and without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    # Each worker is to keep to one core: more threads would only fight for those of the others.
    # torch, which is loaded with the first learner, reads this.
    os.environ["OMP_NUM_THREADS"] = "1"


def _exit_with_parent() -> None:
    """End this process when its parent is gone; else a killed benchmark would leave orphans."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(run: Run, store: ResultStore) -> Result:
    key = run.key
    result = execute(run, store.agent_folder(run), lambda steps: _reports.put((key, steps)))
    store.put(result)
    return result


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
                    disable=_NO_BARS,
                )
            self._bars[key].update(steps - self._bars[key].n)

    def finish(self, result: Result) -> None:
        """Remove the bar of a finished run and leave a line in its place."""
        key = result.run.key
        self._runs.pop(key, None)
        if key in self._bars:
            self._bars.pop(key).close()
        one = summary_of(result)
        tqdm.write(f"{result.run.environment}: {one.label} returns {one.mean_return.mean:,.0f}")

    def close(self) -> None:
        """Remove all bars."""
        for bar in self._bars.values():
            bar.close()
