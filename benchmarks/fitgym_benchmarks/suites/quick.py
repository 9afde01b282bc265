"""What ``fitgym benchmark quick`` runs: all learners and references on a small budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym

from fitgym.common.tables import MISSING, text_table
from fitgym_agents.configuration_files import configuration_for, split_agent
from fitgym_agents.environments import EnvironmentFactory, log_part
from fitgym_agents.people import observation_of
from fitgym_agents.pretrained import load_pretrained, pretrained_agents
from fitgym_agents.references.simple import reference_agents
from fitgym_agents.registry import find_agent
from fitgym_agents.scores import share_of_ceiling
from fitgym_agents.summary import PEOPLE_COLUMNS, RANKING_NOTE, Summary, evaluate_modes
from fitgym_benchmarks.runs import STAGES, Run

# Those in which plans have consequences come first.
ENVIRONMENTS = (
    *STAGES,
    "fitgym/AcquisitionReplay-v0",
    "fitgym/RetentionReplay-v0",
)

# The slowest first, so that the two workers end at about the same time.
LEARNERS = ("recurrent-ppo", "dqn", "a2c", "ppo", "a3c")

# A3C's own defaults are for millions of steps, which it takes in a minute. For equal few steps it
# has the best of 21 settings at 300,000 steps, of each version's environments (docs/algorithms.md).
_A3C_FEW_STEPS: Mapping[int, Mapping[str, Any]] = {
    0: {
        "environments": 8,
        "steps": 10,
        "learning_rate": 1.5e-3,
        "advantage_decay": 1.0,
        "entropy_bonus": 0.024,
        "optimiser": "rmsprop",
        "activation": "tanh",
    },
    1: {
        "environments": 8,
        "steps": 30,
        "learning_rate": 7.63e-3,
        "advantage_decay": 0.9,
        "entropy_bonus": 0.0386,
        "gradient_norm": 1.0,
        "activation": "tanh",
    },
}

# Steps of training per run: the slowest learner then takes about a minute, and all of it together
# about half of ten minutes on two cores.
STEPS = 300_000

# Fang et al. 2022 average over 100 simulations.
EPISODES = 100


def quick_runs(
    *,
    seed: int = 0,
    steps: int = STEPS,
    episodes: int = EPISODES,
    environments: Sequence[str] = ENVIRONMENTS,
    environment_kwargs: Mapping[str, Any] | None = None,
    agents: Sequence[str] = (),
) -> list[Run]:
    """Return the runs of the quick benchmark: the learners of all environments, then references.

    Under replay adherence learners train on windows of the log's first part, and all agents are
    evaluated on windows of the rest, which no learner has seen.

    Args:
        seed: Seed of the training.
        steps: Environment steps per training.
        episodes: Episodes to evaluate on, common to all runs of an environment.
        environments: Registered ids.
        environment_kwargs: Further arguments of all environments.
        agents: Further agents: names or import paths, with arguments if any, as in
            ``package.module:Class,argument=value``. Those that learn are trained.

    Raises:
        ValueError: If there is no such agent or environment, or an argument is malformed.
        TypeError: If a further agent is no agent.
    """
    others = [split_agent(text) for text in agents]
    learners, references = [], []
    for environment in environments:
        training_kwargs = {**log_part(environment, "train"), **(environment_kwargs or {})}
        evaluation_kwargs = {**log_part(environment, "test"), **(environment_kwargs or {})}
        learners += [
            Run(
                agent=learner,
                environment=environment,
                configuration=configuration,
                training_kwargs=training_kwargs,
                evaluation_kwargs=evaluation_kwargs,
                steps=steps,
                seed=seed,
                episodes=episodes,
            )
            for learner, configuration in [
                *((name, _settings(name, environment)) for name in LEARNERS),
                *(other for other in others if find_agent(other[0]).learns()),
            ]
        ]
        person: Any = EnvironmentFactory(environment, evaluation_kwargs)().unwrapped
        references += [
            Run(
                agent=agent,
                environment=environment,
                configuration=configuration,
                evaluation_kwargs=evaluation_kwargs,
                episodes=episodes,
            )
            for agent, configuration in [
                *(
                    (f"{type(agent).__module__}:{type(agent).__qualname__}", agent.configuration())
                    for agent in reference_agents(person)
                ),
                *(other for other in others if not find_agent(other[0]).learns()),
            ]
        ]
    # How long somebody else's training takes is not known; it goes first.
    order = {name: place for place, name in enumerate(LEARNERS)}
    return sorted(learners, key=lambda run: order.get(run.agent, -1)) + references


def a3c_few_steps(environment: str) -> dict[str, Any]:
    """Return A3C's settings for a training of ``STEPS`` steps.

    Args:
        environment: Registered id.
    """
    shipped = configuration_for("a3c", environment).configuration
    return {**shipped, **_A3C_FEW_STEPS[gym.spec(environment).version or 0]}


def _settings(learner: str, environment: str) -> dict[str, Any]:
    """Return the settings that ship, or for A3C those for few steps."""
    if learner == "a3c":
        return a3c_few_steps(environment)
    return dict(configuration_for(learner, environment).configuration)


def first_tables(environment: str, *, episodes: int = EPISODES) -> str:
    """Return the references and the trained agents that ship, which need no training.

    Args:
        environment: Registered id.
        episodes: Episodes to evaluate on.
    """
    kwargs = log_part(environment, "test")
    person: Any = EnvironmentFactory(environment, kwargs)().unwrapped
    shipped = [name for name, env_id in pretrained_agents() if env_id == environment]
    agents = [
        *((agent.name, agent) for agent in reference_agents(person)),
        *((f"pretrained:{name}", load_pretrained(name, environment)) for name in shipped),
    ]
    summaries = []
    for label, agent in agents:
        likeliest, drawn = evaluate_modes(
            agent,
            environment,
            episodes=episodes,
            env_kwargs={**kwargs, **observation_of(agent)},
        )
        summaries.append(Summary(label, (likeliest,), (drawn,) if drawn else ()))
    summaries.sort(key=lambda one: one.mean_return.mean)
    no_service = next(one for one in summaries if one.label == "no service").evaluations[0]
    rows = [
        (
            one.label,
            f"{one.mean_return.mean:,.1f}",
            _share(environment, kwargs, one.mean_return.mean),
            f"{one.mean_return.low:,.0f} to {one.mean_return.high:,.0f}",
            *one.mode_cells(),
        )
        for one in summaries
    ]
    columns = ("agent", "mean return", "% of the way", "95% interval", "likeliest", "drawn")
    people = [one.people_cells(no_service) for one in summaries]
    return (
        f"{environment}, before training\n{text_table(columns, rows)}\n{RANKING_NOTE}\n\n"
        f"{text_table(PEOPLE_COLUMNS, people)}"
    )


def _share(environment: str, kwargs: Mapping[str, Any], mean_return: float) -> str:
    share = share_of_ceiling(environment, kwargs, mean_return)
    return MISSING if share is None else f"{100 * share:.1f}"
