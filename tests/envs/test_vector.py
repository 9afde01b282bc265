"""The vector environment lives, to the bit, through what the scalar one does."""

import dataclasses
import pickle
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from fitgym.adherence import CustomAdherence, Response
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.envs.vector import FitnessFatigueVectorEnv
from fitgym.people.individual import load_individual

IDS = sorted(name for name in gym.registry if name.startswith("fitgym/"))
MODES = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]
CASES = [
    *((env_id, {}) for env_id in IDS),
    ("fitgym/Acquisition-v0", {"individual": "population"}),
    ("fitgym/Retention-v0", {"individual": "marathon-runner", "observation": "full"}),
    ("fitgym/RetentionContinuous-v0", {"individual": "population", "observation": "wearable"}),
    ("fitgym/Acquisition-v0", {"adherence": "certain", "forbidden_plans": [3, 10]}),
    ("fitgym/Retention-v0", {"forbidden_plans": [0, 1, 5], "forbidden": "nearest"}),
]


def pair(env_id, num_envs=5, mode=AutoresetMode.NEXT_STEP, **kwargs):
    """Return our vector environment and Gymnasium's, of scalar ones."""
    kwargs = {"days": 7, **kwargs}
    ours = gym.make_vec(env_id, num_envs=num_envs, autoreset_mode=mode.value, **kwargs)
    theirs = gym.make_vec(
        env_id,
        num_envs=num_envs,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": mode},
        **kwargs,
    )
    assert isinstance(ours, FitnessFatigueVectorEnv)
    assert isinstance(theirs, SyncVectorEnv)
    return ours, theirs


def sample(env, generator):
    """Return actions that the environments allow."""
    if isinstance(env.single_action_space, gym.spaces.Box):
        return generator.uniform(-1, 1, (env.num_envs, 1)).astype(np.float32)
    if env.get_attr("task")[0].forbidden == "nearest":
        return generator.integers(0, 11, env.num_envs)
    return generator.choice(np.flatnonzero(env.action_mask), env.num_envs)


def assert_same(ours, theirs):
    """Compare results of reset or step, every bit and every type."""
    assert len(ours) == len(theirs)
    for mine, other in zip(ours[:-1], theirs[:-1], strict=True):
        assert mine.dtype == other.dtype
        np.testing.assert_array_equal(mine, other)
    assert_same_infos(ours[-1], theirs[-1])


def assert_same_infos(ours, theirs):
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        if isinstance(value, dict):
            assert_same_infos(ours[key], value)
        elif key == "final_obs" and value.dtype == object:
            # Ours are numbers, and NaN where theirs are None.
            for mine, other in zip(ours[key], value, strict=True):
                assert mine.dtype == np.float32
                np.testing.assert_array_equal(
                    mine, np.full_like(mine, np.nan) if other is None else other
                )
        else:
            assert ours[key].dtype == value.dtype, key
            np.testing.assert_array_equal(ours[key], value, err_msg=key)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("env_id", "kwargs"), CASES)
def test_it_equals_gymnasiums_vector_of_scalar_environments(env_id, kwargs, mode):
    ours, theirs = pair(env_id, mode=mode, **kwargs)
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    assert ours.single_observation_space == theirs.single_observation_space
    assert ours.single_action_space == theirs.single_action_space
    assert ours.metadata["autoreset_mode"] is mode
    generator = np.random.default_rng(1)
    assert_same(ours.reset(seed=40), theirs.reset(seed=40))
    for _ in range(25):
        actions = sample(ours, generator)
        assert_same(ours.step(actions), theirs.step(actions))
    # And on, after a reset without a seed in the middle of an episode.
    assert_same(ours.reset(), theirs.reset())
    actions = sample(ours, generator)
    assert_same(ours.step(actions), theirs.step(actions))


@pytest.mark.parametrize("env_id", IDS)
def test_each_environment_equals_the_scalar_one_with_its_seed(env_id):
    ours = gym.make_vec(env_id, num_envs=3, autoreset_mode="SameStep", days=30)
    observations, _ = ours.reset(seed=11)
    singles = [gym.make(env_id, days=30) for _ in range(3)]
    for i, env in enumerate(singles):
        np.testing.assert_array_equal(env.reset(seed=11 + i)[0], observations[i])
    generator = np.random.default_rng(0)
    for day in range(1, 91):
        actions = sample(ours, generator)
        observations, rewards, terminated, truncated, infos = ours.step(actions)
        assert terminated.all() == terminated.any() == (day % 30 == 0)
        assert not truncated.any()
        for i, env in enumerate(singles):
            observation, reward, ended, _, info = env.step(actions[i])
            assert reward == rewards[i]
            if ended:
                np.testing.assert_array_equal(infos["final_obs"][i], observation)
                assert infos["final_info"]["performance"][i] == info["performance"]
                observation, info = env.reset()
            np.testing.assert_array_equal(observation, observations[i])
            assert infos["performance"][i] == info["performance"]


