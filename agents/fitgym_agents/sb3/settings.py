"""Settings of the algorithms of Stable-Baselines3 and sb3-contrib."""

from __future__ import annotations

from dataclasses import dataclass

from fitgym_agents.settings import (
    Configuration,
    choice,
    count,
    positive,
    require_hidden_layers,
    share,
)


@dataclass(frozen=True, kw_only=True)
class HistoryConfiguration(Configuration):
    """Settings that PPO, A2C and DQN share, which have no recurrent policy of their own.

    Attributes:
        network: ``"mlp"``, which sees the present observation; or ``"hybrid"``, LSTM and fully
            connected layers, run over a stack of the last observations.
        history: Observations that ``"hybrid"`` sees, the present one included.
        memory_size: Units of the LSTM of ``"hybrid"``.
    """

    network: str = choice("mlp", ("mlp", "hybrid"))
    history: int = count(8)
    memory_size: int = count(64)

    def __post_init__(self) -> None:
        """Check every field."""
        super().__post_init__()
        require_hidden_layers(self.network, self.hidden_sizes)


@dataclass(frozen=True, kw_only=True)
class PPOConfiguration(HistoryConfiguration):
    """Proximal policy optimisation (Schulman et al. 2017).

    Attributes:
        steps: Steps per environment between updates.
        minibatch: Transitions per gradient step; large, since the learner's time goes by steps.
        epochs: Passes over the collected transitions.
        advantage_decay: ``lambda`` of generalised advantage estimation.
        clip_range: How far the probability ratio may move before its gradient is cut.
        entropy_bonus: Weight of the entropy; higher explores longer.
    """

    # With a smaller one, policies of few steps stay broad, and their likeliest action falls
    # behind what was trained.
    learning_rate: float = positive(3e-3)
    steps: int = count(32)
    minibatch: int = count(1024)
    epochs: int = count(6)
    advantage_decay: float = share(0.95)
    clip_range: float = share(0.2)
    entropy_bonus: float = share(0.003)


@dataclass(frozen=True, kw_only=True)
class RecurrentPPOConfiguration(Configuration):
    """PPO with an LSTM before policy and value each.

    A batch is one whole episode of every environment: sequences begin where episodes begin, and
    gradients pass through all of them.

    Attributes:
        memory_size: Units of the LSTM.
        epochs: Passes over the collected episodes, one gradient step each.
        advantage_decay: ``lambda`` of generalised advantage estimation.
        clip_range: How far the probability ratio may move before its gradient is cut.
        entropy_bonus: Weight of the entropy; higher explores longer.
    """

    # Few gradient steps, since each takes a whole episode step by step; so they are long.
    learning_rate: float = positive(6e-3)
    memory_size: int = count(64)
    epochs: int = count(4)
    advantage_decay: float = share(0.95)
    clip_range: float = share(0.2)
    entropy_bonus: float = share(0.003)


@dataclass(frozen=True, kw_only=True)
class A2CConfiguration(HistoryConfiguration):
    """Advantage actor-critic, the synchronous form of A3C (Mnih et al. 2016).

    Attributes:
        steps: Steps per environment between updates.
        advantage_decay: ``lambda`` of generalised advantage estimation; 1 is Mnih et al.'s.
        entropy_bonus: Weight of the entropy; higher explores longer.
    """

    learning_rate: float = positive(2e-3)
    steps: int = count(8)
    advantage_decay: float = share(0.95)
    entropy_bonus: float = share(0.003)


@dataclass(frozen=True, kw_only=True)
class DQNConfiguration(HistoryConfiguration):
    """Deep Q-learning (Mnih et al. 2015).

    Attributes:
        buffer_size: Capacity of the replay buffer, transitions.
        learning_starts: Transitions seen before the first update.
        minibatch: Transitions per gradient step.
        gradient_steps: Gradient steps after each step of all environments.
        target_update: Transitions between copies of the network into the target network.
        exploration_share: Share of training over which random actions become rare.
        final_exploration: Share of random actions from then on.
    """

    # Shorter-sighted than the others: values are bootstrapped a step at a time, and their errors
    # add up over the horizon.
    discount: float = share(0.97)
    buffer_size: int = count(100_000)
    learning_starts: int = count(5_000)
    minibatch: int = count(512)
    gradient_steps: int = count(2)
    target_update: int = count(2_000)
    exploration_share: float = share(0.3)
    final_exploration: float = share(0.05)
