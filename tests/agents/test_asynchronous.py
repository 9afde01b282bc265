"""Workers in processes: exact counts, failures that are told, and nobody left behind."""

from __future__ import annotations

import multiprocessing
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitgym_agents.deep.a3c import processes
from fitgym_agents.deep.a3c.counters import Counts, StepCounter
from fitgym_agents.deep.a3c.processes import run_in_processes, run_in_turns


@dataclass
class Idler:
    """Reserves 10 steps at a time; worker 1 may come to grief when 100 are reserved."""

    counter: StepCounter
    index: int
    fate: str = "none"

    def advance(self) -> bool:
        reserved = self.counter.reserve(10)
        if reserved is None:
            return False
        if reserved >= 100 and self.index == 1:
            if self.fate == "exception":
                raise ArithmeticError("the sum is wrong")
            if self.fate == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.001)
        self.counter.finish(10, [1.0, 2.0], -0.5, 2.0)
        return True


def make(index: int, counter: StepCounter, fate: str = "none") -> Idler:
    return Idler(counter, index, fate)


def nothing() -> None:
    pass


def test_workers_in_turns_end_at_the_goal() -> None:
    counter = StepCounter(5, 100, processes=False)
    order: list[int] = []

    def make_noting(index: int) -> Idler:
        worker = make(index, counter)
        advance = worker.advance

        def noting() -> bool:
            order.append(index)
            return advance()

        worker.advance = noting  # type: ignore[method-assign]
        return worker

    run_in_turns(make_noting, 3, nothing)
    # Ten rollouts of ten steps are the fewest that lead from 5 to 100; the next finds nothing.
    assert counter.read() == Counts(105, 20, 30.0, 10, -5.0, 20.0)
    assert order == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1]