@pytest.mark.parametrize("mode", [*MODES, AutoresetMode.DISABLED])
@pytest.mark.parametrize("individual", ["recreational-runner", "population"])
def test_some_environments_can_be_reset_alone(individual, mode):
    ours, theirs = pair("fitgym/Acquisition-v0", mode=mode, individual=individual, days=3)
    generator = np.random.default_rng(2)
    assert_same(ours.reset(seed=[5, 1, 9, 0, 5]), theirs.reset(seed=[5, 1, 9, 0, 5]))
    ended = np.zeros(5, dtype=bool)
    for round_ in range(12):
        mask = generator.random(5) < 0.4
        if mode is AutoresetMode.DISABLED:
            mask |= ended
        mask[generator.integers(5)] = True
        seed = [None, 77][round_ % 2]
        options = {"reset_mask": mask}
        given = dict(options)
        assert_same(
            ours.reset(seed=seed, options=options), theirs.reset(seed=seed, options=dict(options))
        )
        assert options == given
        actions = sample(ours, generator)
        result = ours.step(actions)
        ended = result[2]
        assert_same(result, theirs.step(actions))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("individual", ["recreational-runner", "population"])
def test_a_person_can_be_given_for_one_episode(individual, mode):
    ours, theirs = pair("fitgym/Retention-v0", mode=mode, individual=individual, days=4)
    runner = load_individual("recreational-runner")
    # Other tables and another log, and nothing beyond what the runner reaches.
    physiology = dataclasses.replace(runner.physiology, maximum_heart_rate=180.0)
    other = dataclasses.replace(
        runner, name="other", physiology=physiology, sessions_trimp=[10.0, 20.0]
    )
    names = ("recreational-runner", other)
    generator = np.random.default_rng(3)
    ours.reset(seed=0)
    theirs.reset(seed=0)
    for person, mask in [
        (names[0], [1, 0, 0, 1, 1]),
        (names[1], [0, 0, 1, 1, 0]),
        (names[0], [1, 1, 1, 1, 1]),
    ]:
        options = {"individual": person, "reset_mask": np.array(mask, dtype=bool)}
        assert_same(ours.reset(options=dict(options)), theirs.reset(options=dict(options)))
        assert [one.name for one in ours.individuals] == [
            env.unwrapped.individual.name for env in theirs.envs
        ]
        for _ in range(6):
            actions = sample(ours, generator)
            assert_same(ours.step(actions), theirs.step(actions))
    # Episodes have ended since, so only the usual people are left.
    assert len(ours._groups) == 1


def test_the_default_of_make_vec_and_its_specification():
    env = gym.make_vec("fitgym:fitgym/Acquisition-v0", num_envs=2, days=5)
    assert isinstance(env, FitnessFatigueVectorEnv)
    assert env.autoreset_mode is AutoresetMode.NEXT_STEP
    assert FitnessFatigueVectorEnv.metadata["render_modes"] == ["ansi", "rgb_array"]
    twin = gym.make_vec(EnvSpec.from_json(env.spec.to_json()))
    assert (twin.num_envs, twin.days) == (2, 5)
    assert_same(env.reset(seed=1), twin.reset(seed=1))
    assert env.get_attr("stage") == ("acquisition", "acquisition")
    env.close()
    env.close()


