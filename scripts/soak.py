"""Step environments many times with random and stubborn actions, and check every number.

    python scripts/soak.py --steps 100000000

All registered ids take equal shares, with every shipped individual and the population. Every
observation must lie in its space, every reward be finite, and every episode end when it should.
Prints a Markdown row per id.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np

import fitgym  # noqa: F401
from fitgym.common.tables import markdown_table
from fitgym.people.individual import shipped_individuals

ENVIRONMENTS = 1024
# Where a log is replayed, an individual must have one.
_LOGGED = ("marathon-runner", "logged-runner")


def main() -> None:
    """Run and print the table; ends with an error at the first number that is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=100_000_000, help="in all")
    options = parser.parse_args()
    ids = sorted(name for name in gym.registry if name.startswith("fitgym/"))
    cases = [(name, person) for name in ids for person in people(name)]
    days = -(-options.steps // (ENVIRONMENTS * len(cases)))
    rows = []
    for name in ids:
        own = [person for other, person in cases if other == name]
        began = time.monotonic()
        steps = sum(soak(name, person, days) for person in own)
        rows.append((f"`{name}`", str(len(own)), f"{steps:,}", f"{time.monotonic() - began:.0f} s"))
        print(f"{name}: {steps:,} steps", flush=True)
    print(markdown_table(("id", "people", "steps", "time"), rows))


def people(name: str) -> Iterator[str]:
    """Yield the individuals that an id can be made with."""
    yield from (_LOGGED if _replays(name) else (*shipped_individuals(), "population"))


def _replays(name: str) -> bool:
    return bool(gym.spec(name).kwargs["adherence"] == "replay")


def soak(name: str, person: str, days: int) -> int:
    """Step an environment and return how many steps were taken.

    Raises:
        AssertionError: If anything is wrong.
    """
    # A replayed log has neither motivation nor heart rate to observe.
    observation = "state" if _replays(name) else "full"
    environments: Any = gym.make_vec(
        name, ENVIRONMENTS, individual=person, observation=observation, autoreset_mode="SameStep"
    )
    space = environments.single_observation_space
    generator = np.random.default_rng(0)
    observations, _ = environments.reset(seed=0)
    length = environments.unwrapped.days
    actions = environments.action_space
    for day in range(days):
        if isinstance(actions, gym.spaces.Box):
            chosen = generator.uniform(-1.0, 1.0, actions.shape)
            chosen[: ENVIRONMENTS // 8] = np.sign(chosen[: ENVIRONMENTS // 8])
        else:
            chosen = generator.integers(11, size=ENVIRONMENTS)
            # Some ask for nothing for ever, some for the hardest, some for that at the end alone.
            chosen[: ENVIRONMENTS // 8] = 0
            chosen[ENVIRONMENTS // 8 : ENVIRONMENTS // 4] = 10
            late = day % length >= length - 3
            chosen[ENVIRONMENTS // 4 : ENVIRONMENTS // 2] = 10 if late else 0
        observations, rewards, ended, truncated, _ = environments.step(chosen)
        assert np.all((observations >= space.low) & (observations <= space.high)), (name, person)
        assert np.isfinite(rewards).all(), (name, person)
        assert not truncated.any(), (name, person)
        assert ended.all() == ended.any() == ((day + 1) % length == 0), (name, person)
    environments.close()
    return days * ENVIRONMENTS


if __name__ == "__main__":
    main()
