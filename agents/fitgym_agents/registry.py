"""Agents by name: built in, offered by installed packages, or by import path."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from fitgym_agents.agent import Agent

_ENTRY_POINT_GROUP = "fitgym.agents"


@dataclass(frozen=True)
class BuiltIn:
    """A built-in agent, described without importing it.

    Attributes:
        path: Import path of its class.
        learns: Whether it learns.
        summary: What it does, in one line.
    """

    path: str
    learns: bool
    summary: str


def _learner(path: str, summary: str) -> BuiltIn:
    return BuiltIn(f"fitgym_agents.{path}", True, summary)


def _reference(path: str, summary: str) -> BuiltIn:
    return BuiltIn(f"fitgym_agents.references.{path}", False, summary)


BUILT_IN = {
    "a2c": _learner("sb3.algorithms:A2C", "advantage actor-critic of Stable-Baselines3"),
    "a3c": _learner("deep.a3c.algorithm:A3C", "the paper's recurrent A3C with its hybrid network"),
    "acktr": _learner("deep.acktr.algorithm:ACKTR", "actor-critic with K-FAC natural gradients"),
    "dqn": _learner("sb3.algorithms:DQN", "deep Q-learning of Stable-Baselines3"),
    "drqn": _learner("deep.drqn.algorithm:DRQN", "deep recurrent Q-learning"),
    "gail": _learner("deep.gail.algorithm:GAIL", "imitation of an expert's recorded episodes"),
    "ppo": _learner("sb3.algorithms:PPO", "proximal policy optimisation of Stable-Baselines3"),
    "recurrent-ppo": _learner("sb3.algorithms:RecurrentPPO", "sb3-contrib's PPO with an LSTM"),
    "belief": _reference(
        "planning:BeliefPolicy", "dynamic programming with a belief about hidden motivation"
    ),
    "coach": _reference(
        "simple:CoachRule", "a coach's rule: build up, alternate hard and easy days, taper"
    ),
    "dynamic-programming": _reference(
        "planning:DynamicProgramming", "the largest expected return; sees model and motivation"
    ),
    "fixed": _reference("simple:FixedPlan", "the same plan every day; plan 0 is no service"),
    "foresight": _reference(
        "simple:Foresight", "the largest reward today, knowing the session to come (replay)"
    ),
    "habit": _reference("simple:HabitPlan", "the plan nearest to the individual's mean session"),
    "myopic": _reference("simple:Myopic", "the largest expected reward today; sees the model"),
    "random": _reference("simple:RandomPlan", "every allowed action with equal probability"),
}

# Modules in which agents saved by version 0.1 lay.
_MOVED = {
    "agents.a3c": "fitgym_agents.deep.a3c.algorithm",
    "agents.acktr": "fitgym_agents.deep.acktr.algorithm",
    "agents.drqn": "fitgym_agents.deep.drqn.algorithm",
    "agents.gail": "fitgym_agents.deep.gail.algorithm",
    "agents.planning": "fitgym_agents.references.planning",
    "agents.reference": "fitgym_agents.references.simple",
    "agents.sb3": "fitgym_agents.sb3.algorithms",
}


def find_agent(name: str) -> type[Agent]:
    """Return the class of agent called ``name``.

    Args:
        name: A built-in name (see ``BUILT_IN``), an import path ``package.module:Class``, or the
            name of an entry point that a package offers in the group ``fitgym.agents``.

    Raises:
        ValueError: If there is no such agent.
        TypeError: If the name leads to something that is no agent.
        ImportError: If its module needs a package that is not installed.
    """
    if name in BUILT_IN:
        return import_agent(BUILT_IN[name].path)
    if ":" in name:
        return import_agent(name)
    offered = plugins()
    if name not in offered:
        known = ", ".join(map(repr, sorted({*BUILT_IN, *offered})))
        raise ValueError(
            f"agent must be one of {known} or an import path 'package.module:Class', got {name!r}"
        )
    return import_agent(offered[name])


def find_learner(name: str) -> type[Agent]:
    """Return the class of agent called ``name``, as ``find_agent`` does, if it learns.

    Raises:
        ValueError: If there is no such agent, or it does not learn.
        TypeError: If the name leads to something that is no agent.
        ImportError: If its module needs a package that is not installed.
    """
    agent_class = find_agent(name)
    if not agent_class.learns():
        raise ValueError(f"agent {name!r} does not learn: there is nothing to train")
    return agent_class


def plugins() -> dict[str, str]:
    """Return the import paths of the agents that installed packages offer, by name.

    A built-in name means the built-in agent, whoever offers another.
    """
    offered = entry_points(group=_ENTRY_POINT_GROUP)
    return {e.name: f"{e.module}:{e.attr}" for e in offered if e.name not in BUILT_IN}


def import_agent(path: str) -> type[Agent]:
    """Return the agent class at an import path ``package.module:Class``.

    Raises:
        ValueError: If it is not such a path, or leads nowhere.
        TypeError: If it leads to something that is no agent.
        ImportError: If its module needs a package that is not installed.
    """
    module, _, attribute = path.partition(":")
    if not module or not attribute:
        raise ValueError(f"agent must be an import path 'package.module:Class', got {path!r}")
    module = _MOVED.get(module, module)
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, TypeError) as error:
        if isinstance(error, ImportError) and not _leads_to(module, error.name):
            raise
        raise ValueError(f"agent {path!r} cannot be imported: {error}") from error
    if not (isinstance(found, type) and issubclass(found, Agent)):
        raise TypeError(f"agent {path!r} must be a subclass of Agent, got {found!r}")
    return found


def _leads_to(module: str, missing: str | None) -> bool:
    """Return whether the missing module is ``module`` or a package that it lies in."""
    return missing is not None and f"{module}.".startswith(f"{missing}.")
