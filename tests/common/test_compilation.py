"""What compiling promises: the tricks it plays, and the same numbers without it."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from fitgym.common.compilation import (
    _interpreted,
    compiled,
    compiled_allocating,
    compiled_parallel,
    parallel_range,
)

RECORD = np.dtype([("number", np.float64), ("count", np.int64)])

# Plays episodes of both environments and prints their numbers; what is blocked comes first.
EPISODES = """
import sys
import gymnasium as gym
import numpy as np
import fitgym
for env_id, arguments in {
    "fitgym/Acquisition-v0": {},
    "fitgym/RetentionContinuous-v0": {},
    "fitgym/RetentionReplay-v0": {},
    "fitgym/Retention-v0": {"individual": "population", "observation": "wearable"},
    "fitgym/Acquisition-v0 certain": {"adherence": "certain"},
}.items():
    one = gym.make(env_id.split()[0], days=20, **arguments)
    many = gym.make_vec(env_id.split()[0], 3, days=20, **arguments)
    for environment, steps in ((one, 30), (many, 25)):
        environment.action_space.seed(0)
        observation, _ = environment.reset(seed=5)
        rows = [np.ravel(observation).astype(float)]
        for _ in range(steps):
            observation, reward, ended, *_ = environment.step(environment.action_space.sample())
            rows.append(np.append(observation, reward).astype(float))
            if environment is one and ended:
                rows.append(environment.reset()[0].astype(float))
        print(np.concatenate(rows).tobytes().hex())
print("numba" in sys.modules and sys.modules["numba"] is not None)
"""


def played(before: str = "", **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", before + EPISODES],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_episodes_are_the_same_without_compiling_and_without_numba() -> None:
    *numbers, with_numba = played()
    assert with_numba == "True"
    assert len(numbers) == 10
    assert played(NUMBA_DISABLE_JIT="1")[:-1] == numbers
    assert played("import sys; sys.modules['numba'] = None\n") == [*numbers, "False"]


def _add_up(records: Any, pair: Any, factor: float) -> float:
    total = 0.0
    for i in range(records.size):
        record = records[i]
        record.count += 1
        total += factor * record.number + pair[0][i] + pair[1][i]
    return total


def test_interpreted_functions_read_and_change_records_as_compiled_ones_do() -> None:
    pair = (np.arange(3.0), np.ones(3))
    for make in (compiled, compiled_allocating, compiled_parallel, _interpreted):
        records = np.zeros(3, RECORD)
        records["number"] = (1.0, 2.0, 4.0)
        assert make(_add_up)(records, pair, 2.0) == 20.0
        assert records["count"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("make", [compiled, _interpreted])
def test_division_by_zero_is_infinite_and_integers_wrap_around(make: Any) -> None:
    assert make(lambda a, b: a / b)(np.float64(1.0), np.float64(0.0)) == math.inf
    largest = np.uint64(2**64 - 1)
    assert int(make(lambda a: a * np.uint64(3))(largest)) == 2**64 - 3


def _weighted(pair: Any, i: int) -> float:
    total = 0.0
    for k in range(pair[0].size):
        total += pair[0][k] * pair[1][i]
    return total


def _machine_code(make: Any) -> str:
    """Return what a call that passes a tuple of arrays on is compiled to."""
    inner = make(_weighted)

    def outer(pair: Any) -> float:
        return float(inner(pair, 0) + inner(pair, 1))

    function = make(outer)
    # Cached code cannot be looked at.
    function._cache.disable()
    assert function((np.arange(3.0), np.ones(3))) == 6.0
    (code,) = function.inspect_llvm().values()
    return str(code)


def test_references_to_arrays_are_not_counted() -> None:
    """The private option ``_nrt`` of numba: without it, atomic operations guard every array."""
    assert "atomic" not in _machine_code(compiled)
    assert "atomic" in _machine_code(compiled_allocating)


@compiled_parallel
def _halves(result: Any) -> None:
    for i in parallel_range(result.size):
        result[i] = 0.5 * i


def test_parallel_loops_fill_in_everything() -> None:
    result = np.full(1000, np.nan)
    _halves(result)
    np.testing.assert_array_equal(result, np.arange(1000) / 2.0)
