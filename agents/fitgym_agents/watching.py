"""One episode of an agent, rendered by the environment, as a picture or a video."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.typing import NDArray
from PIL import Image

from fitgym.common.files import atomic_path
from fitgym_agents import evaluation
from fitgym_agents.agent import Agent
from fitgym_agents.environments import EnvironmentFactory

VIDEO_SUFFIXES = (".gif", ".mp4")

# Slow enough to follow the bars; an episode of 90 steps takes a quarter of a minute.
_FRAMES_PER_SECOND = 6
# The last frame shows the whole episode.
_LAST_FRAME_SECONDS = 3


def play(
    agent: Agent,
    env_id: str,
    *,
    seed: int,
    env_kwargs: Mapping[str, Any] | None = None,
    render_mode: str,
) -> Iterator[tuple[gym.Env[Any, Any], float]]:
    """Play the episode that ``evaluate`` plays with the same seed.

    Args:
        agent: The policy; its likeliest action is taken.
        env_id: Registered id.
        seed: Seed of the episode.
        env_kwargs: Arguments of the environment.
        render_mode: ``"ansi"`` or ``"rgb_array"``.

    Yields:
        The environment, which can be rendered, and the return so far: after the reset and after
        each step.
    """
    environment = EnvironmentFactory(env_id, {**(env_kwargs or {}), "render_mode": render_mode})()
    environments = SyncVectorEnv([lambda: environment], autoreset_mode=AutoresetMode.DISABLED)
    total = 0.0
    for step in evaluation.play(agent, environments, seed=seed):
        total += float(step.rewards[0])
        yield environment, total


def write_picture(frame: NDArray[np.uint8], path: str | os.PathLike[str]) -> None:
    """Write a frame (height, width, 3) as PNG, whatever the path's suffix."""
    with atomic_path(path) as temporary:
        Image.fromarray(frame).save(temporary, format="PNG")


def require_video_writer(path: str | os.PathLike[str]) -> None:
    """Check that a video can be written to ``path``, before an episode is played for it.

    Args:
        path: Must end in ``.gif``, or in ``.mp4``, which needs the extra ``video``.

    Raises:
        ValueError: If the suffix is another, or the extra is missing.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in VIDEO_SUFFIXES:
        raise ValueError(f"a video must end in {' or '.join(VIDEO_SUFFIXES)}, got {str(path)!r}")
    if suffix == ".mp4":
        try:
            import imageio.v3  # noqa: F401
            import imageio_ffmpeg  # noqa: F401  imageio's writer of MP4
        except ImportError:
            raise ValueError(
                "an MP4 needs imageio with FFmpeg: pip install 'fitgym[video]', or write a .gif"
            ) from None


def write_video(frames: Sequence[NDArray[np.uint8]], path: str | os.PathLike[str]) -> None:
    """Write frames (height, width, 3) as a video; the last one stays for a while.

    Args:
        frames: At least one.
        path: See ``require_video_writer``.

    Raises:
        ValueError: If the suffix is another, or the extra is missing.
    """
    require_video_writer(path)
    if Path(path).suffix.lower() == ".gif":
        images = [Image.fromarray(frame) for frame in frames]
        milliseconds = [round(1000 / _FRAMES_PER_SECOND)] * len(images)
        milliseconds[-1] = 1000 * _LAST_FRAME_SECONDS
        with atomic_path(path) as temporary:
            images[0].save(
                temporary,
                format="GIF",
                save_all=True,
                append_images=images[1:],
                duration=milliseconds,
                loop=0,
            )
        return
    import imageio.v3

    still = [frames[-1]] * (_FRAMES_PER_SECOND * _LAST_FRAME_SECONDS - 1)
    with atomic_path(path) as temporary:
        imageio.v3.imwrite(
            temporary, np.stack([*frames, *still]), plugin="FFMPEG", fps=_FRAMES_PER_SECOND
        )
