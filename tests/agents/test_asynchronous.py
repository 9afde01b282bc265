"""Workers in processes: exact counts, failures that are told, and nobody left behind."""

from __future__ import annotations

import multiprocessing
import os
import platform
import signal
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

from fitgym_agents.deep.a3c import workers as asynchronous
from fitgym_agents.deep.a3c.workers import Counts, Ledger, run_in_processes, run_in_turns


@dataclass
class Idler:
    """Claims 10 steps at a time; worker 1 may come to grief when 100 are claimed."""

    ledger: Ledger
    index: int
    fate: str = "none"

    def advance(self) -> bool:
        claimed = self.ledger.claim(10)
        if claimed is None:
            return False
        if claimed >= 100 and self.index == 1:
            if self.fate == "exception":
                raise ArithmeticError("the sum is wrong")
            if self.fate == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.001)
        self.ledger.finish(10, [1.0, 2.0])
        return True


def make(index: int, ledger: Ledger, fate: str = "none") -> Idler:
    return Idler(ledger, index, fate)


def nothing() -> None:
    pass


def test_workers_in_turns_end_at_the_goal() -> None:
    ledger = Ledger(5, 100, processes=False)
    order: list[int] = []

    def make_noting(index: int) -> Idler:
        worker = make(index, ledger)
        advance = worker.advance

        def noting() -> bool:
            order.append(index)
            return advance()

        worker.advance = noting  # type: ignore[method-assign]
        return worker

    run_in_turns(make_noting, 3, nothing)
    # Ten windows of ten steps are the fewest that lead from 5 to 100; the next finds nothing.
    assert ledger.read() == Counts(105, 20, 30.0)
    assert order == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1]


def test_processes_end_at_the_goal_and_are_gone() -> None:
    ledger = Ledger(0, 1995, processes=True)
    run_in_processes(partial(make, ledger=ledger), 2, ledger, nothing)
    assert ledger.read() == Counts(2000, 400, 600.0)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("fate", "message"),
    [("exception", "ArithmeticError: the sum is wrong"), ("killed", "signal SIGKILL")],
)
def test_a_failing_process_is_told_and_takes_the_others_along(fate: str, message: str) -> None:
    ledger = Ledger(0, 10**9, processes=True)
    with pytest.raises(RuntimeError, match=message):
        run_in_processes(partial(make, ledger=ledger, fate=fate), 2, ledger, nothing)
    assert not multiprocessing.active_children()


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_lets_windows_be_finished() -> None:
    ledger = Ledger(0, 10**9, processes=True)

    def interrupt() -> None:
        if ledger.read().timesteps > 200:
            # As the keyboard does: every process of the group gets it.
            for child in multiprocessing.active_children():
                os.kill(child.pid or 0, signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_in_processes(partial(make, ledger=ledger), 2, ledger, interrupt)
    assert not multiprocessing.active_children()
    counts = ledger.read()
    # Everything that was claimed is done.
    assert counts.timesteps == ledger._counts[0].item()
    assert counts.seasons * 5 == counts.timesteps


def test_a_lock_held_by_the_dead_does_not_stop_the_reader() -> None:
    ledger = Ledger(7, 10, processes=True)
    ledger._lock.acquire()
    assert ledger.read().timesteps == 7


@dataclass
class Faulting:
    """Frees and takes again as much as a window's tensors, and notes how many pages it fetched."""

    ledger: Ledger

    def advance(self) -> bool:
        import resource

        if self.ledger.claim(1) is None:
            return False
        faults = []
        for _ in range(101):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            blocks = [np.ones(2**16) for _ in range(32)]
            del blocks
            faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
        self.ledger.finish(1, [float(sum(faults[1:]))])
        return True


def make_faulting(index: int, ledger: Ledger) -> Faulting:
    return Faulting(ledger)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone gives memory back so")
def test_workers_keep_the_memory_that_they_free() -> None:
    before = dict(os.environ)
    ledger = Ledger(0, 1, processes=True)
    run_in_processes(partial(make_faulting, ledger=ledger), 1, ledger, nothing)
    # The blocks have 4,096 pages, which the first round fetches for the hundred after it.
    assert ledger.read().returns < 4096
    assert dict(os.environ) == before


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_while_processes_start_leaves_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    start = asynchronous.start_processes

    def interrupted_start(*arguments: Any, **keywords: Any) -> Any:
        started = start(*arguments, **keywords)
        os.kill(os.getpid(), signal.SIGINT)
        return started

    monkeypatch.setattr(asynchronous, "start_processes", interrupted_start)
    ledger = Ledger(0, 10**9, processes=True)
    with pytest.raises(KeyboardInterrupt):
        run_in_processes(partial(make, ledger=ledger), 2, ledger, nothing)
    assert not multiprocessing.active_children()