@pytest.mark.parametrize("env_id", IDS)
def test_observations_stay_in_the_space_and_nothing_is_returned_twice(env_id):
    env = gym.make_vec(env_id, num_envs=4)
    env.action_space.seed(0)
    observations, infos = env.reset(seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(100):
            assert observations in env.observation_space
            before = observations, infos, {k: v.copy() for k, v in infos.items()}
            kept = observations.copy()
            observations, rewards, _, _, infos = env.step(env.action_space.sample())
            np.testing.assert_array_equal(before[0], kept)
            assert_same_infos(before[1], before[2])
            infos["base_level"][:] = np.nan
            assert np.isfinite(rewards).all()


@pytest.mark.parametrize("individual", ["recreational-runner", "population"])
@pytest.mark.parametrize("mode", MODES)
def test_seasons_go_on_after_pickling(individual, mode):
    env, _ = pair("fitgym/Acquisition-v0", mode=mode, individual=individual)
    env.reset(seed=4)
    generator = np.random.default_rng(4)
    for _ in range(5):
        env.step(sample(env, generator))
    twin = pickle.loads(pickle.dumps(env))
    for _ in range(6):
        actions = sample(env, generator)
        assert_same(env.step(actions), twin.step(actions))


def test_without_a_seed_every_environment_is_another():
    env = FitnessFatigueVectorEnv(num_envs=6, observation="full")
    motivations = env.reset()[0][:, 6]
    assert len(set(motivations)) == 6
    assert len(env.np_random) == len(set(env.np_random_seed)) == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_envs": 0}, "num_envs must be an integer of at least 1, got 0"),
        ({"autoreset_mode": "Later"}, "autoreset_mode must be one of 'NextStep', .* got 'Later'"),
        ({"render_mode": "human"}, "render_mode must be one of 'ansi', 'rgb_array', got 'human'"),
        ({"days": 0}, "days must be"),
        ({"individual": "nobody"}, "individual must be one of"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        FitnessFatigueVectorEnv(**arguments)


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([0, 11, 3], r"actions\[1\] must be one of \[0, 1, .*, 8, 10\], got 11"),
        ([0, 1, -1], r"actions\[2\] must be one of .* got -1"),
        ([9, 1, 1], r"actions\[0\] must be one of .* got 9"),
        ([1, 1], r"actions must have shape \(3,\), got \(2,\)"),
        (5, r"actions must have shape \(3,\), got \(\)"),
        ([1.0, 2.0, 3.0], "actions must be integers, got an array of float64"),
        (["1", "2", "3"], "actions must be integers, got an array of <U1"),
        ([True, True, True], "actions must be integers, got an array of bool"),
    ],
)
def test_wrong_actions_are_refused_and_nobody_moves(actions, message):
    env, twin = (FitnessFatigueVectorEnv(3, forbidden_plans=[9]) for _ in range(2))
    env.reset(seed=0)
    twin.reset(seed=0)
    with pytest.raises((ValueError, TypeError), match=message):
        env.step(actions)
    assert_same(env.step([1, 2, 3]), twin.step(np.array([1, 2, 3], dtype=np.int32)))


def test_wrong_continuous_actions_are_refused():
    env = FitnessFatigueVectorEnv(2, continuous=True)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"actions\[1\] must be in \[-1, 1\], got \[1.5\]"):
        env.step([[0.0], [1.5]])
    with pytest.raises(ValueError, match=r"actions\[0\] must be in \[-1, 1\], got \[nan\]"):
        env.step([[np.nan], [0.0]])
    with pytest.raises(ValueError, match=r"shape \(2, 1\), got \(2,\)"):
        env.step([0.0, 0.0])


def test_the_action_of_an_environment_that_is_reset_is_not_read():
    env = FitnessFatigueVectorEnv(2, days=1)
    env.reset(seed=0)
    assert env.step([0, 0])[2].all()
    _, rewards, terminated, _, infos = env.step([99, -5])
    assert rewards.tolist() == [0.0, 0.0]
    assert not terminated.any()
    assert infos["plan"].tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"weather": "rain"}, ValueError, r"options has unknown keys \['weather'\]"),
        ({"reset_mask": [True, False]}, TypeError, "must be an array of bool"),
        ({"reset_mask": np.array([1, 0])}, TypeError, "must be an array of bool"),
        ({"reset_mask": np.array([True])}, ValueError, r"must have shape \(2,\)"),
        ({"reset_mask": np.array([False, False])}, ValueError, "at least one True"),
    ],
)
def test_wrong_options_are_refused(options, error, message):
    env = FitnessFatigueVectorEnv(2)
    env.reset(seed=0)
    with pytest.raises(error, match=message):
        env.reset(options=options)


