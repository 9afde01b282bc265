"""Recurrent A3C: its losses, the shared weights, determinism, files, and what memory is for."""

from __future__ import annotations

import copy
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray
from torch import nn

from fitgym_agents.deep.a3c.algorithm import A3C
from fitgym_agents.deep.a3c.cost_limit import new_weight
from fitgym_agents.deep.a3c.counters import StepCounter
from fitgym_agents.deep.a3c.losses import Losses, rollout_losses
from fitgym_agents.deep.a3c.settings import A3CConfiguration
from fitgym_agents.deep.a3c.shared_weights import SharedWeights
from fitgym_agents.deep.a3c.worker import ActorLearner, Shared
from fitgym_agents.deep.networks import HybridNetwork
from fitgym_agents.deep.normalisation import Normalisation
from fitgym_agents.deep.rollout import Rollout
from fitgym_agents.evaluation import evaluate
from fitgym_agents.files import load_agent
from fitgym_agents.registry import find_agent

ENV_ID = "fitgym/Acquisition-v0"
SMALL = {"environments": 4, "memory_size": 8, "hidden_sizes": [8], "steps": 5}


class Recall(VectorEnv[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]):
    """On the first of four days one of two cues is seen; on the last one it is to be named."""

    metadata: dict[str, Any] = {"autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012
    days = 4

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs
        self.single_observation_space = spaces.Box(-1.0, 1.0, (2,))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.single_action_space = spaces.Discrete(2)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(
        self, *, seed: int | list[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        self._generator = np.random.default_rng(seed)
        self._begin()
        return self._observe(), {}

    def step(self, actions: NDArray[np.int64]) -> tuple[Any, ...]:
        self._day += 1
        ended = np.full(self.num_envs, self._day == self.days)
        rewards = ((actions == self._cues) & ended).astype(np.float64)
        if ended.all():
            self._begin()
        return self._observe(), rewards, ended, np.zeros_like(ended), {}

    def _begin(self) -> None:
        self._day = 0
        self._cues = self._generator.integers(2, size=self.num_envs)

    def _observe(self) -> NDArray[np.float32]:
        seen = np.zeros((self.num_envs, 2), np.float32)
        if self._day == 0:
            seen[:, 0] = 2 * self._cues - 1
        seen[:, 1] = self._day == self.days - 1
        return seen


def make_shared(**changes: Any) -> Shared:
    """Return what workers in ``Recall`` share; the weights are always the same."""
    settings = A3CConfiguration.from_mapping({"environments": 8, "workers": 0, **changes})
    torch.manual_seed(0)

    def network(outputs: int) -> HybridNetwork:
        return HybridNetwork(
            2,
            outputs,
            network=settings.network,
            memory_size=settings.memory_size,
            hidden_sizes=settings.hidden_sizes,
            activation=settings.activation,
        )

    networks = {"actor": network(2), "critic": network(1)}
    return Shared(
        env_id="",
        env_kwargs={},
        settings=settings,
        episode_length=Recall.days,
        mask=torch.tensor([True, True]),
        normalisation=Normalisation(np.zeros(2), np.ones(2), 0.0, 1.0),
        seeds=[0],
        weights=SharedWeights(networks, settings.optimiser),
        counter=StepCounter(0, 10**6, processes=False),
        facts=None,
        cost_weight=new_weight(),
    )


def losses(shared: Shared, rollout: Rollout, critic_hidden: Any) -> Losses:
    actor: Any = shared.weights.networks["actor"]
    critic: Any = shared.weights.networks["critic"]
    return rollout_losses(
        actor,
        critic,
        rollout,
        critic_hidden,
        shared.mask,
        shared.settings.discount,
        shared.settings.advantage_decay,
    )


def weights_of(networks: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(networks.parameters()).detach()


def weights_after_updates(optimiser: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Let two workers do three updates each; return their weights, and those by autograd alone.

    The latter are found without copies: by stepping through each rollout day by day, with the
    losses written out from Mnih et al. (2016), algorithm S3.
    """
    # Smooth and small: both optimisers turn rounding errors of next to no gradient into steps.
    shared = make_shared(
        steps=3,
        advantage_decay=1.0,
        optimiser=optimiser,
        memory_size=8,
        hidden_sizes=[8],
        activation="tanh",
    )
    settings = shared.settings
    networks = copy.deepcopy(shared.weights.networks)
    actor: Any = networks["actor"]
    critic: Any = networks["critic"]
    kind: Any = {"adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}[optimiser]
    stepper = kind(networks.parameters())
    workers = [ActorLearner(shared, Recall(8), seed) for seed in (1, 2)]
    memories: list[Any] = [None, None]
    for number in range(6):
        worker, remaining = number % 2, 1.0 - number / 10
        # Seasons of four days fall into rollouts of three days and of one.
        rollout, _ = workers[worker].update((3, 1)[number // 2 % 2], remaining)
        days = len(rollout.rewards)
        actor_memory, critic_memory = rollout.hidden, memories[worker]
        policies, values = [], []
        for day in range(days):
            logits, actor_memory = actor(rollout.observations[day][None], actor_memory)
            value, critic_memory = critic(rollout.observations[day][None], critic_memory)
            policies.append(torch.distributions.Categorical(logits=logits[0]))
            values.append(value[0, :, 0])
        critic_memory = tuple(part.detach() for part in critic_memory)
        with torch.no_grad():
            following = critic(rollout.observations[days][None], critic_memory)[0][0, :, 0]
        total = torch.zeros(())
        for day in reversed(range(days)):
            going_on = (~rollout.ended[day]).float()
            following = rollout.rewards[day] + settings.discount * going_on * following
            advantages = following - values[day]
            chosen = policies[day].log_prob(rollout.actions[day])
            total = total - (chosen * advantages.detach()).sum() + advantages.square().sum()
            bonus = settings.entropy_bonus * remaining
            total = total - bonus * policies[day].entropy().sum()
        stepper.zero_grad()
        (total / rollout.rewards.numel()).backward()  # type: ignore[no-untyped-call]
        for network in (actor, critic):
            nn.utils.clip_grad_norm_(network.parameters(), settings.gradient_norm)
        stepper.param_groups[0]["lr"] = settings.learning_rate * remaining
        stepper.step()
        memories[worker] = None if rollout.ended[-1].all() else critic_memory
    return weights_of(shared.weights.networks), weights_of(networks)


@pytest.mark.parametrize("optimiser", ["adam", "rmsprop"])
def test_updates_equal_those_of_autograd_without_copies(optimiser: str) -> None:
    shared, alone = weights_after_updates(optimiser)
    torch.testing.assert_close(shared, alone, rtol=1e-4, atol=1e-4)


def test_losses_by_hand() -> None:
    shared = make_shared(network="mlp", hidden_sizes=[], discount=0.5, advantage_decay=1.0)
    networks = shared.weights.networks
    with torch.no_grad():
        for weights in networks.parameters():
            weights.zero_()
        networks["actor"].layers[0].bias.copy_(torch.tensor([0.0, np.log(3.0)]))
        networks["critic"].layers[0].bias.fill_(2.0)
    rollout = Rollout(
        observations=torch.zeros(4, 1, 2),
        starting=torch.tensor([[True], [False], [True], [False]]),
        actions=torch.tensor([[0], [1], [1]]),
        rewards=torch.tensor([[1.0], [4.0], [6.0]]),
        ended=torch.tensor([[False], [True], [False]]),
        critic_observations=torch.zeros(4, 1, 2),
        hidden=None,
        memory=None,
        finished_returns=[],
    )
    found = losses(shared, rollout, None)
    # R = 1 + 4 / 2, 4 at the end of the season, and 6 + 2 / 2 with the value of what follows.
    advantages = np.array([3.0, 4.0, 7.0]) - 2.0
    logs = np.log([0.25, 0.75, 0.75])
    assert found.policy.item() == pytest.approx(-(logs * advantages).mean())
    assert found.value.item() == pytest.approx((advantages**2).mean())
    assert found.entropy.item() == pytest.approx(-0.25 * np.log(0.25) - 0.75 * np.log(0.75))


def test_the_policy_loss_does_not_teach_the_critic_nor_the_value_loss_the_actor() -> None:
    shared = make_shared()
    worker = ActorLearner(shared, Recall(8), 0)
    rollout, _ = worker.update(4, 1.0)
    shared.weights.networks.zero_grad()
    found = losses(shared, rollout, None)
    (found.policy + found.entropy).backward()  # type: ignore[no-untyped-call]
    assert all(weights.grad is None for weights in shared.weights.networks["critic"].parameters())
    shared.weights.networks.zero_grad()
    found.value.backward()  # type: ignore[no-untyped-call]
    assert all(weights.grad is None for weights in shared.weights.networks["actor"].parameters())


def test_replayed_policies_are_those_that_acted() -> None:
    shared = make_shared(steps=3)
    worker = ActorLearner(shared, Recall(8), 0)
    for days in (3, 1, 3, 1):
        before = copy.deepcopy(shared.weights.networks["actor"])
        rollout, _ = worker.update(days, 1.0)
        assert isinstance(before, HybridNetwork)
        logits, _ = before(rollout.observations[:-1], rollout.hidden, rollout.starting[:-1])
        memory = rollout.hidden
        for day in range(days):
            single, memory = before.step(rollout.observations[day], memory)
            torch.testing.assert_close(logits[day], single)
        assert rollout.hidden is not None
        # Carried into the season's last day, and forgotten before the next season.
        assert bool((rollout.hidden[0] != 0).any()) == (days == 1)


def test_the_critics_memory_is_carried_on_and_forgotten() -> None:
    shared = make_shared(steps=3)
    worker = ActorLearner(shared, Recall(8), 0)
    before = copy.deepcopy(shared.weights.networks["critic"])
    first, _ = worker.update(3, 1.0)
    _, expected = before(first.observations[:-1])
    carried = worker._critic_hidden
    assert carried is not None
    torch.testing.assert_close(carried, expected)
    assert not carried[0].requires_grad
    between = copy.deepcopy(shared.weights.networks["critic"])
    last, _ = worker.update(1, 1.0)
    _, expected = between(last.observations[:-1], carried)
    torch.testing.assert_close(worker._critic_hidden, expected)
    # What is left of it is dropped where the next rollout starts a season.
    third, _ = worker.update(3, 1.0)
    anew = losses(shared, third, None)
    went_on = losses(shared, third, worker._critic_hidden)
    assert anew.value.item() == went_on.value.item()


@pytest.mark.parametrize(("steps", "expected"), [(3, [3, 1, 3, 1]), (7, [4, 4])])
def test_windows_end_where_the_season_ends(
    monkeypatch: pytest.MonkeyPatch, steps: int, expected: list[int]
) -> None:
    rollouts: list[Rollout] = []
    update = ActorLearner.update

    def note(self: ActorLearner, days: int, remaining: float) -> tuple[Rollout, Losses]:
        rollout, losses = update(self, days, remaining)
        rollouts.append(rollout)
        return rollout, losses

    monkeypatch.setattr(ActorLearner, "update", note)
    shared = make_shared(steps=steps)
    worker = ActorLearner(shared, Recall(8), 0)
    for _ in expected:
        assert worker.advance()
    assert [len(rollout.rewards) for rollout in rollouts] == expected
    assert not any(rollout.ended[:-1].any() for rollout in rollouts)
    assert shared.counter.read().timesteps == 8 * sum(expected)


def test_memory_solves_recall_and_no_memory_does_not() -> None:
    def share_recalled(network: str) -> float:
        shared = make_shared(
            network=network,
            environments=64,
            memory_size=8,
            hidden_sizes=[8],
            learning_rate=0.02,
            steps=4,
        )
        worker = ActorLearner(shared, Recall(64), 1)
        for number in range(150):
            rollout, _ = worker.update(4, 1.0 - number / 150)
        return float(np.mean(rollout.finished_returns))

    assert share_recalled("hybrid") > 0.95
    assert share_recalled("lstm") > 0.95
    assert share_recalled("mlp") < 0.75


def test_learning_in_turns_gives_the_same_weights_again() -> None:
    first, second, other = (
        A3C.create(ENV_ID, seed=seed, configuration={**SMALL, "workers": 0}).learn(1000)
        for seed in (1, 1, 2)
    )
    assert first.timesteps == second.timesteps >= 1000
    assert first.learning_curve == second.learning_curve
    for name, value in first.tensors().items():
        np.testing.assert_array_equal(value, second.tensors()[name])
    assert not torch.equal(weights_of(first.actor), weights_of(other.actor))


def test_noted_losses_are_means_over_the_updates_between_points(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[Losses] = []
    update = ActorLearner.update

    def noting(self: ActorLearner, steps: int, remaining: float) -> tuple[Rollout, Losses]:
        rollout, losses = update(self, steps, remaining)
        found.append(losses)
        return rollout, losses

    monkeypatch.setattr(ActorLearner, "update", noting)
    agent = A3C.create(ENV_ID, seed=1, configuration={**SMALL, "workers": 0}).learn(1000)
    assert [steps for steps, *_ in agent.learning_losses] == [s for s, _ in agent.learning_curve]
    per_update = agent.timesteps / len(found)
    start = 0
    for steps, policy, value in agent.learning_losses:
        end = round(steps / per_update)
        between = found[start:end]
        assert policy == pytest.approx(np.mean([one.policy.item() for one in between]))
        assert value == pytest.approx(np.mean([one.value.item() for one in between]))
        start = end


def test_a_loaded_agent_learns_on_as_the_saved_one_does(tmp_path: Path) -> None:
    agent = A3C.create(ENV_ID, seed=3, configuration={**SMALL, "workers": 0}).learn(600)
    agent.save(tmp_path)
    loaded = load_agent(tmp_path)
    assert isinstance(loaded, A3C)
    assert (loaded.name, loaded.settings) == (agent.name, agent.settings)
    agent.learn(500)
    loaded.learn(500)
    assert loaded.timesteps == agent.timesteps
    assert loaded.learning_curve == agent.learning_curve
    assert loaded.learning_losses == agent.learning_losses
    for name, value in agent.tensors().items():
        np.testing.assert_array_equal(value, loaded.tensors()[name])


def test_the_agent_is_a_frozen_copy_while_it_learns(tmp_path: Path) -> None:
    agent = A3C.create(ENV_ID, configuration={**SMALL, "workers": 0})
    seen: list[int] = []

    def progress(steps: int) -> None:
        if not seen:
            agent.save(tmp_path)
        seen.append(steps)

    agent.learn(400, progress=progress)
    # Windows of five days of four people, without remainder in a season of 90.
    assert seen[:-1] == list(range(20, 401, 20))
    assert seen[-1] == agent.timesteps == 400
    saved = load_agent(tmp_path)
    assert isinstance(saved, A3C)
    assert saved.timesteps == 20
    assert not torch.equal(weights_of(saved.actor), weights_of(agent.actor))


def test_an_exception_in_progress_leaves_a_whole_agent() -> None:
    agent = A3C.create(ENV_ID, configuration={**SMALL, "workers": 0})

    def progress(steps: int) -> None:
        if steps >= 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        agent.learn(400, progress=progress)
    assert agent.timesteps == 100
    agent.learn(300)
    assert agent.timesteps == 400


def test_the_schedule_goes_on_after_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []

    def note(self: SharedWeights, source: nn.Module, learning_rate: float) -> None:
        rates.append(learning_rate)

    monkeypatch.setattr(SharedWeights, "step", note)
    settings = {**SMALL, "workers": 0, "learning_rate": 1.0}
    agent = A3C.create(ENV_ID, configuration=settings)

    def progress(steps: int) -> None:
        if agent.timesteps == 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        agent.learn(400, progress=progress)
    agent.learn(200)
    np.testing.assert_allclose(rates, 1.0 - np.arange(20) / 20)


def test_two_processes_learn_exactly_what_was_asked() -> None:
    agent = A3C.create(ENV_ID, configuration={**SMALL, "workers": 2})
    before = weights_of(agent.actor)
    steps: list[int] = []
    agent.learn(7200, progress=steps.append)
    assert agent.timesteps == steps[-1] == 7200
    assert steps == sorted(steps)
    assert agent.learning_curve[-1][0] <= 7200
    assert not torch.equal(weights_of(agent.actor), before)
    # Every update of either worker counted in the one optimiser's state.
    assert agent.tensors()["optimiser.0.step"] == pytest.approx(360, abs=5)
    assert not multiprocessing.active_children()


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(
    ("fatal", "error"), [(False, KeyboardInterrupt), (True, RuntimeError)], ids=["ctrl-c", "kill"]
)
def test_a_stopped_agent_is_whole(fatal: bool, error: type[BaseException], tmp_path: Path) -> None:
    agent = A3C.create(ENV_ID, configuration={**SMALL, "workers": 2})

    def stop(steps: int) -> None:
        if steps:
            if fatal:
                os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGKILL)
            else:
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(error):
        agent.learn(10**8, progress=stop)
    assert not multiprocessing.active_children()
    assert 0 < agent.timesteps < 10**8
    agent.save(tmp_path)
    loaded = load_agent(tmp_path)
    assert isinstance(loaded, A3C)
    assert loaded.timesteps == agent.timesteps


def test_forbidden_plans_are_never_chosen() -> None:
    forbidden = [1, 2, 5, 10]
    agent = A3C.create(
        ENV_ID,
        env_kwargs={"forbidden_plans": forbidden},
        configuration={**SMALL, "workers": 0},
    ).learn(400)
    for deterministic in (True, False):
        evaluation = evaluate(
            agent,
            ENV_ID,
            episodes=5,
            env_kwargs={"forbidden_plans": forbidden},
            deterministic=deterministic,
        )
        assert not np.isin(evaluation.actions, forbidden).any()


def test_names_tell_the_network() -> None:
    assert find_agent("a3c") is A3C
    for network, name in (("hybrid", "A3C hybrid"), ("mlp", "A3C MLP"), ("lstm", "A3C LSTM")):
        assert A3C.create(ENV_ID, configuration={"network": network}).name == name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"workers": -1}, "workers"),
        ({"optimiser": "sgd"}, "optimiser"),
        ({"gradient_norm": 0.0}, "gradient_norm"),
        ({"epochs": 3}, "unknown keys"),
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        A3CConfiguration.from_mapping(changes)


def test_workers_need_not_import_stable_baselines() -> None:
    code = "import sys, fitgym_agents.deep.a3c.algorithm; print('stable_baselines3' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert answer.stdout.strip() == "False"
