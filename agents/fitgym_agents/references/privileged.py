"""Agents that read what no service could know: bounds and ceilings, not competitors."""

from __future__ import annotations

from typing import Any

from gymnasium.vector import VectorEnv

from fitgym_agents.agent import Agent


class PrivilegedAgent(Agent):
    """An agent that is shown the environments it acts in, hidden state and noise included."""

    def watch(self, environments: VectorEnv[Any, Any, Any]) -> None:
        """Keep the environments, to read them at each decision; ``evaluate`` calls it.

        Args:
            environments: One row of the observations each, just reset.
        """
        self._environments = environments
