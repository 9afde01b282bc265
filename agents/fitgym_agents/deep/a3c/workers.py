"""Learners that share their weights: in processes of their own, or taking turns in this one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Any, Protocol

import torch
from torch.multiprocessing.spawn import ProcessContext, ProcessException, start_processes

from fitgym_agents.agent import LearningError

__all__ = ["Counts", "Ledger", "Worker", "run_in_processes", "run_in_turns"]

# How often the parent looks whether the workers live, and tells how far they are.
_POLL_SECONDS = 0.2

# Workers told to stop finish their window first, which takes a fraction of a second. Those that
# are still starting need not be waited for.
_STOP_SECONDS = 5.0

# glibc gives freed memory back to the system whenever some of it lies at the end of the heap, and
# whether a window's tensors do is luck. Where they do, every window fetches them anew page by
# page, a fifth of its time. Workers keep up to 1 GiB, in blocks of up to 32 MiB, the most there
# can be; both have to be set, and other C libraries do not look.
_MALLOC = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**25)}


@dataclass(frozen=True)
class Counts:
    """What all workers of a ledger have done together.

    Attributes:
        timesteps: Environment steps learnt from.
        seasons: Seasons finished.
        returns: Sum of their returns.
    """

    timesteps: int
    seasons: int
    returns: float


class Ledger:
    """Counts in shared memory, by which workers agree on who does what and when to end."""

    def __init__(self, timesteps: int, goal: int, *, processes: bool) -> None:
        """Open a ledger.

        Args:
            timesteps: Environment steps learnt from before.
            goal: Those at which to end.
            processes: Whether other processes are to use it.
        """
        self.goal = goal
        # Steps claimed, steps done, seasons, sum of returns, whether to stop. Doubles count
        # exactly up to 2^53.
        self._counts = torch.tensor([timesteps, timesteps, 0, 0, 0], dtype=torch.float64)
        self._lock: Any = threading.Lock()
        if processes:
            self._counts.share_memory_()  # type: ignore[no-untyped-call]
            self._lock = multiprocessing.get_context("spawn").Lock()

    def claim(self, timesteps: int) -> int | None:
        """Take some steps upon oneself.

        Returns:
            Steps that were claimed by all before, or None if nothing is left to do.
        """
        with self._lock:
            claimed, *_, stopped = self._counts.tolist()
            if claimed >= self.goal or stopped:
                return None
            self._counts[0] += timesteps
        return int(claimed)

    def finish(self, timesteps: int, returns: Sequence[float]) -> None:
        """Note that steps claimed before are done, and the returns of seasons that ended."""
        done = torch.tensor([timesteps, len(returns), sum(returns)], dtype=torch.float64)
        with self._lock:
            self._counts[1:4] += done

    def stop(self) -> None:
        """Let nobody claim anything any more."""
        self._counts[4] = 1.0

    def read(self) -> Counts:
        """Return what is done so far."""
        # A worker killed with the lock in its hand keeps it.
        locked = self._lock.acquire(timeout=_POLL_SECONDS)
        try:
            _, timesteps, seasons, returns, _ = self._counts.tolist()
        finally:
            if locked:
                self._lock.release()
        return Counts(int(timesteps), int(seasons), returns)


class Worker(Protocol):
    """Somebody who learns a window of days at a time."""

    def advance(self) -> bool:
        """Claim a window, learn from it, and return whether there was one left to claim."""


def run_in_turns(make: Callable[[int], Worker], count: int, watch: Callable[[], None]) -> None:
    """Let workers learn one after the other in this process, always in the same order.

    Args:
        make: Makes worker number i.
        count: How many workers.
        watch: Called after every window.
    """
    for worker in cycle([make(index) for index in range(count)]):
        if not worker.advance():
            break
        watch()


def run_in_processes(
    make: Callable[[int], Worker], count: int, ledger: Ledger, watch: Callable[[], None]
) -> None:
    """Let workers learn at the same time, each in a process of its own; none is left behind.

    Args:
        make: Makes worker number i in its process; can be pickled.
        count: How many workers.
        ledger: Theirs; it is stopped when this process is interrupted.
        watch: Called several times a second in this process.

    Raises:
        LearningError: If a worker raised an exception, whose traceback it tells, or died.
    """
    processes: ProcessContext | None = None
    try:
        # An interrupt that was held back comes at the end of this block.
        with _interrupts_held_back(), _environment_of_workers():
            processes = start_processes(  # type: ignore[no-untyped-call]
                _work, (make,), nprocs=count, join=False, daemon=True, start_method="spawn"
            )
        assert processes is not None
        while not processes.join(timeout=_POLL_SECONDS):
            watch()
    except ProcessException as error:
        raise LearningError(
            f"a worker process failed, and learning with it: {error} (a script that starts "
            "workers has to do so under if __name__ == '__main__', since they import it, too)"
        ) from None
    finally:
        ledger.stop()
        if processes is not None:
            _end(processes)


def _end(processes: ProcessContext) -> None:
    """Wait for processes that were told to stop, and kill those that do not."""
    deadline = time.monotonic() + _STOP_SECONDS
    for process in processes.processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()


def _work(index: int, make: Callable[[int], Worker]) -> None:
    """Learn until nothing is left, or until the process that started this one is gone."""
    # Ctrl-C reaches the whole process group; the parent then tells when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    parent = multiprocessing.parent_process()
    assert parent is not None
    worker = make(index)
    while parent.is_alive() and worker.advance():
        pass


@contextmanager
def _environment_of_workers() -> Iterator[None]:
    """Let processes started meanwhile keep their memory, unless the user has decided otherwise."""
    if any(name in os.environ for name in _MALLOC):
        yield
        return
    os.environ.update(_MALLOC)
    try:
        yield
    finally:
        for name in _MALLOC:
            del os.environ[name]


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hold back Ctrl-C, from processes started meanwhile until they decide for themselves."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
