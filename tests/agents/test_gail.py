"""Imitation moves towards the expert, and never looks at the environment's own reward."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from fitgym_agents.agent import Agent
from fitgym_agents.deep.gail import algorithm
from fitgym_agents.deep.gail.algorithm import (
    GAIL,
    clipped_objective,
    require_whole_episodes,
)
from fitgym_agents.deep.gail.demonstrations import Demonstrations, record
from fitgym_agents.deep.gail.discriminator import (
    discriminator_loss,
    gradient_penalty,
    imitation_rewards,
    normalised_rewards,
)
from fitgym_agents.deep.gail.settings import GAILConfiguration
from fitgym_agents.deep.networks import entropies
from fitgym_agents.deep.rollout import Collector
from fitgym_agents.environments import make_vector_env
from fitgym_agents.evaluation import evaluate
from fitgym_agents.files import load_agent
from fitgym_agents.references.simple import RandomPlan
from fitgym_agents.registry import find_agent

ENV_ID = "fitgym/Acquisition-v0"
SMALL: dict[str, Any] = {
    "environments": 32,
    "expert_episodes": 20,
    "discriminator_minibatch": 64,
    "memory_size": 16,
    "hidden_sizes": [32],
}


class Pupil(Agent):
    """Pushes plan 2 after a day of doing little, and plan 7 after one of doing much."""

    name = "pupil"

    def predict(self, observation: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
        return np.where(observation[:, 0] < 20.0, 7, 2).astype(np.int64), None


@pytest.fixture(scope="module")
def rule(certain: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("rule") / "rule.safetensors"
    record(Pupil(), ENV_ID, env_kwargs=certain, episodes=20).save(path)
    return str(path)


def _agent(path: str | None, env_kwargs: dict[str, Any], seed: int = 0, **changes: Any) -> GAIL:
    configuration = {**SMALL, "demonstrations": path, **changes}
    return GAIL.create(ENV_ID, env_kwargs=env_kwargs, seed=seed, configuration=configuration)


def test_the_best_discriminator_is_the_experts_share() -> None:
    # Goodfellow et al. 2014, proposition 1, for two known distributions of four kinds of days.
    expert, policy = torch.tensor([10, 20, 30, 40]), torch.tensor([40, 30, 20, 10])
    logits = torch.zeros(4, requires_grad=True)
    optimiser = torch.optim.LBFGS([logits], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = discriminator_loss(
            logits.repeat_interleave(expert), logits.repeat_interleave(policy)
        )
        loss.backward()
        return loss

    optimiser.step(closure)
    p, q = expert / 100, policy / 100
    torch.testing.assert_close(torch.sigmoid(logits), p / (p + q), atol=1e-4, rtol=0)
    # There the loss is 2 ln 2 less twice the Jensen-Shannon divergence (their theorem 1), and
    # the mean reward of the policy is minus the Kullback-Leibler divergence from it to the expert.
    middle = (p + q) / 2
    divergence = 0.5 * ((p * (p / middle).log()).sum() + (q * (q / middle).log()).sum())
    loss = closure().item()
    assert loss == pytest.approx(2 * math.log(2) - 2 * float(divergence), abs=1e-5)
    rewards = imitation_rewards(logits.detach())
    torch.testing.assert_close((q * rewards).sum(), -(q * (q / p).log()).sum())


def test_signs() -> None:
    probability = torch.tensor([0.1, 0.5, 0.9])
    rewards = imitation_rewards(torch.logit(probability))
    torch.testing.assert_close(rewards, probability.log() - (1 - probability).log())
    assert rewards[0] < rewards[1] < rewards[2]
    # The discriminator's step raises D on the expert's days and lowers it on the policy's.
    expert, policy = torch.zeros(5, requires_grad=True), torch.zeros(5, requires_grad=True)
    loss = discriminator_loss(expert, policy)
    assert loss.item() == pytest.approx(2 * math.log(2))
    loss.backward()
    assert expert.grad is not None
    assert policy.grad is not None
    torch.testing.assert_close(expert.grad, torch.full((5,), -0.1))
    torch.testing.assert_close(policy.grad, torch.full((5,), 0.1))


def test_the_slope_is_that_of_the_logits() -> None:
    weights = torch.tensor([3.0, 4.0])
    days = torch.randn(7, 2, requires_grad=True)
    assert gradient_penalty(days @ weights, days).item() == pytest.approx(25.0)


def test_clipped_objective_by_hand() -> None:
    ratios = torch.tensor([0.5, 1.0, 2.0, 0.5, 2.0])
    advantages = torch.tensor([1.0, 1.0, 1.0, -1.0, -1.0])
    # Gains stop at 1.2, losses of what has become rarer at 0.8; the rest counts in full.
    expected = (0.5 + 1.0 + 1.2 - 0.8 - 2.0) / 5
    assert float(clipped_objective(ratios.log(), advantages, 0.2)) == pytest.approx(expected)
    logs = ratios.log().requires_grad_()
    clipped_objective(logs, advantages, 0.2).backward()
    assert logs.grad is not None
    torch.testing.assert_close(logs.grad, torch.tensor([0.1, 0.2, 0.0, 0.0, -0.4]))


def test_rewards_are_standardised_without_changing_what_is_better() -> None:
    rewards = 5.0 + 3.0 * torch.randn(12, 400, generator=torch.Generator().manual_seed(0))
    ended = torch.zeros(12, 400, dtype=torch.bool)
    ended[-1] = True
    result = normalised_rewards(rewards, ended, 0.9)
    to_come = [(0.9 ** torch.arange(12 - day)) @ result[day:] for day in range(12)]
    assert float(torch.cat(to_come).std()) == pytest.approx(1.0, abs=1e-4)
    # A positive multiple of each season's own, but for the same constant everywhere.
    before, after = rewards.sum(0), result.sum(0)
    slope = (after[0] - after[1]) / (before[0] - before[1])
    assert slope > 0
    torch.testing.assert_close(after - after[0], slope * (before - before[0]), atol=1e-3, rtol=0)


def test_the_discriminator_learns_who_the_expert_is(certain: dict[str, Any], rule: str) -> None:
    agent = _agent(rule, certain, learning_rate=1e-9, epochs=1)
    agent.learn(20 * 12 * 32)
    # The policy hardly moved, and is still as good as random. Neither these days of the expert
    # nor those of random plans were seen before.
    expert, random = (
        record(one, ENV_ID, env_kwargs=certain, episodes=20, seed=500)
        for one in (Pupil(), RandomPlan())
    )
    of_expert = agent.discriminate(expert.observations, expert.actions)
    assert of_expert.shape == expert.actions.shape
    assert (of_expert > 0.5).mean() > 0.95
    assert (agent.discriminate(random.observations, random.actions) < 0.5).mean() > 0.75
    # In the same situations other plans are less like the expert.
    others = np.where(expert.actions == 7, 2, 7)
    assert (of_expert > agent.discriminate(expert.observations, others)).all()


@pytest.mark.parametrize("network", ["hybrid", "mlp"])
def test_an_experts_rule_is_found_again(certain: dict[str, Any], rule: str, network: str) -> None:
    agent = _agent(rule, certain, network=network)
    shown = Demonstrations.load(rule)
    before = evaluate(agent, ENV_ID, episodes=20, env_kwargs=certain)
    expert = evaluate(Pupil(), ENV_ID, episodes=20, env_kwargs=certain)
    agent.learn(30_000)
    after = evaluate(agent, ENV_ID, episodes=20, env_kwargs=certain)
    assert (before.actions == expert.actions).mean() < 0.5
    assert (after.actions == expert.actions).mean() > 0.95
    # The two can then no longer be told apart.
    assert agent.discriminate(shown.observations, shown.actions).mean() == pytest.approx(
        0.5, abs=0.05
    )


def test_the_advantages_of_a_batch_have_mean_0_and_deviation_1(
    certain: dict[str, Any], rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch is seen once, in four parts, and is a linear map of the estimates by hand."""
    parts: list[Tensor] = []
    estimates: list[Tensor] = []
    objective, estimate = algorithm.clipped_objective, algorithm.generalised_advantages

    def note(log_ratios: Tensor, advantages: Tensor, clip_range: float) -> Tensor:
        parts.append(advantages)
        return objective(log_ratios, advantages, clip_range)

    def note_estimate(*arguments: Any) -> Tensor:
        estimates.append(estimate(*arguments))
        return estimates[-1]

    monkeypatch.setattr(algorithm, "clipped_objective", note)
    monkeypatch.setattr(algorithm, "generalised_advantages", note_estimate)
    agent = _agent(rule, certain, epochs=1, minibatch_episodes=8)
    agent.learn(2 * 12 * 32)
    assert len(parts) == 8
    for batch, raw in zip((parts[:4], parts[4:]), estimates, strict=True):
        # Columns come in random order.
        advantages = torch.cat(batch, 1)
        expected = (raw - raw.mean()) / raw.std()
        order, other = advantages[0].argsort(), expected[0].argsort()
        torch.testing.assert_close(advantages[:, order], expected[:, other], atol=1e-4, rtol=1e-4)
        assert raw.mean().abs() > 0.01
        assert advantages.mean().item() == pytest.approx(0.0, abs=1e-5)
        assert advantages.std().item() == pytest.approx(1.0, abs=1e-4)


