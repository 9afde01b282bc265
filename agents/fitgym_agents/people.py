"""Evaluate agents over people: each one's share of the way to the optimum, and who loses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitgym.people.individual import Individual
from fitgym.planning.people_references import PersonReferences
from fitgym_agents.agent import Agent
from fitgym_agents.evaluation import EVALUATION_SEED, Evaluation, evaluate

# Where the box holds whoever is named.
_ANYBODY = "population"


@dataclass(frozen=True, eq=False)
class PeopleReturns:
    """Mean returns of one agent for each of P people, over the same episodes.

    Attributes:
        agent: Name of the agent.
        deterministic: Whether the agent took its likeliest action, and did not draw them.
        returns: Mean return of each person, (P,).
        gains: Mean VDOT at the end less that at the start of each person, (P,).
    """

    agent: str
    deterministic: bool
    returns: NDArray[np.float64]
    gains: NDArray[np.float64]

    def shares(self, references: Sequence[PersonReferences]) -> NDArray[np.float64]:
        """Return how far each person comes from no service (0) to the dynamic program (1), (P,).

        Args:
            references: Of the same people.
        """
        return np.array(
            [one.share(float(mean)) for one, mean in zip(references, self.returns, strict=True)]
        )


def evaluate_people(
    agent: Agent,
    env_id: str,
    people: Sequence[Individual],
    *,
    episodes: int,
    seed: int = EVALUATION_SEED,
    deterministic: bool = True,
) -> PeopleReturns:
    """Let an agent serve each of the people in the same episodes.

    The agent sees what it was trained on, references the state.

    Args:
        agent: Who decides.
        env_id: Registered id.
        people: P of them.
        episodes: Episodes of each person.
        seed: Seed of the first episode.
        deterministic: Whether the agent takes its likeliest action rather than to draw one.

    Raises:
        ValueError: If an argument is out of range, or a person does not fit into the population.
    """
    found: Evaluation = evaluate(
        agent,
        env_id,
        episodes=episodes,
        seed=seed,
        env_kwargs={"individual": _ANYBODY, **observation_of(agent)},
        deterministic=deterministic,
        people=people,
    )
    return PeopleReturns(
        agent=found.agent,
        deterministic=deterministic,
        returns=found.returns.reshape(len(people), episodes).mean(axis=1),
        gains=found.performance_gain.reshape(len(people), episodes).mean(axis=1),
    )


def observation_of(agent: Agent) -> dict[str, str]:
    """Return the environment's argument for what an agent sees; empty where that is the state."""
    observation = getattr(agent, "observation", "state")
    return {} if observation == "state" else {"observation": observation}
