"""ACKTR keeps the agents' promises, stays in its trust regions, and learns."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from fitgym_agents.deep.acktr import kfac
from fitgym_agents.deep.acktr.algorithm import ACKTR, policy_loss
from fitgym_agents.deep.acktr.kfac import KFAC
from fitgym_agents.deep.acktr.settings import ACKTRConfiguration
from fitgym_agents.deep.networks import HybridNetwork, reset_hidden
from fitgym_agents.deep.rollout import Collector, Rollout
from fitgym_agents.evaluation import evaluate
from fitgym_agents.files import load_agent
from fitgym_agents.registry import find_agent

ENV_ID = "fitgym/AcquisitionReplay-v0"
SMALL: dict[str, Any] = {"environments": 4, "steps": 8, "memory_size": 8, "hidden_sizes": [8]}


def small(env_kwargs: dict[str, Any], seed: int = 3, **changes: Any) -> ACKTR:
    configuration = {**SMALL, **changes}
    return ACKTR.create(ENV_ID, env_kwargs=env_kwargs, seed=seed, configuration=configuration)


def test_loss_worked_by_hand() -> None:
    logits = torch.tensor([[0.0, 0.0], [0.0, float(np.log(3.0))]])
    actions, advantages = torch.tensor([0, 1]), torch.tensor([2.0, -4.0])
    # -log 1/2 * 2 and log 3/4 * 4, halved; entropies log 2 and log 4 - 3/4 log 3.
    expected = 0.5 * (2 * np.log(2) + 4 * np.log(0.75))
    entropy = 0.5 * (np.log(2) + np.log(4) - 0.75 * np.log(3))
    loss = policy_loss(logits, actions, advantages, 0.1)
    assert float(loss) == pytest.approx(expected - 0.1 * entropy, rel=1e-5)


def day_by_day(network: HybridNetwork, observations: Tensor, starting: Tensor) -> Tensor:
    """Return the outputs of days in a row, one step after the other."""
    memory = network.initial_hidden(observations.shape[1])
    outputs = []
    for day, observation in enumerate(observations):
        output, memory = network.step(observation, reset_hidden(memory, starting[day]))
        outputs.append(output)
    return torch.stack(outputs)


@pytest.mark.parametrize("network", ["hybrid", "mlp"])
def test_the_optimisers_are_given_what_a_slow_reference_finds(
    certain: dict[str, Any], monkeypatch: pytest.MonkeyPatch, network: str
) -> None:
    """Three rollouts of eight days hold two seasons of twelve, one of which ends inside.

    The optimisers take no step, so that both networks stay those that acted from the first day.
    """
    agent = small(
        {**certain, "forbidden_plans": [0, 5, 10]},
        network=network,
        discount=0.9,
        advantage_decay=0.7,
        entropy_bonus=0.1,
    )
    rollouts: list[Rollout] = []
    given: dict[KFAC, list[tuple[Tensor, Tensor, Tensor]]] = {
        optimiser: [] for optimiser in agent._optimisers.values()
    }
    collect = Collector.collect

    def note_window(self: Collector, actor: HybridNetwork, days: int) -> Rollout:
        rollouts.append(collect(self, actor, days))
        return rollouts[-1]

    def note_step(
        self: KFAC, outputs: Tensor, maps: Any, drawn: Tensor, loss: Tensor, *_: Any, **__: Any
    ) -> None:
        (slopes,) = torch.autograd.grad(loss, outputs)
        given[self].append((loss.detach(), slopes, drawn))

    monkeypatch.setattr(Collector, "collect", note_window)
    monkeypatch.setattr(KFAC, "step", note_step)
    agent.learn(3 * 8 * 4)
    assert [bool(rollout.ended[:-1].any()) for rollout in rollouts] == [False, True, False]

    # The days of all rollouts, and what is observed after the last one.
    last = rollouts[-1]
    observations = torch.cat([*(w.observations[:-1] for w in rollouts), last.observations[-1:]])
    starting = torch.cat([*(w.starting[:-1] for w in rollouts), last.starting[-1:]])
    all_values = day_by_day(agent.critic, observations, starting)[..., 0]
    all_logits = day_by_day(agent.actor, observations, starting)
    allowed = [1, 2, 3, 4, 6, 7, 8, 9]
    for number, rollout in enumerate(rollouts):
        values = all_values[8 * number : 8 * number + 9]
        advantages = torch.empty(8, 4)
        later = torch.zeros(4)
        for day in reversed(range(8)):
            going_on = (~rollout.ended[day]).float()
            following = rollout.rewards[day] + 0.9 * going_on * values[day + 1]
            later = following - values[day] + 0.9 * 0.7 * going_on * later
            advantages[day] = later
        loss, slopes, _ = given[agent._optimisers["critic"]][number]
        torch.testing.assert_close(loss, 0.5 * advantages.square().mean())
        torch.testing.assert_close(slopes[..., 0], -advantages / advantages.numel())

        logits = all_logits[8 * number : 8 * number + 8].requires_grad_()
        policy = torch.distributions.Categorical(logits=logits[..., allowed])
        taken = rollout.actions.clone().apply_(allowed.index)
        expected = -(policy.log_prob(taken) * advantages + 0.1 * policy.entropy()).mean()
        loss, slopes, drawn = given[agent._optimisers["actor"]][number]
        torch.testing.assert_close(loss, expected.detach())
        torch.testing.assert_close(slopes, *torch.autograd.grad(expected, logits))
        # Probabilities, less one for the plan drawn.
        shares = torch.zeros(8, 4, 11)
        shares[..., allowed] = policy.probs.detach()
        plans = torch.nn.functional.one_hot(drawn.argmin(-1), 11)
        torch.testing.assert_close(drawn, shares - plans)
        assert plans[..., allowed].sum() == plans.sum()


@pytest.mark.parametrize("network", ["hybrid", "mlp", "lstm"])
def test_learning_repeats_with_its_seed(certain: dict[str, Any], network: str) -> None:
    def learnt(seed: int) -> dict[str, Any]:
        torch.manual_seed(99)  # what the process did before must not matter
        torch.rand(seed + 1)
        return small(certain, seed, network=network).learn(300).tensors()

    first, again, other = learnt(0), learnt(0), learnt(1)
    for name in first:
        np.testing.assert_array_equal(first[name], again[name], err_msg=name)
    assert any((first[name] != other[name]).any() for name in first)


def test_save_and_load_decide_alike_and_learn_on_alike(
    certain: dict[str, Any], tmp_path: Path
) -> None:
    agent = small(certain).learn(600)
    agent.save(tmp_path)
    loaded = load_agent(tmp_path)
    assert isinstance(loaded, ACKTR)
    assert json.dumps(loaded.configuration()) == json.dumps(agent.configuration())
    assert {"kfac-actor.0.inputs", "kfac-critic.2.step"} < set(agent.tensors())
    for each in (agent, loaded):
        each.learn(600)
    saved, restored = agent.tensors(), loaded.tensors()
    assert saved.keys() == restored.keys()
    for name in saved:
        np.testing.assert_array_equal(saved[name], restored[name], err_msg=name)
    assert agent.timesteps == loaded.timesteps >= 1200
    assert agent.learning_curve == loaded.learning_curve


def test_every_update_stays_in_the_trust_regions(
    certain: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured from outside: what both networks say of the same days before and after."""
    regions = {"actor": 2e-3, "critic": 5e-3}
    agent = small(certain, trust_region=regions["actor"], critic_trust_region=regions["critic"])
    shares: dict[str, list[float]] = {"actor": [], "critic": []}
    update = ACKTR._update

    def measured(self: ACKTR, rollout: Any, before: Any, generator: Any, **options: Any) -> Any:
        def outputs() -> dict[str, torch.Tensor]:
            seen, starting = rollout.observations[:-1], rollout.starting[:-1]
            with torch.no_grad():
                return {
                    "actor": self.actor(seen, rollout.hidden, starting)[0].log_softmax(-1),
                    "critic": self.critic(seen, before, starting)[0],
                }

        old = outputs()
        memory = update(self, rollout, before, generator, **options)
        new = outputs()
        kl = (old["actor"].exp() * (old["actor"] - new["actor"])).sum(-1).mean()
        shares["actor"].append(float(kl) / regions["actor"])
        half_square = 0.5 * (old["critic"] - new["critic"]).square().mean()
        shares["critic"].append(float(half_square) / regions["critic"])
        return memory

    monkeypatch.setattr(ACKTR, "_update", measured)
    agent.learn(2_000)
    for name in regions:
        assert 0.5 < max(shares[name]) < 1.2


