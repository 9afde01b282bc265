"""Every adherence model that ships does what its class says, and can be planned for."""

import gymnasium as gym
import numpy as np
import pytest

from fitgym.adherence import CustomAdherence, adherence_class
from fitgym.adherence.models import MODELS
from fitgym.people.individual import load_individual
from fitgym.planning.one_step import can_solve, expected_rewards


def season(name, action):
    """Return the environment, its infos and its rewards in days of one plan."""
    env = gym.make(
        "fitgym/Acquisition-v0", adherence=name, individual="marathon-runner", days=30
    ).unwrapped
    env.reset(seed=4)
    days = [env.step(action) for _ in range(30)]
    return env, [info for *_, info in days], [reward for _, reward, *_ in days]


def test_codes_tell_the_models_apart():
    codes = [model.code for model in MODELS.values()]
    assert len(set(codes)) == len(codes)
    assert all(model.compiled for model in MODELS.values())
    assert not CustomAdherence.compiled


@pytest.mark.parametrize("name", MODELS)
def test_plans_change_what_is_done_unless_the_model_is_exogenous(name):
    done = [[info["done_trimp"] for info in season(name, action)[1]] for action in (1, 8)]
    assert (done[0] == done[1]) == adherence_class(name).exogenous
    assert max(map(max, done)) <= adherence_class(name).largest_session_of(
        load_individual("marathon-runner")
    )


@pytest.mark.parametrize("name", MODELS)
def test_motivation_and_heart_rate_are_there_where_the_model_has_them(name):
    model = adherence_class(name)
    infos = season(name, 5)[1]
    motivations = {info.get("motivation", 0.0) for info in infos}
    assert (len(motivations) > 1) == model.has_motivation
    loads = [info.get("internal_load", 0.0) for info in infos]
    # What stands in for a missing load is no number.
    loads = [0.0 if np.isnan(load) else load for load in loads]
    assert (max(loads) > 0.0) == model.has_heart_rate
    assert max(loads) <= model.largest_load_of(load_individual("marathon-runner"))


@pytest.mark.parametrize("name", MODELS)
def test_expected_rewards_are_known(name):
    env, _, rewards = season(name, 3)
    assert can_solve(env)
    observation, _ = env.reset(seed=1)
    expected = expected_rewards(env, observation[None])
    assert np.isfinite(expected).all()
    # Rewards of a day differ from their mean, but not by orders of magnitude.
    assert abs(np.mean(rewards) - expected[0, 3]) < 20.0


def test_an_unknown_model_is_refused_with_the_names_of_all():
    with pytest.raises(ValueError, match=f"{', '.join(map(repr, MODELS))} or an import path"):
        adherence_class("sometimes")
