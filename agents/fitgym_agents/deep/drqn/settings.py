"""Settings of DRQN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fitgym_agents.deep.settings import NetworkConfiguration
from fitgym_agents.settings import count, share


@dataclass(frozen=True, kw_only=True)
class DRQNConfiguration(NetworkConfiguration):
    """Deep recurrent Q-learning (Hausknecht & Stone 2015; Kapturowski et al. 2019).

    Attributes:
        replay_episodes: Capacity of the replay buffer, whole episodes.
        learning_starts: Episodes in the buffer before the first update.
        gradient_steps: Gradient steps after each episode of all environments.
        stretches: Sequences per gradient step, each from an episode of its own draw.
        stretch_days: Steps of a sequence that are learnt from.
        burn_in: Steps before a sequence that are read without gradient.
        trace_decay: ``lambda`` of Peng's Q(lambda); 0 is Q-learning of one step.
        target_update: Gradient steps between copies of the network into the target network.
        exploration_share: Share of training over which random actions become rare.
        final_exploration: Share of random actions from then on.
    """

    renamed: ClassVar[Mapping[str, str]] = {"replay_seasons": "replay_episodes"}

    replay_episodes: int = count(2_000)
    learning_starts: int = count(64)
    gradient_steps: int = count(50)
    stretches: int = count(64)
    stretch_days: int = count(30)
    burn_in: int = count(10)
    # An action shows in the rewards of weeks, and values bootstrapped a step at a time learn
    # that late.
    trace_decay: float = share(0.9)
    target_update: int = count(50)
    exploration_share: float = share(0.3)
    final_exploration: float = share(0.05)

    def __post_init__(self) -> None:
        """Check every field."""
        super().__post_init__()
        for name in ("environments", "learning_starts"):
            if getattr(self, name) > self.replay_episodes:
                raise ValueError(
                    f"{name} must be at most replay_episodes={self.replay_episodes}, "
                    f"got {getattr(self, name)}"
                )
