"""What a privileged critic is told, against the environment, and that the actor is told none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from fitgym_agents.deep.a3c.algorithm import A3C
from fitgym_agents.deep.privileged import PrivilegedFacts, motivations
from fitgym_agents.deep.rollout import Collector
from fitgym_agents.environments import make_vector_env
from fitgym_agents.files import load_agent

ENV_ID = "fitgym/Acquisition-v1"
PEOPLE = {"individual": "population:train", "observation": "person", "days": 5}
SMALL = {"critic": "privileged", "environments": 4, "workers": 0, "steps": 3, "memory_size": 8}


def test_people_differ_in_what_the_critic_is_told() -> None:
    facts = PrivilegedFacts.of(ENV_ID, PEOPLE)
    assert {"heart_rate_offset", "fitness_utility", "log_reference_tolerance"} <= {*facts.fields}
    # What is the same for everybody tells nothing.
    assert not {"completion_bonus", "tolerance_sd", "table"} & {*facts.fields}
    environments = make_vector_env(ENV_ID, 400, PEOPLE)
    environments.reset(seed=1)
    numbers = facts.people(environments)
    assert numbers.shape == (400, len(facts) - 1)
    assert np.abs(numbers.mean(axis=0)).max() < 0.3
    assert np.abs(numbers.std(axis=0) - 1.0).max() < 0.3
    person = environments.unwrapped.individuals[7]  # type: ignore[attr-defined]
    column = facts.fields.index("heart_rate_offset")
    offset = facts.mean[column] + facts.deviation[column] * numbers[7, column]
    assert abs(offset - person.physiology.heart_rate_offset) < 1e-4


def test_of_a_single_person_the_critic_is_told_motivation_alone() -> None:
    facts = PrivilegedFacts.of(ENV_ID, {})
    assert len(facts) == 1
    environments = make_vector_env(ENV_ID, 3)
    environments.reset(seed=0)
    assert facts.people(environments).shape == (3, 0)
    expected = np.concatenate(environments.get_attr("state"))["motivation"]  # type: ignore[attr-defined]
    np.testing.assert_array_equal(motivations(environments)[:, 0], expected.astype(np.float32))


def test_a_rollout_tells_the_person_and_the_motivation_of_each_day() -> None:
    """Over the end of an episode, too, where other people come in."""
    agent = A3C.create(ENV_ID, env_kwargs=PEOPLE, configuration=SMALL)
    facts = PrivilegedFacts.of(ENV_ID, PEOPLE)
    environments = make_vector_env(ENV_ID, 4, PEOPLE)
    collector = Collector(environments, agent.normalisation, agent.mask, 3, facts)
    before = facts.people(environments)
    rollout = collector.collect(agent.actor, 7)
    told = rollout.critic_observations.numpy()
    assert told.shape == (8, 4, 15 + len(facts))
    np.testing.assert_array_equal(told[..., :15], rollout.observations.numpy())
    for day in range(5):
        np.testing.assert_array_equal(told[day, :, 16:], before)
    after = facts.people(environments)
    assert (after != before).any()
    for day in range(5, 8):
        np.testing.assert_array_equal(told[day, :, 16:], after)
    np.testing.assert_array_equal(told[-1, :, 15:16], motivations(environments))


def test_the_actor_needs_nothing_of_it(tmp_path: Path) -> None:
    agent = A3C.create(ENV_ID, env_kwargs=PEOPLE, configuration=SMALL).learn(200)
    agent.save(tmp_path)
    loaded = load_agent(tmp_path)
    observations = np.zeros((2, 15), dtype=np.float32)
    for one in (agent, loaded):
        actions, _ = one.predict(observations)
        assert actions.shape == (2,)
    assert agent.actor.memory is not None
    assert agent.actor.memory.input_size == 15
    assert isinstance(loaded, A3C)
    for name, weights in agent.networks["critic"].state_dict().items():
        assert torch.equal(weights, loaded.networks["critic"].state_dict()[name])
