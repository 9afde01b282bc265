"""A trained agent that serves as it is: it goes on deciding, and learns nothing more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym_agents.online.agent import Observations, OnlineAgent, Profiles, Service
from fitgym_agents.pretrained import load_pretrained, pretrained_agents
from fitgym_agents.trained import TrainedAgent

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
        loaded = load_pretrained(self._agent_name, service.env_id)
        assert isinstance(loaded, TrainedAgent)
        self._agent: TrainedAgent[Any] = loaded
        self.observation = loaded.observation
        self._agent.prepare(replace(service.task, observation=self.observation), [])
        # People who joined on one day are decided for together, each with a memory.
        self._memory: dict[int, Any] = {}
        self._wave = np.full(service.people, -1)
        self._members: list[NDArray[np.int64]] = []
        self._values = np.zeros((service.people, loaded.inputs), dtype=np.float32)

    def join(self, profiles: Profiles) -> None:
        """Keep the people who join together."""
        self._wave[profiles.person] = len(self._members)
        self._members.append(profiles.person)
        self._values[profiles.person] = profiles.observation

    def probabilities(self, observations: Observations) -> Floats:
        """Return 1 for the action that the agent takes."""
        self._values[observations.person] = observations.values
        wanted = np.zeros((self.service.people, self.service.allowed.size))
        for wave in np.unique(self._wave[observations.person]).tolist():
            members = self._members[wave]
            first = self._wave[observations.person] == wave
            # Rows of those who cannot be pushed are decided, too, with what was last known of them.
            wanted[members] = self._decide(wave, int(observations.day[first][0]))
        return wanted[observations.person]

    def _decide(self, wave: int, day: int) -> Floats:
        """Return the probabilities wanted for each of a wave, (n, actions)."""
        members = self._members[wave]
        memory = self._memory.get(wave)
        actions, self._memory[wave] = self._agent.predict(
            self._values[members],
            memory,
            np.full(members.size, memory is None),
            deterministic=True,
        )
        return np.eye(self.service.allowed.size)[actions]
