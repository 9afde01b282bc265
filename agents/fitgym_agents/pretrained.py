"""Trained agents that ship with the package, and how each was trained."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from fitgym.common.statistics import Interval
from fitgym.common.validation import require_choice
from fitgym_agents.agent import Agent
from fitgym_agents.files import load_agent

PROVENANCE = "provenance.json"


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """How an agent that ships was trained, and its return then.

    Attributes:
        command: Command line that trained it.
        seed: Of the training.
        steps: Environment steps of the training.
        seconds: Wall time of the training.
        commit: Of the code that trained it; None outside a repository.
        machine: What it ran on.
        versions: Of Python and the packages that matter.
        finished_at: Date and time, UTC.
        episodes: Episodes of the evaluation.
        evaluation_seed: Of the first episode.
        mean_return: Mean over these episodes, with its 95 % interval.
        evaluation_kwargs: Arguments of the environment in the evaluation; for agents that serve a
            population, whose people these were and what the agent sees.
    """

    command: str
    seed: int
    steps: int
    seconds: float
    commit: str | None
    machine: str
    versions: dict[str, str]
    finished_at: str
    episodes: int
    evaluation_seed: int
    mean_return: Interval
    evaluation_kwargs: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Provenance:
        """Return what was written as JSON."""
        return cls(**{**content, "mean_return": Interval(**content["mean_return"])})


def shipped_folder() -> Path:
    """Return the folder with a sub-folder per agent, and in these one per environment."""
    return Path(str(resources.files("fitgym_agents") / "data"))


def pretrained_agents() -> dict[tuple[str, str], Path]:
    """Return the folders of all trained agents that ship, by agent and registered id."""
    return {
        (path.parent.parent.name, f"fitgym/{path.parent.name}"): path.parent
        for path in sorted(shipped_folder().glob(f"*/*/{PROVENANCE}"))
    }


def load_pretrained(name: str, env_id: str) -> Agent:
    """Return a trained agent that ships.

    Args:
        name: Name of the agent, as ``"a3c"``.
        env_id: Registered id that it was trained in, with the environment's default arguments.

    Raises:
        ValueError: If there is none.
    """
    return load_agent(_folder(name, env_id))


def provenance_of(name: str, env_id: str) -> Provenance:
    """Return how a trained agent was trained; see ``load_pretrained``."""
    path = _folder(name, env_id) / PROVENANCE
    return Provenance.from_dict(json.loads(path.read_text(encoding="utf-8")))


def _folder(name: str, env_id: str) -> Path:
    folders = pretrained_agents()
    require_choice("name", name, sorted({agent for agent, _ in folders}))
    plain = env_id.removeprefix("fitgym:")
    require_choice("env_id", plain, [one for agent, one in folders if agent == name])
    return folders[name, plain]