def test_processes_end_at_the_goal_and_are_gone() -> None:
    counter = StepCounter(0, 1995, processes=True)
    run_in_processes(partial(make, counter=counter), 2, counter, nothing)
    assert counter.read() == Counts(2000, 400, 600.0, 200, -100.0, 400.0)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("fate", "message"),
    [("exception", "ArithmeticError: the sum is wrong"), ("killed", "signal SIGKILL")],
)
def test_a_failing_process_is_told_and_takes_the_others_along(fate: str, message: str) -> None:
    counter = StepCounter(0, 10**9, processes=True)
    with pytest.raises(RuntimeError, match=message):
        run_in_processes(partial(make, counter=counter, fate=fate), 2, counter, nothing)
    assert not multiprocessing.active_children()


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_lets_windows_be_finished() -> None:
    counter = StepCounter(0, 10**9, processes=True)

    def interrupt() -> None:
        if counter.read().timesteps > 200:
            # As the keyboard does: every process of the group gets it.
            for child in multiprocessing.active_children():
                os.kill(child.pid or 0, signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_in_processes(partial(make, counter=counter), 2, counter, interrupt)
    assert not multiprocessing.active_children()
    counts = counter.read()
    # Everything that was reserved is done.
    assert counts.timesteps == counter._counts[0].item()
    assert counts.episodes * 5 == counts.timesteps


def test_a_lock_held_by_the_dead_does_not_stop_the_reader() -> None:
    counter = StepCounter(7, 10, processes=True)
    counter._lock.acquire()
    assert counter.read().timesteps == 7


@dataclass
class Faulting:
    """Frees and takes again as much as a rollout's tensors, and notes how many pages it fetched."""

    counter: StepCounter

    def advance(self) -> bool:
        import resource

        if self.counter.reserve(1) is None:
            return False
        faults = []
        for _ in range(101):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            blocks = [np.ones(2**16) for _ in range(32)]
            del blocks
            faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
        self.counter.finish(1, [float(sum(faults[1:]))], 0.0, 0.0)
        return True


def make_faulting(index: int, counter: StepCounter) -> Faulting:
    return Faulting(counter)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone gives memory back so")
def test_workers_keep_the_memory_that_they_free() -> None:
    before = dict(os.environ)
    counter = StepCounter(0, 1, processes=True)
    run_in_processes(partial(make_faulting, counter=counter), 1, counter, nothing)
    # The blocks have 4,096 pages, which the first round fetches for the hundred after it.
    assert counter.read().returns < 4096
    assert dict(os.environ) == before


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("threads", [0, 3])
def test_an_interrupt_while_processes_start_leaves_nobody(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    """The system may give the interrupt to any thread of the process."""
    start = processes.start_processes
    over = threading.Event()
    for _ in range(threads):
        threading.Thread(target=over.wait, daemon=True).start()

    def interrupted_start(*arguments: Any, **keywords: Any) -> Any:
        started = start(*arguments, **keywords)
        os.kill(os.getpid(), signal.SIGINT)
        # Long enough for another thread to get it.
        time.sleep(0.05)
        return started

    monkeypatch.setattr(processes, "start_processes", interrupted_start)
    counter = StepCounter(0, 10**9, processes=True)
    with pytest.raises(KeyboardInterrupt):
        run_in_processes(partial(make, counter=counter), 2, counter, nothing)
    over.set()
    assert not multiprocessing.active_children()


@dataclass
class Starting:
    """Takes a minute to start, as where much is to be imported or compiled."""

    counter: StepCounter

    def advance(self) -> bool:
        return False


def make_slowly(index: int, counter: StepCounter) -> Starting:
    time.sleep(60.0)
    return Starting(counter)


@dataclass
class Stuck:
    """Reserves a rollout that takes a minute."""

    counter: StepCounter

    def advance(self) -> bool:
        if self.counter.reserve(10) is None:
            return False
        time.sleep(60.0)
        return True


def make_stuck(index: int, counter: StepCounter) -> Stuck:
    return Stuck(counter)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("make_worker", "seconds"),
    # Those that have reserved nothing are not waited for, and the others a second.
    [(make_slowly, 0.9), (make_stuck, 3.0)],
    ids=["starting", "in a long rollout"],
)
def test_stopping_takes_about_a_second(make_worker: Any, seconds: float) -> None:
    counter = StepCounter(0, 10**9, processes=True)
    stopped: list[float] = []

    def interrupt() -> None:
        if make_worker is make_slowly or counter.pending():
            stopped.append(time.monotonic())
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run_in_processes(partial(make_worker, counter=counter), 2, counter, interrupt)
    assert time.monotonic() - stopped[0] < seconds
    assert not multiprocessing.active_children()


SCRIPT = """
from fitgym_agents.registry import find_agent

def learn():
    agent = find_agent("a3c").create(
        "fitgym/Acquisition-v0",
        env_kwargs={"days": 4},
        configuration={"environments": 2, "hidden_sizes": [4], "memory_size": 4, "steps": 4},
    )
    agent.learn(16)
    print("learnt", agent.timesteps)

if __name__ == "__main__":
"""


def answer(*command: str, stdin: str | None = None) -> tuple[int, str]:
    """Run a script by Python; return its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, *command], input=stdin, capture_output=True, text=True, timeout=300
    )
    return done.returncode, done.stdout + done.stderr


def test_a_script_from_standard_input_is_told_what_to_do() -> None:
    code, text = answer("-", stdin=SCRIPT + "    learn()\n")
    assert code == 1
    assert "LearningError: worker processes import the main module" in text
    assert "'<stdin>'" in text
    assert "workers=0" in text
    assert "if __name__" not in text.rpartition("LearningError")[2]


def test_a_command_line_without_a_file_learns() -> None:
    code, text = answer("-c", SCRIPT.replace('if __name__ == "__main__":', "") + "learn()")
    assert (code, "learnt 16" in text) == (0, True), text


def test_a_daemonic_process_is_told_what_to_do(tmp_path: Path) -> None:
    script = tmp_path / "pooled.py"
    script.write_text(
        SCRIPT
        + """    import multiprocessing
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        try:
            pool.apply(learn)
        except RuntimeError as error:
            print("told:", error)
""",
        encoding="utf-8",
    )
    code, text = answer(str(script))
    assert code == 0, text
    assert "told: a daemonic process" in text
    assert "give workers=0" in text
