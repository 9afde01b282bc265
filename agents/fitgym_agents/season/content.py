"""What the season's page holds: people, tables, noise, policies and the compiled step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from torch import nn

import fitgym  # noqa: F401
from fitgym.envs.cost import WEEK_COLUMNS
from fitgym.envs.records import OUTCOME, PERSON, STATE
from fitgym.model.daniels import race_time
from fitgym.model.strain import DANGEROUS_RATIO, HIGH_RATIO
from fitgym.people.individual import load_individual
from fitgym.people.runners import RUNNERS
from fitgym.planning.rules import rule_of_thumb
from fitgym_agents.deep.learner import Learner
from fitgym_agents.deep.normalisation import CLIP
from fitgym_agents.pretrained import load_pretrained
from fitgym_agents.season.kernel import read_kernel
from fitgym_agents.season.packing import Packer
from fitgym_agents.season.plans import DAYS, PLANNED, SEASONS, STAGES, plans_key, read_plans

# The policy for everyone; it sees what a service knows of the person.
_LEARNT = "a3c-population"
_RACE_METRES = 10_000.0
# VDOTs for which the page knows race times; it reads between them off a line.
_VDOTS = np.arange(15.0, 90.0, 0.25)


def season_content() -> dict[str, Any]:
    """Return the page's content as JSON can hold it."""
    packer = Packer()
    plans = read_plans()
    people = [_person(packer, name, plans) for name in RUNNERS]
    networks = {stage: _network(packer, environment_id) for stage, environment_id in STAGES.items()}
    keys = packer.add(_keys())
    kernel = packer.add(np.frombuffer(read_kernel(), np.uint8))
    return {
        "days": DAYS,
        "seasons": SEASONS,
        "weekColumns": WEEK_COLUMNS,
        "ratios": [HIGH_RATIO, DANGEROUS_RATIO],
        "sizes": {"person": PERSON.itemsize, "state": STATE.itemsize, "outcome": OUTCOME.itemsize},
        "outcome": list(OUTCOME.names or ()),
        "coach": rule_of_thumb(np.arange(DAYS), DAYS).tolist(),
        "race": [[float(vdot), race_time(float(vdot), _RACE_METRES)] for vdot in _VDOTS],
        "keys": keys,
        "kernel": kernel,
        "networks": networks,
        "people": people,
        "blob": packer.text(),
    }


def _person(packer: Packer, name: str, plans: Mapping[str, NDArray[np.uint8]]) -> dict[str, Any]:
    """Return what the compiled step needs of a person, and plans found before."""
    individual = load_individual(name)
    physiology, habit = individual.physiology, individual.habit
    prepared = {}
    for stage, environment_id in STAGES.items():
        environment: Any = gym.make(environment_id, individual=individual).unwrapped
        prepared[stage] = environment.task.prepare(individual)
    adherence = prepared["acquisition"].adherence
    return {
        "name": name,
        "vdot": physiology.vdot,
        "habit": [habit.probability, habit.median_trimp],
        "adherence": adherence.code,
        "context": packer.add(prepared["acquisition"].context.reshape(1, -1)),
        # Load tables know the heart and not the stage.
        "tables": {field: packer.add(table) for field, table in adherence.tables._asdict().items()},
        "targets": list(map(float, prepared["acquisition"].targets_trimp)),
        "stages": {
            stage: {
                "person": packer.add(one.record),
                "start": packer.add(one.starts),
                "plans": {
                    policy: packer.add(plans[plans_key(policy, stage, name)]) for policy in PLANNED
                },
            }
            for stage, one in prepared.items()
        },
    }


def _keys() -> NDArray[np.uint64]:
    """Return the noise key of each season, that of an environment reset with its number."""
    environments: Any = gym.make_vec(STAGES["acquisition"], SEASONS).unwrapped
    environments.reset(seed=0)
    return np.ascontiguousarray(environments.states["key"])


def _network(packer: Packer, environment_id: str) -> dict[str, Any]:
    """Return the acting network of the policy for everyone, and its normalisation."""
    agent = load_pretrained(_LEARNT, environment_id)
    assert isinstance(agent, Learner)
    actor = agent.actor
    assert actor.memory is not None
    layers = [layer for layer in actor.layers if isinstance(layer, nn.Linear)]

    def add(weights: Any) -> dict[str, Any]:
        # Flat, since weights are no curves.
        return packer.add(weights.detach().numpy().ravel())

    return {
        "units": actor.memory.hidden_size,
        "activation": actor.activation,
        "clip": CLIP,
        "mean": agent.normalisation.mean.tolist(),
        "deviation": agent.normalisation.deviation.tolist(),
        "memory": [add(weights) for weights in actor.memory.all_weights[0]],
        "layers": [[add(layer.weight), add(layer.bias)] for layer in layers],
    }
