"""Gymnasium's vector wrappers take our environments wherever they take CartPole's."""

from __future__ import annotations

import sys
import types
import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.wrappers import vector as wrappers

torch = pytest.importorskip("torch")

MODES = [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP]
NAMES = [name for name in wrappers.__all__ if name[0].isupper() and "Jax" not in name]


def cart_pole(mode: AutoresetMode) -> Any:
    return gym.make_vec(
        "CartPole-v1",
        num_envs=3,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": mode},
        render_mode="rgb_array",
    )


def ours(mode: AutoresetMode) -> Any:
    return gym.make_vec(
        "fitgym/Acquisition-v0", num_envs=3, autoreset_mode=mode, days=5, render_mode="rgb_array"
    )


def wrapped(name: str, env: Any, folder: Path) -> Any:
    """Return the environment in the wrapper, with arguments that mean the same everywhere."""
    box, plans = env.single_observation_space, env.single_action_space
    arguments: dict[str, dict[str, Any]] = {
        "TransformObservation": {"func": lambda seen: seen},
        "VectorizeTransformObservation": {
            "wrapper": gym.wrappers.TransformObservation,
            "func": lambda seen: seen,
            "observation_space": box,
        },
        "FilterObservation": {"filter_keys": ["position"]},
        "ReshapeObservation": {"shape": (box.shape[0], 1)},
        "RescaleObservation": {"min_obs": -1.0, "max_obs": 1.0},
        "ResizeObservation": {"shape": (2, 2)},
        "DtypeObservation": {"dtype": np.float64},
        "TransformAction": {"func": lambda action: action},
        "VectorizeTransformAction": {
            "wrapper": gym.wrappers.TransformAction,
            "func": lambda action: action,
            "action_space": plans,
        },
        "RescaleAction": {"min_action": -1.0, "max_action": 1.0},
        "TransformReward": {"func": lambda reward: reward},
        "VectorizeTransformReward": {
            "wrapper": gym.wrappers.TransformReward,
            "func": lambda reward: reward,
        },
        "ClipReward": {"min_reward": -1.0, "max_reward": 1.0},
        "RecordVideo": {"video_folder": str(folder), "episode_trigger": lambda episode: True},
        "ArrayConversion": {"env_xp": np, "target_xp": torch},
    }
    return getattr(wrappers, name)(env, **arguments.get(name, {}))


def failure(name: str, env: Any, folder: Path) -> Exception | None:
    """Return what goes wrong in a few episodes with the wrapper, or None."""
    try:
        wrapper = wrapped(name, env, folder)
        wrapper.reset(seed=0)
        for _ in range(12):
            actions = env.action_space.sample()
            if name in ("NumpyToTorch", "ArrayConversion"):
                actions = torch.as_tensor(actions)
            results = wrapper.step(actions)
            assert all(len(result) == 3 for result in results[:4])
        wrapper.close()
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_a_wrapper_that_takes_cart_pole_takes_ours(
    name: str, mode: AutoresetMode, tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = failure(name, cart_pole(mode), tmp_path / "theirs")
        if isinstance(theirs, ImportError | gym.error.DependencyNotInstalled):
            pytest.skip(str(theirs))
        mine = failure(name, ours(mode), tmp_path / "ours")
    if theirs is None or name in ("NumpyToTorch", "ArrayConversion"):
        # CartPole's last observations are objects in SAME_STEP mode, which torch cannot take.
        assert mine is None
    elif mine is not None:
        assert type(mine) is type(theirs)


def test_infos_can_become_tensors() -> None:
    """What NumpyToTorch asks of infos, without the package that it needs."""

    def check(value: Any) -> None:
        if isinstance(value, dict):
            for item in value.values():
                check(item)
        else:
            assert torch.from_dlpack(value).shape == value.shape

    env = ours(AutoresetMode.SAME_STEP)
    check(env.reset(seed=0)[1])
    ended = 0
    for _ in range(11):
        infos = env.step(env.action_space.sample())[4]
        check(infos)
        ended += "final_obs" in infos
    assert ended == 2


def test_rescaled_observations_use_the_range() -> None:
    """As they do only where the box is that of the individual."""
    env = wrappers.RescaleObservation(
        gym.make_vec("fitgym/Retention-v0", num_envs=64), min_obs=-1.0, max_obs=1.0
    )
    env.action_space.seed(0)
    observations, _ = env.reset(seed=0)
    spread = []
    for _ in range(89):
        observations, *_ = env.step(env.action_space.sample())
        assert np.all(np.abs(observations) <= 1.0)
        spread.append(observations)
    assert np.ptp(np.concatenate(spread)[:, 3]) > 0.2


def written(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """Put a writer in moviepy's place that keeps the frames, by file."""
    files: dict[str, list[Any]] = {}

    class Clip:
        def __init__(self, frames: list[Any], fps: int) -> None:
            self.frames, self.fps = frames, fps

        def write_videofile(self, path: str, logger: Any = None) -> None:
            files[Path(path).name] = [self.fps, *self.frames]

    modules = {}
    for name in ("moviepy", "moviepy.video", "moviepy.video.io"):
        modules[name] = types.ModuleType(name)
    clip: Any = types.ModuleType("moviepy.video.io.ImageSequenceClip")
    clip.ImageSequenceClip = Clip
    modules[clip.__name__] = clip
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return files


@pytest.mark.parametrize("first_only", [False, True])
def test_a_video_of_a_vector_is_recorded(
    first_only: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = written(monkeypatch)
    env: VectorEnv[Any, Any, Any] = wrappers.RecordVideo(
        gym.make_vec("fitgym/Retention-v0", num_envs=2, days=4, render_mode="rgb_array"),
        str(tmp_path / "videos"),
        record_first_only=first_only,
        episode_trigger=lambda episode: True,
    )
    env.reset(seed=0)
    for _ in range(10):
        env.step(np.array([3, 8]))
    env.close()
    assert len(files) >= 2
    fps, *frames = files["rl-video-episode-0.mp4"]
    assert fps == env.metadata["render_fps"]
    # The start and every day.
    assert len(frames) == 5
    assert {frame.shape for frame in frames} == {(720, 960 if first_only else 1920, 3)}
    assert len({frame.tobytes() for frame in frames}) == 5


def test_a_window_takes_the_frames_of_a_vector() -> None:
    env = gym.make_vec("fitgym/Retention-v0", num_envs=2, render_mode="rgb_array")
    window = wrappers.HumanRendering(env)
    assert "human" in window.metadata["render_modes"]
    assert "human" not in env.metadata["render_modes"]
    env.reset(seed=0)
    frames = env.render()
    assert isinstance(frames, tuple)
    # As the window stacks them.
    assert np.array(frames, dtype=np.uint8).shape == (2, 720, 960, 3)
