"""A trained agent that serves as it is: it goes on deciding, and learns nothing more."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym_agents.agent import Agent
from fitgym_agents.online.agent import Observations, OnlineAgent, Profiles, Service
from fitgym_agents.pretrained import load_pretrained, pretrained_agents

Floats = NDArray[np.float64]


class Pretrained(OnlineAgent):
    """An agent that ships, with the action that it holds for the best.

    Its memory, if it has one, moves on each day of a person's season, on those on which nobody can
    push with what was last known.
    """

    def __init__(self, agent: str) -> None:
        """Choose the agent.

        Args:
            agent: Its name, as in ``pretrained:a3c``.

        Raises:
            ValueError: If none of that name ships.
        """
        names = sorted({name for name, _ in pretrained_agents()})
        if agent not in names:
            raise ValueError(f"agent must be one of {', '.join(names)}, got {agent!r}")
        self._agent_name = agent
        self.name = f"{agent} (shipped)"

    def begin(self, service: Service) -> None:
        """Load the weights."""
        super().begin(service)
        self._agent: Agent = load_pretrained(self._agent_name, service.env_id)
        self._agent.prepare(service.task, [])
        # People who joined on one day are decided for together, each with a memory.
        self._memory: dict[int, Any] = {}
        self._started = np.zeros(service.people, dtype=np.bool_)
        self._wave = np.full(service.people, -1)
        self._members: list[NDArray[np.int64]] = []
        self._values = np.zeros((service.people, 6), dtype=np.float32)

    def join(self, profiles: Profiles) -> None:
        """Keep the people who join together."""
        self._wave[profiles.person] = len(self._members)
        self._members.append(profiles.person)
        self._values[profiles.person] = profiles.observation

    def probabilities(self, observations: Observations) -> Floats:
        """Return 1 for the action that the agent takes."""
        self._values[observations.person] = observations.values
        chosen = np.zeros(self.service.people, dtype=np.int64)
        for wave in np.unique(self._wave[observations.person]).tolist():
            members = self._members[wave]
            memory = self._memory.get(wave)
            # Rows of those who cannot be pushed are decided, too, with what was last known of them.
            actions, self._memory[wave] = self._agent.predict(
                self._values[members],
                memory,
                np.full(members.size, memory is None),
                deterministic=True,
            )
            chosen[members] = actions
        return np.eye(self.service.allowed.size)[chosen[observations.person]]
