"""The planning agents push what the dynamic program of ``fitgym`` finds best."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from fitgym.people.individual import load_individual
from fitgym.planning.belief import belief_policy
from fitgym.planning.dynamic_programming import solve
from fitgym.planning.grid import GridSize
from fitgym.planning.simulation import simulate
from fitgym_agents.evaluation import evaluate, paired_difference
from fitgym_agents.files import load_agent
from fitgym_agents.references.planning import BeliefPolicy, DynamicProgramming
from fitgym_agents.references.simple import FixedPlan

ENV_ID = "fitgym/Acquisition-v0"
DAYS = 20
EPISODES = 60


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: folder)
        yield folder


def score(agent: Any, **env_kwargs: Any) -> Any:
    return evaluate(
        agent, ENV_ID, episodes=EPISODES, seed=7, env_kwargs={"days": DAYS, **env_kwargs}
    )


def test_the_agent_earns_what_the_program_earns() -> None:
    environment: Any = gym.make(f"fitgym:{ENV_ID}", days=DAYS).unwrapped
    program = solve(environment, GridSize().refined(0.4))
    person = environment.task.prepare(environment.individual)
    hidden = score(DynamicProgramming(refinement=0.4))
    seasons = simulate(environment.task, person, program.actions, episodes=EPISODES, seed=7)
    np.testing.assert_array_equal(hidden.actions, seasons.actions.T)
    np.testing.assert_allclose(hidden.returns, seasons.returns)
    # With the motivation in view no more is needed than what is observed, up to older histories.
    seen = score(DynamicProgramming(refinement=0.4), observation="full")
    assert seen.mean == pytest.approx(hidden.mean, rel=0.01)

    believing = score(BeliefPolicy(refinement=0.4))
    policy = belief_policy(environment, program)
    known = simulate(environment.task, person, policy, episodes=EPISODES, seed=7)
    assert (believing.actions == known.actions.T).mean() > 0.95
    for plan in range(11):
        assert paired_difference(believing, score(FixedPlan(plan))).low > 0.0


def test_beliefs_start_anew_with_an_episode() -> None:
    environment: Any = gym.make(f"fitgym:{ENV_ID}", days=DAYS).unwrapped
    agent = BeliefPolicy(refinement=0.4)
    agent.prepare(environment.task, [environment.individual])
    first, _ = environment.reset(seed=0)
    _, state = agent.predict(first[None])
    start = state[1].copy()
    for _ in range(3):
        observation, *_ = environment.step(10)
        _, state = agent.predict(observation[None], state, np.array([False]))
    assert np.abs(state[1] - start).max() > 1e-3
    _, state = agent.predict(first[None], state, np.array([True]))
    np.testing.assert_array_equal(state[1], start)


def test_saved_and_loaded(tmp_path: Path) -> None:
    for agent in (DynamicProgramming(refinement=0.5), BeliefPolicy(refinement=0.5)):
        agent.save(tmp_path)
        assert load_agent(tmp_path).configuration() == {"refinement": 0.5}


def test_errors_are_clear() -> None:
    with pytest.raises(RuntimeError, match="prepare"):
        DynamicProgramming().predict(np.zeros((1, 6), np.float32))
    with pytest.raises(ValueError, match="refinement"):
        BeliefPolicy(refinement=0)
    short: Any = gym.make(f"fitgym:{ENV_ID}", days=3).unwrapped
    people = [load_individual(name) for name in ("recreational-runner", "sedentary-beginner")]
    with pytest.raises(ValueError, match="one person"):
        DynamicProgramming(refinement=0.4).prepare(short.task, people)
    watch: Any = gym.make(f"fitgym:{ENV_ID}", days=3, observation="wearable").unwrapped
    observation, _ = watch.reset(seed=0)
    agent = BeliefPolicy(refinement=0.4)
    agent.prepare(watch.task, [watch.individual])
    with pytest.raises(NotImplementedError, match="wearable"):
        agent.predict(observation[None])
