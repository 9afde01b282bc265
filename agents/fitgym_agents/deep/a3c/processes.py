"""Running A3C's workers: each in a process of its own, or taking turns in this one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from types import FrameType
from typing import Any, Protocol

import torch
from torch.multiprocessing.spawn import ProcessContext, ProcessException, start_processes

from fitgym_agents.agent import LearningError
from fitgym_agents.deep.a3c.counters import StepCounter

# How often the parent looks whether the workers live, and tells how far they are.
_POLL_SECONDS = 0.2

# Stopped workers finish their rollout, which takes a fraction of a second.
_STOP_SECONDS = 1.0

# glibc gives freed memory at the end of the heap back to the system, and workers whose rollouts
# lie there would fetch it anew page by page; so they keep up to 1 GiB, in blocks of up to 32 MiB.
_MALLOC = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**25)}


class Worker(Protocol):
    """One that learns a rollout at a time."""

    def advance(self) -> bool:
        """Reserve a rollout and learn from it; return whether there was one left to reserve."""


def require_startable() -> None:
    """Check that worker processes can be started from this one.

    Raises:
        LearningError: If this is a daemonic process, which may have no children, or the main
            module was read from standard input, where workers cannot import it.
    """
    if multiprocessing.current_process().daemon:
        raise LearningError(
            "a daemonic process, such as a worker of a pool or of Ray, cannot start worker "
            "processes: give workers=0, for workers that take turns in this process"
        )
    main: Any = sys.modules["__main__"]
    path = getattr(main, "__file__", None)
    # Without a path, as in a notebook or under ``python -c``, workers import no main module.
    if getattr(main, "__spec__", None) is None and path is not None and not os.path.exists(path):
        raise LearningError(
            f"worker processes import the main module, which cannot be read again from {path!r}: "
            "give workers=0, for workers that take turns in this process, or save the script to "
            "a file"
        )


def run_in_turns(make: Callable[[int], Worker], count: int, watch: Callable[[], None]) -> None:
    """Let workers learn one after the other in this process, always in the same order.

    Args:
        make: Makes worker number i.
        count: How many workers.
        watch: Called after every rollout.
    """
    for worker in cycle([make(index) for index in range(count)]):
        if not worker.advance():
            break
        watch()


def run_in_processes(
    make: Callable[[int], Worker], count: int, counter: StepCounter, watch: Callable[[], None]
) -> None:
    """Let workers learn at the same time, each in a process of its own; none is left behind.

    Args:
        make: Makes worker number i in its process; can be pickled.
        count: How many workers.
        counter: Theirs; it is stopped when this process is interrupted.
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
        counter.stop()
        if processes is not None:
            _end(processes, counter)


def _end(processes: ProcessContext, counter: StepCounter) -> None:
    """Let stopped workers finish their rollouts, and end their processes.

    A process takes seconds to start and to exit; one without a rollout has nothing to lose.
    """
    deadline = time.monotonic() + _STOP_SECONDS
    alive = [process for process in processes.processes if process.is_alive()]
    while counter.pending() and time.monotonic() < deadline and any(p.is_alive() for p in alive):
        time.sleep(0.01)
    for process in alive:
        process.kill()
    for process in processes.processes:
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
    caught: list[tuple[int, FrameType | None]] = []
    handler = signal.getsignal(signal.SIGINT)
    handled_here = threading.current_thread() is threading.main_thread()
    # The mask is what started processes inherit; the handler is for interrupts that the system
    # gives to another thread of this process, which Python then handles in the main one.
    if handled_here:
        signal.signal(signal.SIGINT, lambda *arguments: caught.append(arguments))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if handled_here:
            signal.signal(signal.SIGINT, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if caught and callable(handler):
        handler(*caught[0])
