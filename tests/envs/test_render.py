"""Rendering: what the text says and that the picture shows the season."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from fitgym.envs.scalar import FitnessFatigueEnv


def test_text_has_a_line_a_day_with_the_day_s_numbers():
    env = FitnessFatigueEnv(render_mode="ansi", adherence="certain")
    env.reset(seed=0)
    infos = [env.step(plan)[4] for plan in (5, 0, 10)]
    lines = env.render().splitlines()
    assert len(lines) == 2 + 3
    for line, info in zip(lines[2:], infos, strict=True):
        for name in ("done_trimp", "base_level", "fitness", "fatigue", "performance"):
            assert f"{info[name]:.1f}"[:-2] in line
    assert " yes " in lines[2]
    assert "none" in lines[3]


def test_a_picture_changes_with_every_day_and_keeps_its_size():
    env = FitnessFatigueEnv(render_mode="rgb_array")
    env.reset(seed=0)
    pictures = [env.render()]
    for plan in (5, 10):
        env.step(plan)
        pictures.append(env.render())
    assert {picture.shape for picture in pictures} == {(600, 960, 3)}
    assert {picture.dtype for picture in pictures} == {np.dtype(np.uint8)}
    assert not np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[1], pictures[2])


def test_rendering_without_a_mode_warns_and_before_a_reset_fails():
    env = FitnessFatigueEnv()
    with pytest.warns(UserWarning, match="without a render_mode"):
        assert env.render() is None
    with pytest.raises(ResetNeeded):
        FitnessFatigueEnv(render_mode="ansi").render()


def test_gymnasium_s_recorder_of_frames_works():
    env = gym.wrappers.RenderCollection(
        FitnessFatigueEnv(render_mode="rgb_array", days=3), pop_frames=False
    )
    env.reset(seed=0)
    env.step(1)
    assert len(env.render()) == 2
