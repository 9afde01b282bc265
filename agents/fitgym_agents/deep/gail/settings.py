"""Settings of GAIL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fitgym_agents.deep.settings import NetworkConfiguration
from fitgym_agents.settings import count, positive, share


@dataclass(frozen=True, kw_only=True)
class GAILConfiguration(NetworkConfiguration):
    """Generative adversarial imitation learning (Ho & Ermon 2016).

    A batch is one whole episode of every environment.

    Attributes:
        demonstrations: Path of the expert's recorded episodes; None to record the best expert
            known.
        expert_episodes: How many of the expert's episodes are shown, the first of the file's.
        minibatch_episodes: Episodes per gradient step of policy and value.
        epochs: Passes over the collected episodes.
        advantage_decay: ``lambda`` of generalised advantage estimation.
        clip_range: How far the probability ratio may move before its gradient is cut.
        entropy_penalty: Weight of the entropy, which is taken off; higher makes the policy less
            random.
        discriminator_rate: Step size of the discriminator.
        discriminator_minibatch: Steps of the policy, and as many of the expert, per gradient
            step of the discriminator.
        discriminator_epochs: Passes of the discriminator over the collected steps.
        gradient_penalty: Weight of the penalty on the discriminator's gradient; higher gives a
            smoother reward.
    """

    renamed: ClassVar[Mapping[str, str]] = {"minibatch_seasons": "minibatch_episodes"}

    # Half the others', for more updates in as many steps.
    environments: int = count(32)
    learning_rate: float = positive(3e-3)
    demonstrations: str | None = None
    expert_episodes: int = count(100)
    minibatch_episodes: int = count(16)
    epochs: int = count(4)
    advantage_decay: float = share(0.95)
    clip_range: float = share(0.2)
    # Imitating an expert that sees the motivation, which the policy does not, makes for a mixture
    # of actions, of which the likeliest alone may be worth little.
    entropy_penalty: float = share(0.03)
    discriminator_rate: float = positive(3e-3)
    discriminator_minibatch: int = count(512)
    discriminator_epochs: int = count(1)
    gradient_penalty: float = positive(0.1)

    def __post_init__(self) -> None:
        """Check every field."""
        super().__post_init__()
        if not (self.demonstrations is None or isinstance(self.demonstrations, str)):
            raise TypeError(
                f"demonstrations must be the path of a file or None, got {self.demonstrations!r}"
            )