@pytest.mark.parametrize(
    ("seed", "error", "message"),
    [
        ([1, 2], ValueError, "one for each of 3 environments, got 2"),
        (np.array([1, 2, 3, 4]), ValueError, "one for each of 3 environments, got 4"),
        ([7, 8, -1], ValueError, r"seed\[2\] must be an integer of at least 0, got -1"),
        ([7, 8, 1.0], TypeError, r"seed\[2\] must be an integer"),
        ([7, True, 1], TypeError, r"seed\[1\] must be an integer"),
        (np.array([7.0, 8.0, 9.0]), TypeError, r"seed\[0\] must be an integer"),
        (np.array([True, False, True]), TypeError, r"seed\[0\] must be an integer"),
        (1.5, TypeError, "seed must be an integer"),
        (True, TypeError, "seed must be an integer"),
        (-1, ValueError, "seed must be an integer of at least 0, got -1"),
        ("abc", TypeError, r"seed\[0\] must be an integer"),
    ],
)
def test_wrong_seeds_are_refused_and_change_nothing(seed, error, message):
    env, twin = (FitnessFatigueVectorEnv(3, observation="full") for _ in range(2))
    for one in (env, twin):
        one.reset(seed=4)
    with pytest.raises(error, match=message):
        env.reset(seed=seed)
    with pytest.raises(error, match=message):
        env.branch(seed)
    assert env.np_random_seed == (4, 5, 6)
    assert_same(env.step([1, 2, 3]), twin.step([1, 2, 3]))
    assert_same(env.reset(), twin.reset())


def test_seeds_of_numpy_are_seeds():
    env, twin = (FitnessFatigueVectorEnv(2, observation="full") for _ in range(2))
    assert_same(env.reset(seed=np.array([3, 9])), twin.reset(seed=[3, 9]))
    assert_same(env.reset(seed=np.int64(5)), twin.reset(seed=5))
    assert_same(env.reset(seed=[None, 5]), twin.reset(seed=[None, 5]))


def test_a_reset_that_is_refused_changes_nothing():
    env, twin = (FitnessFatigueVectorEnv(2, observation="full") for _ in range(2))
    for one in (env, twin):
        one.reset(seed=1)
    for options in ({"weather": 1}, {"individual": "marathon-runner"}, {"reset_mask": [True]}):
        with pytest.raises((ValueError, TypeError)):
            env.reset(seed=2, options=options)
    assert_same(env.step([1, 2]), twin.step([1, 2]))
    assert_same(env.reset(), twin.reset())


class Moody(CustomAdherence):
    """Does the less of a plan the more often it was asked before, now and then all of it."""

    def __init__(self, individual):
        super().__init__(individual)
        self.asked = 0

    def respond(self, situation):
        self.asked += situation.plan_trimp > 0
        share = 1.0 if situation.generator.random() < 0.3 else 1.0 / (1.0 + 0.1 * self.asked)
        return Response(intensity=share * situation.plan_trimp, met=share == 1.0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("env_id", "individual"),
    [
        ("fitgym/Acquisition-v0", "recreational-runner"),
        ("fitgym/RetentionContinuous-v0", "population"),
    ],
)
def test_custom_adherence_equals_gymnasiums_vector_of_scalar_environments(env_id, individual, mode):
    """Even a model that remembers: each environment has one of its own."""
    ours, theirs = pair(
        env_id, mode=mode, individual=individual, adherence=f"{__name__}:Moody", num_envs=3
    )
    generator = np.random.default_rng(1)
    assert_same(ours.reset(seed=40), theirs.reset(seed=40))
    for _ in range(20):
        actions = sample(ours, generator)
        assert_same(ours.step(actions), theirs.step(actions))
    options = {"individual": "recreational-runner", "reset_mask": np.array([True, False, True])}
    assert_same(ours.reset(options=dict(options)), theirs.reset(options=dict(options)))
    twin = pickle.loads(pickle.dumps(ours))
    for _ in range(9):
        actions = sample(ours, generator)
        result = ours.step(actions)
        assert_same(result, theirs.step(actions))
        assert_same(result, twin.step(actions))


def test_stepping_outside_an_episode_is_an_error():
    env = FitnessFatigueVectorEnv(2, days=1, autoreset_mode="Disabled")
    with pytest.raises(ResetNeeded, match="call reset"):
        env.step([0, 0])
    with pytest.raises(ResetNeeded, match="first reset"):
        env.reset(options={"reset_mask": np.array([True, False])})
    env.reset(seed=0)
    env.step([0, 0])
    with pytest.raises(ResetNeeded, match=r"environments \[0, 1\] have ended"):
        env.step([0, 0])
    env.reset(options={"reset_mask": np.array([True, False])})
    with pytest.raises(ResetNeeded, match=r"environments \[1\] have ended"):
        env.step([0, 0])


def test_a_batch_of_one_is_the_scalar_environment():
    env, single = FitnessFatigueVectorEnv(1), FitnessFatigueEnv()
    np.testing.assert_array_equal(env.reset(seed=8)[0][0], single.reset(seed=8)[0])
    np.testing.assert_array_equal(env.step([4])[0][0], single.step(4)[0])
