"""The agents of the single-life track by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from fitgym_agents.online.agent import OnlineAgent
from fitgym_agents.online.bandits import LinearThompson, LinUCB, RandomProbabilities
from fitgym_agents.online.deep import Pretrained
from fitgym_agents.online.model_based import ModelBased

ONLINE_AGENTS: dict[str, Callable[[], OnlineAgent]] = {
    "random": RandomProbabilities,
    "pooled": lambda: LinearThompson("full"),
    "not-pooled": lambda: LinearThompson("none"),
    "partially-pooled": lambda: LinearThompson("partial"),
    "action-centred": lambda: LinearThompson("partial", centred=True),
    "linucb": LinUCB,
    "model-based": ModelBased,
}

_PRETRAINED = "pretrained:"
_FINE_TUNED = "fine-tuned:"


def make_online_agent(name: str) -> OnlineAgent:
    """Return a new agent.

    Args:
        name: One of ``ONLINE_AGENTS``, ``pretrained:NAME`` for a trained agent that ships,
            ``fine-tuned:NAME`` for one that ships and learns on, or ``package.module:Class``, a
            class that needs no arguments.

    Raises:
        ValueError: If there is no such agent.
        TypeError: If the name leads to something that is no ``OnlineAgent``.
    """
    if name in ONLINE_AGENTS:
        return ONLINE_AGENTS[name]()
    if name.startswith(_PRETRAINED):
        return Pretrained(name.removeprefix(_PRETRAINED))
    if name.startswith(_FINE_TUNED):
        # Torch is loaded only for agents that need it.
        from fitgym_agents.online.fine_tuning import FineTuned

        return FineTuned(name.removeprefix(_FINE_TUNED))
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise ValueError(
            f"agent must be one of {', '.join(ONLINE_AGENTS)}, pretrained:NAME, "
            f"fine-tuned:NAME or package.module:Class, got {name!r}"
        )
    try:
        found: Any = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"agent {name!r} cannot be imported: {error}") from error
    if not (isinstance(found, type) and issubclass(found, OnlineAgent)):
        raise TypeError(f"agent {name!r} must be a subclass of OnlineAgent, got {found!r}")
    return found()
