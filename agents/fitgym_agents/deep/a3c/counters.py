"""Step counters in shared memory, by which A3C's workers agree on who does what and when to end."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

# The parent waits no longer for the lock: a worker killed while holding it never releases it.
_LOCK_SECONDS = 0.2


@dataclass(frozen=True)
class Counts:
    """What all workers have done together.

    Attributes:
        timesteps: Environment steps learnt from.
        episodes: Episodes finished.
        returns: Sum of their returns.
        updates: Rollouts learnt from.
        policy_loss: Sum of their policy losses.
        value_loss: Sum of their value losses.
    """

    timesteps: int
    episodes: int
    returns: float
    updates: int
    policy_loss: float
    value_loss: float


class StepCounter:
    """Environment steps that workers have reserved and done, up to a goal.

    Attributes:
        goal: Environment steps at which to end.
    """

    def __init__(self, timesteps: int, goal: int, *, processes: bool) -> None:
        """Start counting.

        Args:
            timesteps: Environment steps learnt from before.
            goal: Those at which to end.
            processes: Whether other processes are to use it.
        """
        self.goal = goal
        # Steps reserved, whether to stop, and the fields of ``Counts``. Doubles count exactly up to
        # 2^53.
        self._counts = torch.tensor([timesteps, 0, timesteps, 0, 0, 0, 0, 0], dtype=torch.float64)
        self._lock: Any = threading.Lock()
        if processes:
            self._counts.share_memory_()  # type: ignore[no-untyped-call]
            self._lock = multiprocessing.get_context("spawn").Lock()

    def reserve(self, timesteps: int) -> int | None:
        """Reserve some steps for the worker that calls.

        Returns:
            Steps that all workers had reserved before, or None if there are none left to do.
        """
        with self._lock:
            reserved, stopped = self._counts[:2].tolist()
            if reserved >= self.goal or stopped:
                return None
            self._counts[0] += timesteps
        return int(reserved)

    def finish(
        self, timesteps: int, returns: Sequence[float], policy_loss: float, value_loss: float
    ) -> None:
        """Count the reserved steps of a rollout as done.

        Args:
            timesteps: How many.
            returns: Of the episodes that ended with them.
            policy_loss: The rollout's.
            value_loss: The rollout's.
        """
        done = [timesteps, len(returns), sum(returns), 1, policy_loss, value_loss]
        with self._lock:
            self._counts[2:] += torch.tensor(done, dtype=torch.float64)

    def stop(self) -> None:
        """Stop all workers: nothing can be reserved from now on."""
        with self._locked_if_free():
            self._counts[1] = 1.0

    def pending(self) -> bool:
        """Return whether steps are reserved that are not done yet."""
        with self._locked_if_free():
            return bool(self._counts[0] != self._counts[2])

    def read(self) -> Counts:
        """Return what is done so far."""
        with self._locked_if_free():
            timesteps, episodes, returns, updates, *losses = self._counts[2:].tolist()
        return Counts(int(timesteps), int(episodes), returns, int(updates), *losses)

    @contextmanager
    def _locked_if_free(self) -> Iterator[None]:
        """Hold the lock, or go on without it where nobody releases it."""
        locked = self._lock.acquire(timeout=_LOCK_SECONDS)
        try:
            yield
        finally:
            if locked:
                self._lock.release()