def test_the_entropy_penalty_makes_the_policy_decide(certain: dict[str, Any], rule: str) -> None:
    shown = Demonstrations.load(rule)

    def entropy_learnt(penalty: float) -> float:
        agent = _agent(rule, certain, entropy_penalty=penalty, learning_rate=0.02)
        with torch.no_grad():
            # Where all plans are alike the entropy has no slope.
            agent.actor.layers[-1].weight.mul_(100.0)
        agent.learn(4 * 12 * 32)
        with torch.no_grad():
            logits, _ = agent.actor(agent.normalisation.observations(shown.observations))
        return float(entropies(logits.log_softmax(-1)).mean())

    assert entropy_learnt(1.0) < 0.5 * entropy_learnt(0.0)


def test_the_environments_reward_is_not_learnt_from(certain: dict[str, Any], rule: str) -> None:
    # The same days with another reward: the weights are the same, and the curve is not.
    shown = Demonstrations.load(rule)
    other = {**certain, "completion_bonus": 50.0}
    path = Path(rule).with_name("other.safetensors")
    replace(shown, env_kwargs=other).save(path)
    here, there = _agent(rule, certain), _agent(str(path), other)
    here.learn(3 * 12 * 32)
    there.learn(3 * 12 * 32)
    _assert_equal_weights(here, there)
    assert len(here.learning_curve) == 3
    assert here.learning_curve != there.learning_curve


