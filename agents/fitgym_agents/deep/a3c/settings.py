"""Settings of A3C."""

from __future__ import annotations

from dataclasses import dataclass

from fitgym_agents.deep.settings import ACTIVATIONS, NetworkConfiguration
from fitgym_agents.settings import choice, count, optional_number, positive, share

# Optimisers that ``fitgym_agents.deep.a3c.shared_weights`` makes.
OPTIMISERS = ("adam", "rmsprop")
CRITICS = ("observation", "privileged")


@dataclass(frozen=True, kw_only=True)
class A3CConfiguration(NetworkConfiguration):
    """Asynchronous advantage actor-critic (Mnih et al. 2016) by the hybrid network.

    Fang et al. (2022) do not print their settings; these are ours, for millions of steps.
    ``fitgym benchmark search a3c`` looks for others.

    Attributes:
        environments: Environments that each worker steps at once.
        workers: Processes that learn at the same time; 0 for two workers that take turns in this
            process, which gives the same weights every time.
        steps: ``t_max``, steps between updates; the end of an episode ends them, too.
        advantage_decay: ``lambda`` of generalised advantage estimation; 1 is Mnih et al.'s.
        entropy_bonus: Weight of the entropy at the start; it falls linearly to zero, so that the
            policy ends up near to its likeliest action.
        gradient_norm: Gradients are clipped to this norm, those of actor and critic each.
        critic: What the critic is told: ``"observation"``, as the actor, or ``"privileged"``, in
            training also the hidden motivation and who the person is, which never acts.
        optimiser: ``"adam"``, or ``"rmsprop"`` as in Mnih et al.; its moments are shared.
        cost_limit: What an episode may cost on average, the sum of ``info["cost"]``; None for no
            limit. Where there is one, training environments are made with ``cost=True``, and
            rewards count less a learnt weight times the cost, in training and in the learning
            curve.
        cost_rate: Step of the dual ascent: how much the weight rises with each batch of episodes
            for every unit of cost above the limit.
    """

    # ReLU takes less time than tanh, and a small batch makes for many updates.
    activation: str = choice("relu", ACTIVATIONS)
    environments: int = count(32)
    learning_rate: float = positive(3e-3)
    workers: int = count(2, low=0)
    steps: int = count(30)
    advantage_decay: float = share(0.95)
    entropy_bonus: float = share(0.01)
    gradient_norm: float = positive(0.5)
    critic: str = choice("observation", CRITICS)
    optimiser: str = choice("adam", OPTIMISERS)
    cost_limit: float | None = optional_number(low=0.0)
    cost_rate: float = positive(0.1)
