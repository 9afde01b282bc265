"""A3C under a limit of cost: prices, dual ascent, and a limit that binds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.testing import assert_allclose

from fitgym_agents.deep.a3c import worker
from fitgym_agents.deep.a3c.algorithm import A3C
from fitgym_agents.deep.a3c.cost_limit import PricedCosts, day_costs, new_weight
from fitgym_agents.deep.a3c.settings import A3CConfiguration
from fitgym_agents.deep.a3c.shared_weights import SharedWeights
from fitgym_agents.deep.normalisation import Normalisation
from fitgym_agents.environments import make_vector_env
from fitgym_agents.evaluation import evaluate
from fitgym_agents.files import load_agent

ENV_ID = "fitgym/Acquisition-v1"
SMALL = {"environments": 4, "memory_size": 8, "hidden_sizes": [8], "steps": 5, "workers": 0}
DAYS = 4


class Temptation(VectorEnv[Any, Any, Any]):
    """Four days, on each of which action 1 earns 1, 2, 3 or 4 and costs 1."""

    metadata: dict[str, Any] = {"autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs
        self.single_observation_space = spaces.Box(0.0, 1.0, (DAYS,))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.single_action_space = spaces.Discrete(2)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.costs: list[float] = []

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        self._day = 0
        self._spent = np.zeros(self.num_envs)
        return self._observe(), {}

    def step(self, actions: Any) -> Any:
        cost = actions.astype(np.float64)
        rewards = cost * (self._day + 1)
        self._spent += cost
        self._day += 1
        ended = np.full(self.num_envs, self._day == DAYS)
        infos: dict[str, Any] = {"cost": cost}
        if ended.all():
            self.costs.append(self._spent.mean())
            self.reset()
            infos = {
                "cost": np.zeros(self.num_envs),
                "final_info": {"cost": cost},
                "_final_info": ended,
            }
        return self._observe(), rewards, ended, np.zeros_like(ended), infos

    def _observe(self) -> Any:
        return np.tile(np.eye(DAYS, dtype=np.float32)[self._day], (self.num_envs, 1))


def test_prices_and_ascent_by_hand() -> None:
    weight = torch.tensor([0.5], dtype=torch.float64)
    env = PricedCosts(Temptation(2), weight, limit=1.0, rate=0.25)
    env.reset()
    earned = [env.step(np.array(plan))[1] for plan in ([1, 0], [1, 1], [0, 1], [1, 1])]
    # Each 1 less half a point of cost; the last day's stands in final_info.
    assert_allclose(earned, [[0.5, 0.0], [1.5, 1.5], [0.0, 2.5], [3.5, 3.5]])
    # Costs of 3 and 3 are 2 above the limit.
    assert weight.item() == pytest.approx(0.5 + 0.25 * 2.0)
    for _ in range(2 * DAYS):
        env.step(np.array([0, 0]))
    assert weight.item() == pytest.approx(0.5)
    for _ in range(4 * DAYS):
        env.step(np.array([0, 0]))
    assert weight.item() == 0.0


def test_costs_of_the_last_day_are_not_those_of_the_reset() -> None:
    env: Any = make_vector_env(ENV_ID, 2, {"days": 20, "adherence": "certain", "cost": True})
    env.reset(seed=0)
    total = np.zeros(2)
    for day in range(20):
        infos = env.step(np.full(2, 1 if day < 15 else 10))[4]
        total += day_costs(infos)
    # The days above the limit are at the end.
    assert (day_costs(infos) > 1.0).all()
    assert (infos["cost"] == 0.0).all()
    assert (total > day_costs(infos)).all()


def trained(
    monkeypatch: pytest.MonkeyPatch, limit: float | None, steps: int
) -> tuple[A3C, list[float]]:
    """Return an agent and the mean costs of the last quarter of its episodes in training."""
    environments: list[Temptation] = []

    def make(env_id: str, count: int, env_kwargs: Any) -> Temptation:
        environments.append(Temptation(count))
        return environments[-1]

    monkeypatch.setattr(worker, "make_vector_env", make)
    settings = A3CConfiguration.from_mapping(
        {
            "environments": 32,
            "workers": 0,
            "memory_size": 8,
            "hidden_sizes": [16],
            "discount": 1.0,
            "cost_limit": limit,
            "cost_rate": 0.02,
        }
    )
    agent = A3C(
        ENV_ID,
        env_kwargs={"days": DAYS},
        settings=settings,
        normalisation=Normalisation(np.zeros(6), np.ones(6), 0.0, 1.0),
    )
    agent.normalisation = Normalisation(np.zeros(DAYS), np.ones(DAYS), 0.0, 1.0)
    agent.mask = torch.tensor([True, True])
    agent.networks.clear()
    agent.networks.update(agent._make_networks(DAYS, 2))
    agent._weights = SharedWeights(agent.networks, settings.optimiser)
    agent.learn(steps)
    return agent, [cost for one in environments for cost in one.costs[-len(one.costs) // 4 :]]


def test_a_limit_binds_and_days_worth_most_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    free, costs = trained(monkeypatch, None, 40_000)
    assert np.mean(costs) > 3.8
    assert free.cost_weight == 0.0
    limited, costs = trained(monkeypatch, 2.0, 150_000)
    assert np.mean(costs) == pytest.approx(2.0, abs=0.2)
    # Two days of the four are bought where a unit of cost is worth 2 to 3.
    assert 1.7 < limited.cost_weight < 3.3
    _, costs = trained(monkeypatch, 5.0, 40_000)
    assert np.mean(costs) > 3.8


def test_the_weight_is_saved_and_learnt_on(tmp_path: Path) -> None:
    agent = A3C.create(
        ENV_ID,
        env_kwargs={"days": 20},
        configuration={**SMALL, "cost_limit": 0.0, "cost_rate": 1.0},
    )
    agent.learn(4 * 20 * 4)
    assert agent.cost_weight > 0.0
    agent.save(tmp_path)
    loaded: Any = load_agent(tmp_path)
    assert loaded.cost_weight == agent.cost_weight
    loaded.learn(4 * 20 * 4)
    assert loaded.cost_weight > agent.cost_weight


def test_an_environment_that_cannot_tell_the_cost_is_refused() -> None:
    env_id = "own_environments:Reticent-v0"
    with pytest.raises(ValueError, match=f"takes cost=True, got '{env_id}'.*argument 'cost'"):
        A3C.create(env_id, configuration={**SMALL, "cost_limit": 1.0})


def test_a_limit_is_kept_in_turns_and_in_processes() -> None:
    env_id = "own_environments:Tempting-v0"
    settings = {**SMALL, "environments": 16, "discount": 1.0, "cost_rate": 0.02}

    def learnt(workers: int, limit: float | None) -> tuple[float, float]:
        """Return what an episode costs on average, and the weight."""
        chosen = {**settings, "workers": workers, "cost_limit": limit}
        agent = A3C.create(env_id, configuration=chosen).learn(20_000)
        found = evaluate(agent, env_id, episodes=200, deterministic=False)
        return float(np.count_nonzero(found.actions, axis=1).mean()), agent.cost_weight

    cost, weight = learnt(0, None)
    assert cost > 3.8
    assert weight == 0.0
    for workers in (0, 2):
        cost, weight = learnt(workers, 2.0)
        assert cost < 3.0
        assert weight > 1.0


def test_agents_without_a_limit_hold_no_weight() -> None:
    assert "cost_weight" not in A3C.create(ENV_ID, configuration=SMALL).tensors()
    assert new_weight().item() == 0.0


@pytest.mark.parametrize("limit", [-1.0, float("nan"), float("inf")])
def test_wrong_limits_are_refused(limit: float) -> None:
    with pytest.raises(ValueError, match="cost_limit"):
        A3CConfiguration(cost_limit=limit)
