"""What a decision takes: the multiply-adds of an agent's networks, counted."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from fitgym_agents.deep.learner import Learner
from fitgym_agents.sb3.algorithms import StableBaselinesAgent


def multiply_adds(agent: Any) -> int | None:
    """Return the multiplications by a weight that one decision takes, or None for other agents.

    Every weight of a matrix counts once for each vector that it is multiplied with; biases and
    activations are not counted. What a policy of Stable-Baselines3 runs is seen by hooks: a stacked
    history goes through the network step by step at every decision.

    Args:
        agent: A learner.
    """
    if isinstance(agent, Learner):
        return sum(weight.numel() for weight in agent.actor.parameters() if weight.ndim == 2)
    if not isinstance(agent, StableBaselinesAgent):
        return None
    count = 0

    def note(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        nonlocal count
        vectors = inputs[0].numel() // inputs[0].shape[-1]
        count += vectors * sum(one.numel() for one in module.parameters() if one.ndim == 2)

    layers = [m for m in agent.model.policy.modules() if isinstance(m, nn.Linear | nn.LSTM)]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    try:
        agent.predict(np.zeros((1, agent.inputs), dtype=np.float32))
    finally:
        for hook in hooks:
            hook.remove()
    return count
