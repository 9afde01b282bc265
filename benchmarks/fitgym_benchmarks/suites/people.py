"""One policy for everyone: agents on people whom nobody trained on (``benchmark people``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.files import write_text
from fitgym.common.provenance import machine
from fitgym.common.statistics import Interval, bootstrap_interval
from fitgym.common.tables import markdown_table
from fitgym.people.runners import RUNNERS
from fitgym.planning.people_references import EPISODES, people_references, split_of
from fitgym.planning.scores import load_reference_scores
from fitgym_agents.agent import Agent
from fitgym_agents.people import PeopleReturns, evaluate_people, observation_of
from fitgym_agents.references.simple import CoachRule, FixedPlan
from fitgym_agents.summary import evaluate_modes
from fitgym_benchmarks.runs import Run

# What training on people is: someone else of the training split in every episode.
TRAINING_KWARGS: Mapping[str, Any] = {"individual": "population:train", "observation": "person"}

# Name of the agent, its settings where they differ from the defaults, and steps of training.
POPULATION_ROWS: dict[str, tuple[str, Mapping[str, Any], int]] = {
    "A3C": ("a3c", {"critic": "privileged"}, 30_000_000),
    "DRQN": ("drqn", {}, 1_000_000),
    "RecurrentPPO": ("recurrent-ppo", {}, 1_000_000),
    "PPO": ("ppo", {}, 1_000_000),
}

# Episodes of each of the people without references: nobody is judged alone there.
_FEWER_EPISODES = 20

SHARE_COLUMNS = (
    "agent",
    "mean share",
    "median",
    "25th percentile",
    "10th percentile",
    "worse than no service",
    "worse than the coach",
    "VDOT gain",
    "likeliest",
    "drawn",
)
_EVERYBODY_COLUMNS = (
    "agent",
    "over no service",
    "over the coach",
    "worse than no service",
    "worse than the coach",
    "VDOT gain",
)


@dataclass(frozen=True, eq=False)
class ServedPeople:
    """One agent on the test people.

    Attributes:
        label: What tables call it.
        likeliest: By its likeliest actions.
        drawn: By drawn actions; None for one that does not learn.
    """

    label: str
    likeliest: PeopleReturns
    drawn: PeopleReturns | None

    def better(self, worth: Callable[[PeopleReturns], NDArray[np.float64]]) -> PeopleReturns:
        """Return the mode that the agent is ranked by, likeliest or drawn actions.

        Args:
            worth: What its mean over people decides by.
        """
        modes = [one for one in (self.likeliest, self.drawn) if one is not None]
        return max(modes, key=lambda one: float(worth(one).mean()))


def population_runs(
    environments: Sequence[str], seeds: int, rows: Sequence[str] = tuple(POPULATION_ROWS)
) -> dict[tuple[str, str], list[Run]]:
    """Return the trainings on the population, by environment and row.

    Args:
        environments: Registered ids.
        seeds: Trainings of each learner.
        rows: Which of ``POPULATION_ROWS``.
    """
    runs = {}
    for label in rows:
        agent, configuration, steps = POPULATION_ROWS[label]
        for environment in environments:
            runs[environment, label] = [
                Run(
                    agent=agent,
                    environment=environment,
                    configuration=configuration,
                    training_kwargs=TRAINING_KWARGS,
                    evaluation_kwargs={**TRAINING_KWARGS, "individual": "population:validation"},
                    steps=steps,
                    seed=seed,
                )
                for seed in range(seeds)
            ]
    return runs


def serve(label: str, agent: Agent, env_id: str, *, people: int, episodes: int) -> ServedPeople:
    """Let an agent serve the first test people.

    Args:
        label: What tables call it.
        agent: The agent.
        env_id: Registered id.
        people: How many.
        episodes: Episodes of each.
    """
    split = split_of(env_id, "test")
    named = [split.person(number) for number in range(people)]
    modes = (True, False) if agent.learns() else (True,)
    likeliest, *drawn = (
        evaluate_people(agent, env_id, named, episodes=episodes, deterministic=mode)
        for mode in modes
    )
    return ServedPeople(label, likeliest, drawn[0] if drawn else None)


def share_rows(env_id: str, agents: Mapping[str, Agent]) -> list[tuple[str, ...]]:
    """Return how far agents come with test people, and references above them.

    Args:
        env_id: Registered id.
        agents: By label.

    Returns:
        Rows of cells, in the order of ``SHARE_COLUMNS``.
    """
    references = people_references(env_id)
    none = np.array([one.none for one in references])
    coach = np.array([one.coach for one in references])
    ceiling = np.array([one.ceiling for one in references])
    rows = [
        _share_row(label, (returns - none) / (ceiling - none), returns - coach)
        for label, returns in (
            ("best fixed plan for each person", np.array([one.fixed for one in references])),
            ("coach", coach),
            ("belief, knowing the person", np.array([one.belief for one in references])),
        )
    ]
    for label, agent in agents.items():
        served = serve(label, agent, env_id, people=len(references), episodes=EPISODES)
        better = served.better(lambda one: one.shares(references))
        rows.append(
            _share_row(
                label,
                better.shares(references),
                better.returns - coach,
                gain=f"{better.gains.mean():+.2f}",
                modes=[
                    f"{100 * one.shares(references).mean():.1f} %" if one else "-"
                    for one in (served.likeliest, served.drawn)
                ],
            )
        )
    return rows


def people_tables(env_id: str, agents: Mapping[str, Agent], *, everybody: int) -> list[str]:
    """Return the tables of one environment as Markdown: shares, all test people, shipped runners.

    Args:
        env_id: Registered id.
        agents: By label.
        everybody: How many test people the second table is of; 0 leaves it out.
    """
    people = len(people_references(env_id))
    tables = [
        f"**{env_id}, {people} test people, {EPISODES} episodes each:** share of the way "
        "from no service to the person's own dynamic program",
        markdown_table(SHARE_COLUMNS, share_rows(env_id, agents)),
    ]
    if everybody:
        tables += [
            f"**{env_id}, {everybody} test people, {_FEWER_EPISODES} episodes each**",
            markdown_table(_EVERYBODY_COLUMNS, _everybody(env_id, agents, everybody)),
        ]
    tables += [f"**{env_id}, the runners that ship**", _runners_table(env_id, agents)]
    return tables


def write_page(tables: Sequence[str], out: Path, command: str) -> Path:
    """Write ``people.md`` and return its path.

    Args:
        tables: Of all environments.
        out: Folder.
        command: What made them.
    """
    lines = [
        f"`{command}` on {machine()}. Learners by the better of likeliest and drawn actions.",
        *tables,
    ]
    path = out / "people.md"
    write_text(path, "\n\n".join(lines) + "\n")
    return path


def _share_row(
    label: str,
    shares: NDArray[np.float64],
    over_coach: NDArray[np.float64],
    gain: str = "-",
    modes: Sequence[str] = ("-", "-"),
) -> tuple[str, ...]:
    # The references are stored with three decimals; adding zero turns -0 into 0.
    shares, over_coach = np.round(shares, 4) + 0.0, np.round(over_coach, 2) + 0.0
    mean = bootstrap_interval(shares)
    tenth, quarter, middle = np.percentile(shares, [10, 25, 50])
    return (
        label,
        f"{100 * mean.mean:.1f} % ({100 * mean.low:.1f} to {100 * mean.high:.1f})",
        *(f"{100 * share:.1f} %" for share in (middle, quarter, tenth)),
        _percent(shares < 0.0),
        _percent(over_coach < 0.0),
        gain,
        *modes,
    )


def _everybody(env_id: str, agents: Mapping[str, Agent], people: int) -> list[tuple[str, ...]]:
    def served(label: str, agent: Agent) -> PeopleReturns:
        one = serve(label, agent, env_id, people=people, episodes=_FEWER_EPISODES)
        return one.better(lambda mode: mode.returns)

    none = served("no service", FixedPlan(0))
    coach = served("coach", CoachRule())
    rows: list[tuple[str, ...]] = []
    for label, one in [
        ("coach", coach),
        *((label, served(label, agent)) for label, agent in agents.items()),
    ]:
        rows.append(
            (
                label,
                _difference(bootstrap_interval(one.returns - none.returns)),
                _difference(bootstrap_interval(one.returns - coach.returns)),
                _percent(one.returns < none.returns),
                _percent(one.returns < coach.returns),
                f"{one.gains.mean():+.2f}",
            )
        )
    return rows


def _runners_table(env_id: str, agents: Mapping[str, Agent]) -> str:
    """Return the share of the way of each agent for each shipped runner, as Markdown."""
    rows = []
    for label, agent in {"coach": CoachRule(), **agents}.items():
        cells = [label]
        for name in RUNNERS:
            # Not all of them fit into the population's observation space.
            likeliest, drawn = evaluate_modes(
                agent,
                env_id,
                episodes=EPISODES,
                env_kwargs={"individual": name, **observation_of(agent)},
            )
            best = max(one.mean for one in (likeliest, drawn) if one is not None)
            cells.append(f"{100 * load_reference_scores(env_id, name).share(best):.1f} %")
        rows.append(tuple(cells))
    return markdown_table(("agent", *RUNNERS), rows)


def _difference(interval: Interval) -> str:
    return f"{interval.mean:+.1f} ({interval.low:+.1f} to {interval.high:+.1f})"


def _percent(which: NDArray[np.bool_]) -> str:
    return f"{100 * float(which.mean()):.1f} %"