def test_parts_of_seasons_are_refused(certain: dict[str, Any], rule: str) -> None:
    agent = _agent(rule, certain)
    collector = Collector(
        make_vector_env(ENV_ID, 2, certain), agent.normalisation, agent.mask, seed=0
    )
    require_whole_episodes(collector.collect(agent.actor, 12))
    for _ in range(2):
        with pytest.raises(ValueError, match="whole episodes.* of 2 in 6 steps"):
            require_whole_episodes(collector.collect(agent.actor, 6))
    with pytest.raises(ValueError, match="whole episodes.* of 2 in 24 steps"):
        require_whole_episodes(collector.collect(agent.actor, 24))


def test_equal_seeds_learn_equal_weights(certain: dict[str, Any], rule: str) -> None:
    steps = 2 * 12 * 32
    agents = [_agent(rule, certain, seed).learn(steps) for seed in (1, 1, 2)]
    _assert_equal_weights(agents[0], agents[1])
    assert agents[0].learning_curve == agents[1].learning_curve
    assert agents[0].learning_curve != agents[2].learning_curve


def test_saved_agents_act_and_learn_on_as_they_would_have(
    certain: dict[str, Any], rule: str, tmp_path: Path
) -> None:
    agent = _agent(rule, certain).learn(2 * 12 * 32)
    agent.save(tmp_path)
    loaded = load_agent(tmp_path)
    assert isinstance(loaded, GAIL)
    before, after = (
        evaluate(one, ENV_ID, episodes=5, env_kwargs=certain) for one in (agent, loaded)
    )
    np.testing.assert_array_equal(before.actions, after.actions)
    agent.learn(2 * 12 * 32)
    loaded.learn(2 * 12 * 32)
    assert loaded.timesteps == agent.timesteps == 4 * 12 * 32
    assert loaded.learning_curve == agent.learning_curve
    for name, array in agent.tensors().items():
        np.testing.assert_array_equal(array, loaded.tensors()[name])