def test_the_longest_step_of_both_networks_falls_to_zero(
    certain: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With trust regions without end every step is the longest: it is what the weights moved by.

    A step is a multiple of the natural gradient, so that its length is the ratio of the two.
    """
    lengths: dict[KFAC, list[float]] = {}
    solve = kfac.damped_solution
    directions: list[Tensor] = []

    def note_direction(*arguments: Any) -> Tensor:
        directions.append(solve(*arguments))
        return directions[-1]

    step = KFAC.step

    def note_length(self: KFAC, outputs: Tensor, maps: Any, *rest: Any, **options: Any) -> None:
        before = torch.cat([w.detach().flatten() for w in maps[-1].weights])
        directions.clear()
        step(self, outputs, maps, *rest, **options)
        moved = torch.cat([w.detach().flatten() for w in maps[-1].weights]) - before
        lengths.setdefault(self, []).append(float(moved.norm() / directions[-1].norm()))

    monkeypatch.setattr(kfac, "damped_solution", note_direction)
    monkeypatch.setattr(KFAC, "step", note_length)
    agent = small(
        certain,
        learning_rate=1e-3,
        momentum=0.0,
        trust_region=1e9,
        critic_trust_region=1e9,
        steps=6,
    )
    agent.learn(4 * 6 * 8)
    assert lengths.keys() == set(agent._optimisers.values())
    for found in lengths.values():
        np.testing.assert_allclose(found, 1e-3 * (1.0 - np.arange(8) / 8), rtol=2e-2)


def test_forbidden_plans_are_never_chosen(certain: dict[str, Any]) -> None:
    env_kwargs = {**certain, "forbidden_plans": [0, 5, 10]}
    agent = small(env_kwargs).learn(600)
    for deterministic in (True, False):
        evaluation = evaluate(
            agent, ENV_ID, episodes=20, env_kwargs=env_kwargs, deterministic=deterministic
        )
        assert not np.isin(evaluation.actions, [0, 5, 10]).any()
    assert all(np.isfinite(array).all() for array in agent.tensors().values())


@pytest.mark.parametrize("network", ["hybrid", "mlp", "lstm"])
def test_learning_finds_the_known_best_plan(replay: dict[str, Any], network: str) -> None:
    """Sessions of 10 points exactly: plan 2 (7 points) is always met, plan 3 never is."""
    person = {**replay["individual"], "sessions_trimp": [10.0] * 20}
    env_kwargs = {**replay, "individual": person, "days": 5, "log_part": "all"}
    configuration = {"discount": 0.0, "environments": 16, "memory_size": 16, "network": network}
    agent = ACKTR.create(ENV_ID, env_kwargs=env_kwargs, configuration=configuration)
    agent.learn(6_000)
    evaluation = evaluate(agent, ENV_ID, episodes=4, env_kwargs=env_kwargs)
    assert np.isin(evaluation.actions, [1, 2]).all()
    assert evaluation.completion_rate == 1.0


def test_learning_curve_and_progress(certain: dict[str, Any]) -> None:
    steps: list[int] = []
    agent = small(certain)
    agent.learn(400, progress=steps.append)
    assert steps[0] == 32
    assert steps[-1] == agent.timesteps >= 400
    assert all(before < after for before, after in itertools.pairwise(steps))
    timesteps, _ = zip(*agent.learning_curve, strict=True)
    # Four people live twelve days together, and updates come every eight.
    assert timesteps[:3] == (64, 96, 160)


def test_it_is_built_in() -> None:
    assert find_agent("acktr") is ACKTR


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"momentum": 1.5}, "momentum"),
        ({"factor_decay": -0.1}, "factor_decay"),
        ({"trust_region": 0.0}, "trust_region"),
        ({"damping": 0.0}, "damping"),
        ({"decomposition_interval": 0}, "decomposition_interval"),
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ACKTRConfiguration.from_mapping(changes)
