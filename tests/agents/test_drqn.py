"""Deep recurrent Q-learning: its parts against cases worked by hand, then the agent's promises."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from fitgym_agents.deep.drqn.algorithm import DRQN, epsilon_greedy, exploration
from fitgym_agents.deep.drqn.losses import (
    burn_in,
    double_q_values,
    q_learning_loss,
    traced_targets,
)
from fitgym_agents.deep.drqn.replay_buffer import EpisodeReplayBuffer, Sequences
from fitgym_agents.deep.networks import HybridNetwork
from fitgym_agents.evaluation import evaluate
from fitgym_agents.files import load_agent
from fitgym_agents.registry import find_agent

ENV_ID = "fitgym/AcquisitionReplay-v0"
ALL = torch.ones(3, dtype=torch.bool)
SMALL: dict[str, Any] = {
    "environments": 4,
    "memory_size": 4,
    "hidden_sizes": [8],
    "learning_starts": 4,
    "replay_episodes": 10,
    "gradient_steps": 3,
    "stretches": 5,
    "stretch_days": 5,
    "burn_in": 3,
    "target_update": 2,
}


def small(env_kwargs: Any, seed: int = 3, **changes: Any) -> DRQN:
    configuration = {**SMALL, **changes}
    return DRQN.create(ENV_ID, env_kwargs=env_kwargs, seed=seed, configuration=configuration)


def test_double_q_values_are_those_of_the_other_networks_choice() -> None:
    online = torch.tensor([[1.0, 5.0, 2.0], [3.0, 0.0, 2.0]])
    target = torch.tensor([[10.0, 20.0, 30.0], [40.0, 50.0, 60.0]])
    assert double_q_values(online, target, ALL).tolist() == [20.0, 40.0]
    allowed = torch.tensor([True, False, True])
    assert double_q_values(online, target, allowed).tolist() == [30.0, 40.0]


def test_targets_by_hand() -> None:
    rewards = torch.tensor([[1.0], [2.0], [4.0]])
    following = torch.tensor([[10.0], [20.0], [30.0]])
    going_on = torch.zeros(3, 1, dtype=torch.bool)
    one_step = traced_targets(rewards, going_on, following, 0.5, 0.0)
    assert one_step.flatten().tolist() == [1 + 5, 2 + 10, 4 + 15]
    whole = traced_targets(rewards, going_on, following, 0.5, 1.0)
    assert whole.flatten().tolist() == [1 + 0.5 * (2 + 0.5 * 19), 2 + 0.5 * 19, 4 + 15]
    half = traced_targets(rewards, going_on, following, 0.5, 0.5)
    middle = 2 + 0.5 * (10 + 9.5)
    assert half.flatten().tolist() == [1 + 0.5 * (5 + 0.5 * middle), middle, 19]


def test_nothing_follows_the_end_of_a_season() -> None:
    ended = torch.tensor([[False], [True]])
    targets = traced_targets(torch.ones(2, 1), ended, torch.full((2, 1), 1e6), 0.5, 1.0)
    assert targets.flatten().tolist() == [1.5, 1.0]


@pytest.mark.parametrize(
    ("progress", "expected"), [(0.0, 1.0), (0.1, 0.7), (0.2, 0.4), (0.3, 0.1), (1.0, 0.1)]
)
def test_exploration_falls_linearly_and_stays(progress: float, expected: float) -> None:
    assert exploration(progress, 0.3, 0.1) == pytest.approx(expected)


def test_without_a_share_exploration_is_final_at_once() -> None:
    assert exploration(0.0, 0.0, 0.2) == 0.2


def test_epsilon_greedy_takes_the_best_allowed_plan_or_any_allowed_one() -> None:
    values = torch.tensor([9.0, 1.0, 2.0, 0.0]).expand(20_000, 4)
    mask = torch.tensor([False, True, True, True])
    generator = torch.Generator().manual_seed(0)
    assert set(epsilon_greedy(values, mask, 0.0, generator).tolist()) == {2}
    shares = np.bincount(epsilon_greedy(values, mask, 0.3, generator), minlength=4) / 20_000
    # Five standard errors are below 0.016.
    np.testing.assert_allclose(shares, [0.0, 0.1, 0.8, 0.1], atol=0.016)


def _numbered(replay: EpisodeReplayBuffer, seasons: list[int], days: int) -> None:
    """Remember seasons in which everything tells of season and day."""
    numbers = 100 * torch.tensor(seasons) + torch.arange(days)[:, None]
    replay.add(numbers[..., None].float(), numbers, -numbers.float())


@settings(max_examples=examples(50), deadline=None)
@given(
    seed=st.integers(0, 2**31),
    length=st.integers(2, 12),
    before=st.integers(1, 15),
    share=st.floats(0.01, 1.0),
)
def test_stretches_are_days_in_a_row_of_one_season(
    seed: int, length: int, before: int, share: float
) -> None:
    days = max(1, round(share * length))
    replay = EpisodeReplayBuffer(5, length, 1)
    _numbered(replay, [1, 2, 3], length)
    _numbered(replay, [4, 5, 6, 7], length)
    assert replay.episodes == 5
    stretches = replay.sample(40, before, days, torch.Generator().manual_seed(seed))
    assert stretches.observations.shape == (before + days + 1, 40, 1)
    assert stretches.starting.shape == (before + 1, 40)
    seasons = stretches.actions // 100
    # The five last are remembered, two having taken the places of the first two.
    assert set(seasons.flatten().tolist()) <= {3, 4, 5, 6, 7}
    assert (seasons == seasons[0]).all()
    assert (stretches.actions == stretches.actions[0] + torch.arange(days)[:, None]).all()
    torch.testing.assert_close(stretches.rewards, -stretches.actions.float())
    torch.testing.assert_close(
        stretches.observations[before:-1, :, 0], stretches.actions.float(), rtol=0, atol=0
    )
    assert torch.equal(stretches.ended, stretches.actions % 100 == length - 1)
    for column in range(40):
        first = int(stretches.actions[0, column]) % 100
        # Read are the days since the start, or as many as there is room for.
        starts = stretches.starting[:, column].nonzero().flatten().tolist()
        assert starts == ([before - first] if first <= before else [])
        own = min(first, before)
        read = stretches.observations[before - own : before, column, 0].int().tolist()
        season = 100 * int(seasons[0, column])
        assert read == list(range(season + first - own, season + first))
        if first + days < length:
            assert stretches.observations[-1, column, 0] == season + first + days


def test_no_day_of_the_season_is_rarely_drawn() -> None:
    replay = EpisodeReplayBuffer(1, 12, 1)
    _numbered(replay, [0], 12)
    drawn = replay.sample(20_000, 2, 4, torch.Generator().manual_seed(0)).actions
    shares = np.bincount(drawn.flatten(), minlength=12) / drawn.numel()
    assert shares.min() > 0.7 / 12
    assert shares.max() < 2.0 / 12


def _random_stretches(network: HybridNetwork) -> tuple[EpisodeReplayBuffer, Sequences]:
    torch.manual_seed(1)
    replay = EpisodeReplayBuffer(6, 9, 2)
    replay.add(torch.randn(9, 6, 2), torch.randint(3, (9, 6)), torch.randn(9, 6))
    return replay, replay.sample(50, 4, 3, torch.Generator().manual_seed(2))


def _season_start(stretches: Sequences, column: int) -> int:
    starts = stretches.starting[:, column].nonzero().flatten().tolist()
    return starts[0] if starts else 0


def test_burn_in_reads_what_stands_before_and_takes_no_gradient() -> None:
    network = HybridNetwork(2, 3, memory_size=4, hidden_sizes=(5,))
    _, stretches = _random_stretches(network)
    memory = burn_in(network, stretches.observations[:4], stretches.starting)
    assert memory is not None
    assert not memory[0].requires_grad
    starts = set()
    for column in range(50):
        start = _season_start(stretches, column)
        starts.add(start)
        alone = network.initial_hidden(1)
        for day in range(start, 4):
            _, alone = network.step(stretches.observations[day, column : column + 1], alone)
        assert alone is not None
        torch.testing.assert_close(memory[0][column], alone[0][0])
        torch.testing.assert_close(memory[1][column], alone[1][0])
    assert starts == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("network", ["hybrid", "mlp", "lstm"])
def test_loss_and_gradient_equal_a_slow_reference(network: str) -> None:
    """Day by day and season by season, with the memory cut off where the stretch begins."""
    torch.manual_seed(0)
    mask = torch.tensor([True, True, False])
    online, target = (
        HybridNetwork(2, 3, network=network, memory_size=4, hidden_sizes=(5,)) for _ in range(2)
    )
    _, stretches = _random_stretches(online)
    loss = q_learning_loss(online, target, stretches, mask, 0.9, 0.0)
    gradients = torch.autograd.grad(loss, list(online.parameters()))

    def values(net: HybridNetwork, column: int) -> Tensor:
        memory = net.initial_hidden(1)
        days = []
        for day in range(_season_start(stretches, column), 4 + 3 + 1):
            if day == 4 and memory is not None:
                memory = (memory[0].detach(), memory[1].detach())
            one = stretches.observations[day, column][None, None]
            output, memory = net(one, memory)
            days.append(output[0, 0])
        return torch.stack(days[-4:])

    surprises = []
    for column in range(50):
        own = values(online, column)
        judged = values(target, column).detach()
        for day in range(3):
            best = int(own[day + 1, :2].argmax())
            goal = stretches.rewards[day, column]
            if not stretches.ended[day, column]:
                goal = goal + 0.9 * judged[day + 1, best]
            error = (own[day, stretches.actions[day, column]] - goal).abs()
            surprises.append(0.5 * error**2 if error < 1 else error - 0.5)
    expected = torch.stack(surprises).mean()
    torch.testing.assert_close(loss, expected)
    for mine, theirs in zip(
        gradients, torch.autograd.grad(expected, list(online.parameters())), strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("network", "least", "most"), [("hybrid", 1.0, 1.0), ("mlp", 0.2, 0.8)])
def test_the_lstm_recalls_a_cue_that_the_mlp_cannot(
    network: str, least: float, most: float
) -> None:
    """The first day shows which of two plans earns something on the last; nothing else does.

    The stretches are too short to hold both days, so that burn-in has to carry the cue.
    """
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    cues = torch.randint(2, (64,), generator=generator)
    observations = torch.zeros(5, 64, 2)
    observations[0, :, 0] = 2.0 * cues - 1.0
    observations[:, :, 1] = torch.arange(5)[:, None] / 4.0
    actions = torch.randint(2, (5, 64), generator=generator)
    rewards = torch.zeros(5, 64)
    rewards[-1] = (actions[-1] == cues).float()
    replay = EpisodeReplayBuffer(64, 5, 2)
    replay.add(observations, actions, rewards)
    both = torch.ones(2, dtype=torch.bool)
    nets = [
        HybridNetwork(2, 2, network=network, memory_size=8, hidden_sizes=(16,)) for _ in range(2)
    ]
    optimiser = torch.optim.Adam(nets[0].parameters(), lr=0.01)
    for step in range(200):
        stretches = replay.sample(64, 4, 3, generator)
        optimiser.zero_grad()
        q_learning_loss(nets[0], nets[1], stretches, both, 0.5, 0.0).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if step % 20 == 0:
            nets[1].load_state_dict(nets[0].state_dict())
    with torch.no_grad():
        values, _ = nets[0](observations)
    share = float((values[-1].argmax(-1) == cues).float().mean())
    assert least <= share <= most


def decisions(agent: DRQN) -> list[list[int]]:
    """Return what the agent does in three seasons it is shown."""
    observations = np.random.default_rng(0).uniform(1, 30, size=(10, 3, 6)).astype(np.float32)
    actions, state = [], None
    for day, observation in enumerate(observations):
        chosen, state = agent.predict(observation, state, np.full(3, day == 0))
        actions.append(chosen.tolist())
    return actions


def test_save_and_load_decide_alike_and_learn_on(certain: dict[str, Any], tmp_path: Path) -> None:
    agent = small(certain).learn(300)
    agent.save(tmp_path)
    loaded = load_agent(tmp_path)
    assert isinstance(loaded, find_agent("drqn"))
    assert isinstance(loaded, DRQN)
    assert decisions(loaded) == decisions(agent)
    assert json.dumps(loaded.configuration()) == json.dumps(agent.configuration())
    saved, restored = agent.tensors(), loaded.tensors()
    assert saved.keys() == restored.keys()
    for name in saved:
        np.testing.assert_array_equal(saved[name], restored[name], err_msg=name)
    first = agent.tensors()["actor.layers.0.weight"].copy()
    assert any(name.startswith("optimiser.") for name in saved)

    # Both forget their seasons, so that both go on alike.
    agent.learn(100)
    loaded.learn(100)
    assert loaded.timesteps == agent.timesteps == 7 * 48 + 3 * 48
    for name, value in agent.tensors().items():
        np.testing.assert_array_equal(value, loaded.tensors()[name], err_msg=name)
    assert (first != agent.tensors()["actor.layers.0.weight"]).any()


def test_learning_repeats_with_its_seed(certain: dict[str, Any]) -> None:
    def learnt(seed: int) -> dict[str, Any]:
        agent = small(certain, seed=seed)
        torch.manual_seed(99)  # what the process did before must not matter
        return agent.learn(200).tensors()

    first, again, other = learnt(0), learnt(0), learnt(1)
    for name in first:
        np.testing.assert_array_equal(first[name], again[name], err_msg=name)
    assert any((first[name] != other[name]).any() for name in first)


def test_target_is_a_copy_from_a_while_ago(certain: dict[str, Any]) -> None:
    """Three steps a season with a copy every second: alike after two seasons, not after three."""
    agent = small(certain)
    shape = {name: value.clone() for name, value in agent.target.state_dict().items()}
    assert all(torch.equal(shape[name], value) for name, value in agent.actor.state_dict().items())
    agent.learn(96)
    copied = agent.target.state_dict()
    for name, value in agent.actor.state_dict().items():
        assert torch.equal(copied[name], value)
    assert any((shape[name] != value).any() for name, value in copied.items())
    agent = small(certain).learn(144)
    copied = agent.target.state_dict()
    assert any((copied[name] != value).any() for name, value in agent.actor.state_dict().items())


def test_nothing_is_learnt_before_enough_seasons(certain: dict[str, Any]) -> None:
    agent = small(certain, learning_starts=9)
    before = {name: value.copy() for name, value in agent.tensors().items()}
    agent.learn(96)
    for name, value in before.items():
        np.testing.assert_array_equal(agent.tensors()[name], value, err_msg=name)
    agent = small(certain, learning_starts=9).learn(144)
    assert agent.configuration()["updates"] == 3


def test_learning_finds_the_known_best_plan(replay: dict[str, Any]) -> None:
    """Sessions of 10 points exactly: plan 2 (7 points) is always met, plan 3 never is."""
    person = {**replay["individual"], "sessions_trimp": [10.0] * 20}
    env_kwargs = {**replay, "individual": person, "days": 5, "log_part": "all"}
    configuration = {
        "environments": 32,
        "learning_starts": 32,
        "discount": 0.0,
        "memory_size": 16,
        "hidden_sizes": [32],
        "learning_rate": 5e-3,
        "gradient_steps": 15,
    }
    agent = DRQN.create(ENV_ID, env_kwargs=env_kwargs, configuration=configuration).learn(4_000)
    evaluation = evaluate(agent, ENV_ID, episodes=4, env_kwargs=env_kwargs)
    assert (np.isin(evaluation.actions, [1, 2])).all()
    assert evaluation.completion_rate == 1.0


def test_learning_curve_and_progress(certain: dict[str, Any]) -> None:
    steps: list[int] = []
    agent = small(certain).learn(100, progress=steps.append).learn(50, progress=steps.append)
    assert steps == [48, 96, 144, 48, 96]
    timesteps, returns = zip(*agent.learning_curve, strict=True)
    assert timesteps == (48, 96, 144, 192, 240)
    # True returns of whole seasons, between those of the worst and the best plans.
    everyday = [
        evaluate(find_agent("fixed")(plan), ENV_ID, episodes=1, env_kwargs=certain).mean
        for plan in range(11)
    ]
    assert min(everyday) < min(returns) <= max(returns) < 1.2 * max(everyday)


def test_forbidden_plans_are_neither_lived_nor_chosen(
    certain: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lived: list[int] = []
    add = EpisodeReplayBuffer.add

    def spy(
        self: EpisodeReplayBuffer, observations: Tensor, actions: Tensor, rewards: Tensor
    ) -> None:
        lived.extend(actions.flatten().tolist())
        add(self, observations, actions, rewards)

    monkeypatch.setattr(EpisodeReplayBuffer, "add", spy)
    agent = small({**certain, "forbidden_plans": [0, 3, 10]}).learn(500)
    allowed = {1, 2, 4, 5, 6, 7, 8, 9}
    assert set(lived) == allowed
    observations = np.random.default_rng(1).uniform(0, 50, (500, 6)).astype(np.float32)
    for deterministic in (True, False):
        actions, _ = agent.predict(observations, deterministic=deterministic)
        assert set(actions.tolist()) <= allowed


def test_random_plans_give_way_to_those_of_most_value_by_all_that_was_seen(
    replay: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = small(
        replay,
        environments=16,
        replay_episodes=16,
        exploration_share=0.5,
        final_exploration=0.0,
    )
    with torch.no_grad():
        agent.actor.layers[-1].weight.mul_(100.0)  # lest one plan were best whatever is seen
    best: list[float] = []
    best_of_the_day: list[float] = []

    def compare(
        self: EpisodeReplayBuffer, observations: Tensor, actions: Tensor, _: Tensor
    ) -> None:
        """Say how many plans are the most valuable; remember nothing, so nothing is learnt."""
        memory = nothing = agent.actor.initial_hidden(16)
        hits, hits_of_the_day = [], []
        for observation, action in zip(observations, actions, strict=True):
            of_the_day, _ = agent.actor.step(observation, nothing)
            values, memory = agent.actor.step(observation, memory)
            hits.append(action == values.argmax(-1))
            hits_of_the_day.append(action == of_the_day.argmax(-1))
        best.append(float(torch.stack(hits).float().mean()))
        best_of_the_day.append(float(torch.stack(hits_of_the_day).float().mean()))

    monkeypatch.setattr(EpisodeReplayBuffer, "add", compare)
    agent.learn(4 * 12 * 16)
    # Plans are random, any of eleven, with probability 1, 1/2 and then 0; four standard errors
    # are below 0.15.
    np.testing.assert_allclose(best[:2], [1 / 11, 6 / 11], atol=0.15)
    assert best[2:] == [1.0, 1.0]
    assert max(best_of_the_day[2:]) < 0.9


def test_the_learning_rate_of_every_gradient_step_falls_linearly(
    certain: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []
    step = torch.optim.Adam.step

    def note(self: torch.optim.Adam, *arguments: Any) -> Any:
        rates.extend(group["lr"] for group in self.param_groups)
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.Adam, "step", note)
    small(certain, learning_rate=0.5).learn(8 * 4 * 12)
    # Three steps after each of eight episodes of four environments.
    np.testing.assert_allclose(rates, np.repeat(0.5 * (1.0 - np.arange(8) / 8), 3))


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_long_gradients_are_cut_to_a_norm_of_ten(
    certain: dict[str, Any], monkeypatch: pytest.MonkeyPatch, scale: float
) -> None:
    """What the optimiser is given is the loss's gradient, or the part of it of norm 10."""
    agent = small(certain, network="mlp", activation="relu", gradient_steps=1)
    # Inputs so much larger make for gradients so much longer.
    agent.normalisation = dataclasses.replace(
        agent.normalisation, deviation=agent.normalisation.deviation / scale
    )
    drawn: list[Sequences] = []
    sample = EpisodeReplayBuffer.sample

    def note(self: EpisodeReplayBuffer, *arguments: Any) -> Sequences:
        drawn.append(sample(self, *arguments))
        return drawn[-1]

    monkeypatch.setattr(EpisodeReplayBuffer, "sample", note)
    monkeypatch.setattr("fitgym_agents.deep.normalisation.CLIP", 1e9)
    given: list[Tensor] = []
    own: list[Tensor] = []

    def compare(self: torch.optim.Adam, *_: Any) -> None:
        weights = list(agent.actor.parameters())
        given.append(torch.cat([weight.grad.flatten() for weight in weights]))
        loss = q_learning_loss(agent.actor, agent.target, drawn[-1], agent.mask, 0.99, 0.9)
        own.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, weights)]))

    monkeypatch.setattr(torch.optim.Adam, "step", compare)
    agent.learn(48)
    assert (own[0].norm() > 10.0) == (scale > 1.0)
    expected = own[0] * min(1.0, 10.0 / float(own[0].norm()))
    torch.testing.assert_close(given[0], expected, rtol=1e-4, atol=1e-6)


def test_wrong_settings_are_clear_errors(certain: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"unknown keys \['learning_speed'\].*learning_rate"):
        small(certain, learning_speed=1)
    for field in dataclasses.fields(DRQN.settings_class):
        for wrong in (-1, float("nan"), "many", None):
            with pytest.raises((ValueError, TypeError), match=field.name):
                small(certain, **{field.name: wrong})
    with pytest.raises(ValueError, match="environments must be at most replay_episodes=3, got 4"):
        small(certain, replay_episodes=3, learning_starts=3)
    with pytest.raises(ValueError, match="learning_starts must be at most replay_episodes=10"):
        small(certain, learning_starts=11)
