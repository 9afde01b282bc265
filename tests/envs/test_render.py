"""Rendering: what the text says and that the picture shows the season."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.envs.vector import FitnessFatigueVectorEnv


@pytest.mark.parametrize("continuous", [False, True])
def test_text_has_a_line_a_day_with_the_day_s_numbers(continuous):
    env = FitnessFatigueEnv(render_mode="ansi", adherence="certain", continuous=continuous)
    env.reset(seed=0)
    actions = [[0.2], [-1.0], [1.0]] if continuous else [5, 0, 10]
    infos = [env.step(np.array(plan))[4] for plan in actions]
    lines = env.render().splitlines()
    assert len(lines) == 2 + 3
    columns = ("done_trimp", "met", "base_level", "fitness", "fatigue", "performance")
    for line, info in zip(lines[2:], infos, strict=True):
        words = line.split()
        for word, name in zip(words[3:], columns, strict=True):
            if name == "met":
                assert word == {True: "yes", False: "-"}[info["met"]]
            else:
                assert float(word) == pytest.approx(info[name], abs=0.051)
    assert lines[3].split()[1:3] == ["none", "-"]
    assert lines[4].split()[1] == ("-" if continuous else "10")
    assert float(lines[4].split()[2]) == 48.6


def test_a_picture_changes_with_every_day_and_keeps_its_size():
    env = FitnessFatigueEnv(render_mode="rgb_array")
    env.reset(seed=0)
    pictures = [env.render()]
    for plan in (5, 10):
        env.step(plan)
        pictures.append(env.render())
    assert {picture.shape for picture in pictures} == {(720, 960, 3)}
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


@pytest.mark.parametrize("env_id", ["fitgym/Acquisition-v0", "fitgym/Retention-v0"])
def test_the_heart_rate_of_the_last_session_agrees_with_what_was_told(env_id):
    env = gym.make(env_id, render_mode="rgb_array").unwrapped
    env.reset(seed=1)
    env.action_space.seed(1)
    seen = 0
    for _ in range(60):
        _, _, _, _, info = env.step(env.action_space.sample())
        trace = env._renderer.trace
        if info["done_trimp"] == 0.0:
            continue
        seen += 1
        lengths = np.diff(trace.end_min, prepend=0.0)
        done = np.clip(trace.done_min - (trace.end_min - lengths), 0.0, lengths)
        mean = (trace.heart_rate_bpm * done).sum() / done.sum()
        assert mean == pytest.approx(info["mean_heart_rate"], abs=0.05)
        assert trace.by_habit == (info["plan_trimp"] == 0.0)
        if info["met"]:
            assert trace.done_min == pytest.approx(trace.end_min[-1])
    assert seen > 0
    assert env.render().shape == (720, 960, 3)


@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
@pytest.mark.parametrize("autoreset", ["NextStep", "SameStep"])
def test_a_vector_renders_what_its_environments_would(mode, autoreset):
    arguments = {"days": 4, "render_mode": mode, "individual": "population"}
    vector = FitnessFatigueVectorEnv(2, autoreset_mode=autoreset, **arguments)
    singles = [FitnessFatigueEnv(**arguments) for _ in range(2)]
    vector.reset(seed=5)
    for i, env in enumerate(singles):
        env.reset(seed=5 + i)
    for _ in range(6):
        ended = vector.step([4, 9])[2]
        for env, plan in zip(singles, (4, 9), strict=True):
            if not env.running or (env.step(plan)[2] and autoreset == "SameStep"):
                env.reset()
        frames = vector.render()
        assert isinstance(frames, tuple)
        for frame, env in zip(frames, singles, strict=True):
            np.testing.assert_array_equal(frame, env.render())
    assert not ended.any()


def test_a_vector_that_does_not_render_warns_and_before_a_reset_fails():
    with pytest.warns(UserWarning, match="without a render_mode"):
        assert FitnessFatigueVectorEnv(2).render() is None
    with pytest.raises(ResetNeeded):
        FitnessFatigueVectorEnv(2, render_mode="ansi").render()


@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
def test_what_is_done_to_an_info_is_nothing_to_the_rendering(mode):
    env, twin = (FitnessFatigueEnv(render_mode=mode) for _ in range(2))
    twin.reset(seed=0)
    env.reset(seed=0)[1].clear()
    for plan in (5, 0):
        twin.step(plan)
        info = env.step(plan)[4]
        info["reward_terms"].clear()
        info.pop("performance")
        info["plan_trimp"] = "gone"
    assert np.array_equal(env.render(), twin.render())


def test_a_picture_depends_on_its_episode_alone():
    """Not on the frames before: axes that stay from frame to frame would."""
    seen, fresh = (FitnessFatigueEnv(render_mode="rgb_array", days=30) for _ in range(2))
    seen.reset(seed=0)
    for _ in range(30):
        seen.step(10)
        seen.render()
    for env in (seen, fresh):
        env.reset(seed=1)
        env.step(2)
    np.testing.assert_array_equal(seen.render(), fresh.render())
