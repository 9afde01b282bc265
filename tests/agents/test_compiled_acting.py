"""The compiled loops of acting and learning do what torch does step by step, but for rounding."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from torch import Tensor

from fitgym.envs.vector import FitnessFatigueVectorEnv
from fitgym_agents.deep import rollout as rollout_module
from fitgym_agents.deep import unrolling
from fitgym_agents.deep.a3c.algorithm import A3C
from fitgym_agents.deep.a3c.losses import policy_losses
from fitgym_agents.deep.networks import HybridNetwork, entropies
from fitgym_agents.deep.rollout import Collector, Rollout
from fitgym_agents.deep.unrolling import unroll
from fitgym_agents.environments import make_vector_env

ENV_ID = "fitgym/Acquisition-v1"


def rollouts(agent: A3C, arguments: dict[str, Any], steps: int) -> list[Rollout]:
    environments = make_vector_env(ENV_ID, 5, arguments)
    collector = Collector(environments, agent.normalisation, agent.mask, 1, agent._facts)
    return [collector.collect(agent.actor, steps) for _ in range(4)]


# Rollouts of 9 steps end within, with and after episodes of 20.
@pytest.mark.parametrize(
    ("configuration", "arguments"),
    [
        ({}, {}),
        ({"network": "mlp", "activation": "tanh"}, {"observation": "wearable"}),
        ({"network": "lstm"}, {"observation": "full", "forbidden_plans": [2, 10]}),
        ({"activation": "sigmoid"}, {"individual": "population", "observation": "person"}),
        ({"critic": "privileged"}, {"individual": "population"}),
    ],
)
@pytest.mark.parametrize("steps", [9, 20, 50])
def test_compiled_acting_takes_the_steps_of_stepwise_acting(
    configuration: dict[str, Any],
    arguments: dict[str, Any],
    steps: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = {"days": 20, **arguments}
    agent = A3C.create(ENV_ID, seed=0, configuration=configuration, env_kwargs=arguments)
    compiled = rollouts(agent, arguments, steps)
    monkeypatch.setattr(rollout_module, "COMPILES", False)
    stepwise = rollouts(agent, arguments, steps)
    for found, expected in zip(compiled, stepwise, strict=True):
        assert expected.memory is None
        assert found.finished_returns == expected.finished_returns
        for name in ("observations", "critic_observations", "starting", "actions", "rewards"):
            assert torch.equal(getattr(found, name), getattr(expected, name)), name
        assert torch.equal(found.ended, expected.ended)
        if expected.hidden is not None:
            torch.testing.assert_close(found.hidden, expected.hidden)


@pytest.mark.parametrize("network", ["hybrid", "lstm", "mlp"])
@pytest.mark.parametrize("starts_within", [False, True])
def test_an_unrolled_network_has_outputs_and_gradients_of_torch(
    network: str, starts_within: bool
) -> None:
    torch.manual_seed(0)
    module = HybridNetwork(6, 11, network=network, memory_size=9, activation="tanh")
    inputs, weights = torch.randn(30, 4, 6), torch.randn(30, 4, 11)
    starting = torch.zeros(30, 4, dtype=torch.bool)
    starting[0, 1] = True
    starting[7, 2] = starts_within
    hidden = None if network == "mlp" else (torch.randn(4, 9), torch.randn(4, 9))
    found: list[tuple[Any, ...]] = []
    for function in (unroll, HybridNetwork.__call__):
        module.zero_grad()
        outputs, after = function(module, inputs, hidden, starting)
        (outputs * weights).sum().backward()  # type: ignore[no-untyped-call]
        gradients = [weight.grad for weight in module.parameters()]
        found.append((outputs.detach(), after, gradients))
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


def test_what_the_lstm_did_in_acting_is_not_computed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agent = A3C.create(ENV_ID, seed=0, env_kwargs={"days": 20})
    first, second, *_ = rollouts(agent, {"days": 20}, 15)
    # An episode starts within the second rollout.
    assert first.memory is not None
    assert second.memory is None

    def fail(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(unrolling, "run_lstm", fail)
    inputs, starting = first.observations[:-1], first.starting[:-1]
    logits, after = unroll(agent.actor, inputs, first.hidden, starting, first.memory)
    expected, expected_after = agent.actor(inputs, first.hidden, starting)
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(after, expected_after, rtol=1e-4, atol=1e-5)


def test_policy_losses_and_their_gradients_are_those_of_autograd() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 3.0 * torch.randn(50, 11, generator=generator, dtype=torch.float64)
    logits[:, 4] = -1e9
    logits.requires_grad_()
    actions = torch.randint(0, 4, (50,), generator=generator)
    advantages = torch.randn(50, generator=generator, dtype=torch.float64)
    gradients = torch.empty(2, 50, 11, dtype=torch.float64)
    found = policy_losses(
        logits.detach().numpy(), actions.numpy(), advantages.numpy(), gradients.numpy()
    )
    logs = logits.log_softmax(-1)
    chosen = logs.gather(-1, actions[:, None])[:, 0]
    expected = -(chosen * advantages).mean(), entropies(logs).mean()

    def gradient(value: Tensor) -> Tensor:
        return torch.autograd.grad(value, logits, retain_graph=True)[0]

    assert found == pytest.approx([value.item() for value in expected])
    torch.testing.assert_close(gradients, torch.stack([gradient(value) for value in expected]))


def test_steps_of_a_batch_are_those_of_the_environments() -> None:
    environments: Any = make_vector_env(ENV_ID, 3, {"days": 5})
    environments.reset(seed=4)
    _, _, _, _, infos = environments.step(np.array([1, 5, 9]))
    fitness = infos["fitness"].copy()
    batch = environments.batch()
    batch.outcomes["fitness"] = -1.0
    # The arrays are the environments' own, and earlier infos stay as they are.
    np.testing.assert_array_equal(infos["fitness"], fitness)
    batch.states["day"] = 4
    assert environments.step(np.zeros(3, dtype=np.int64))[2].all()


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ({"continuous": True}, None),
        ({"render_mode": "ansi"}, None),
        ({"cost": True}, None),
        ({"reward": "vector"}, None),
        ({}, {"individual": "recreational-runner"}),
    ],
)
def test_environments_that_compiled_loops_cannot_step_say_so(
    arguments: dict[str, Any], options: dict[str, Any] | None
) -> None:
    environments = FitnessFatigueVectorEnv(2, individual="recreational-runner", **arguments)
    with pytest.raises(ResetNeeded):
        environments.batch()
    environments.reset(seed=0, options=options)
    with pytest.raises(NotImplementedError, match="built-in adherence"):
        environments.batch()


class _Halved(FitnessFatigueVectorEnv):
    def step(self, actions: Any) -> Any:
        observations, rewards, *rest = super().step(actions)
        return observations, 0.5 * rewards, *rest


def test_environments_with_a_step_of_their_own_are_stepped_one_by_one() -> None:
    """What a wrapper or a subclass does to a step, compiled acting would pass by."""
    agent = A3C.create(ENV_ID, seed=0, env_kwargs={"days": 20})
    plain = make_vector_env(ENV_ID, 2, {"days": 20})
    v1: Any = gym.spec(ENV_ID).kwargs

    class Doubled(gym.vector.VectorWrapper):
        def step(self, actions: Any) -> Any:
            observations, rewards, *rest = super().step(actions)
            return observations, 2.0 * rewards, *rest

    found = [
        Collector(environments, agent.normalisation, agent.mask, 1).collect(agent.actor, 20)
        for environments in (
            plain,
            Doubled(make_vector_env(ENV_ID, 2, {"days": 20})),
            _Halved(2, autoreset_mode=AutoresetMode.SAME_STEP, **{**v1, "days": 20}),
        )
    ]
    returns = np.array(found[0].finished_returns)
    for rollout, factor in zip(found[1:], (2.0, 0.5), strict=True):
        assert rollout.memory is None
        np.testing.assert_allclose(rollout.finished_returns, factor * returns)


def test_environments_reset_in_any_mode_after_a_batch() -> None:
    environments = FitnessFatigueVectorEnv(2, days=3, autoreset_mode=AutoresetMode.DISABLED)
    environments.reset(seed=0)
    for _ in range(3):
        environments.step([1, 1])
    with pytest.raises(ResetNeeded):
        environments.batch()
    environments.reset()
    assert environments.batch().states["day"].tolist() == [0, 0]