def test_forbidden_plans_are_never_pushed(certain: dict[str, Any]) -> None:
    arguments = {**certain, "forbidden_plans": [0, 1, 8, 9, 10]}
    path: Any = None
    shown = record(Pupil(), ENV_ID, env_kwargs=arguments, episodes=20)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("fitgym_agents.deep.gail.algorithm.expert_for", lambda *_: Pupil())
        agent = _agent(path, arguments).learn(5 * 12 * 32)
    for deterministic in (True, False):
        played = evaluate(
            agent, ENV_ID, episodes=20, env_kwargs=arguments, deterministic=deterministic
        )
        assert set(np.unique(played.actions)) <= {2, 3, 4, 5, 6, 7}
    assert np.isfinite(agent.discriminate(shown.observations, shown.actions)).all()


def test_demonstrations_that_do_not_fit_are_refused(
    certain: dict[str, Any], rule: str, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        _agent("nowhere", certain).learn(1)
    with pytest.raises(ValueError, match="rule.safetensors: .*days is 12 in place of 13"):
        _agent(rule, {**certain, "days": 13}).learn(1)
    with pytest.raises(ValueError, match="rule.safetensors: .*at least 21 .* got 20"):
        _agent(rule, certain, expert_episodes=21).learn(1)
    with pytest.raises(ValueError, match="needs adherence 'fitrec' or 'fitrec2', got 'certain'"):
        _agent(None, certain).learn(1)


def test_without_a_file_the_expert_is_recorded(replay: dict[str, Any]) -> None:
    env_id = "fitgym/RetentionReplay-v0"
    agent = GAIL.create(env_id, env_kwargs=replay, configuration=SMALL)
    calls: list[int] = []
    agent.learn(400, progress=calls.append)
    assert calls == [12 * 32, 2 * 12 * 32]
    assert agent.timesteps == 2 * 12 * 32
    assert len(agent.learning_curve) == 2


def test_configuration_is_checked() -> None:
    assert find_agent("gail") is GAIL
    assert GAILConfiguration.from_mapping({"hidden_sizes": [8]}).hidden_sizes == (8,)
    with pytest.raises(TypeError, match="demonstrations must be the path of a file or None"):
        GAILConfiguration.from_mapping({"demonstrations": 3})
    with pytest.raises(ValueError, match="clip_range"):
        GAILConfiguration.from_mapping({"clip_range": 2.0})
    with pytest.raises(ValueError, match="unknown keys"):
        GAILConfiguration.from_mapping({"reward": "airl"})


def _assert_equal_weights(a: GAIL, b: GAIL) -> None:
    for name, network in a.networks.items():
        for mine, other in zip(network.parameters(), b.networks[name].parameters(), strict=True):
            assert torch.equal(mine, other)
