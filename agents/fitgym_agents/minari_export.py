"""Episodes of an agent as a Minari dataset, for offline reinforcement learning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from fitgym.common.validation import require_count, require_seed
from fitgym.planning.scores import load_reference_scores
from fitgym_agents.agent import Agent
from fitgym_agents.environments import import_free_id, make_vector_env
from fitgym_agents.evaluation import play


def export_minari(
    agent: Agent,
    env_id: str,
    name: str,
    *,
    env_kwargs: Mapping[str, Any] | None = None,
    episodes: int = 100,
    seed: int = 0,
    deterministic: bool = True,
) -> Any:
    """Let an agent act, and keep its episodes as a dataset in Minari's folder.

    Where reference scores ship for the environment, they are in the metadata: no service as
    ``ref_min_score``, the ceiling (the dynamic program, under replay foresight) as
    ``ref_max_score``.

    Args:
        agent: Who decides.
        env_id: Registered id.
        name: Of the dataset, as ``fitgym/acquisition/coach-v0``.
        env_kwargs: Arguments of the environment.
        episodes: How many.
        seed: Of the first episode; episode i is that of ``seed + i``.
        deterministic: Whether the agent takes its likeliest action rather than to draw one.

    Returns:
        The ``minari.MinariDataset``.

    Raises:
        ImportError: If Minari is not installed.
        ValueError: If an argument is out of range, or Minari has a dataset of this name.
    """
    try:
        import minari
        from minari.data_collector import EpisodeBuffer
    except ImportError as error:
        raise ImportError(
            f"Minari is needed for a dataset ({error}): pip install 'fitgym[minari]'"
        ) from error
    require_count("episodes", episodes)
    require_seed("seed", seed)
    if name in minari.list_local_datasets():
        raise ValueError(f"name must be that of a new dataset: Minari has {name!r} already")
    environments = make_vector_env(env_id, episodes, env_kwargs, AutoresetMode.DISABLED)
    steps = list(play(agent, environments, seed=seed, deterministic=deterministic))
    environments.close()
    observations = np.stack([step.observations for step in steps], axis=1)
    actions = np.stack([step.actions for step in steps if step.actions is not None], axis=1)
    rewards = np.stack([step.rewards for step in steps[1:]], axis=1)
    ended = np.arange(rewards.shape[1]) == rewards.shape[1] - 1
    buffers = [
        EpisodeBuffer(
            id=episode,
            seed=seed + episode,
            observations=list(observations[episode]),
            actions=list(actions[episode]),
            rewards=rewards[episode].tolist(),
            terminations=ended.tolist(),
            truncations=np.zeros_like(ended).tolist(),
        )
        for episode in range(episodes)
    ]
    environment = gym.make(import_free_id(env_id), **dict(env_kwargs or {}))
    low, high = _reference_scores(env_id, env_kwargs or {})
    return minari.create_dataset_from_buffers(
        name,
        buffers,
        env=environment,
        algorithm_name=agent.name,
        ref_min_score=low,
        ref_max_score=high,
        description=f"{episodes} episodes of {agent.name} in {env_id}, seeds from {seed}",
        requirements=["fitgym"],
    )


def _reference_scores(
    env_id: str, env_kwargs: Mapping[str, Any]
) -> tuple[float | None, float | None]:
    """Return what no service and the ceiling earn; None where no scores ship."""
    individual = env_kwargs.get("individual")
    if set(env_kwargs) - {"individual"} or not isinstance(individual, str | None):
        return None, None
    try:
        scores = load_reference_scores(env_id, individual)
    except ValueError:
        return None, None
    return scores.scores["no service"].mean, scores.scores[scores.ceiling].mean
