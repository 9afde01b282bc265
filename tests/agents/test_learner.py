"""What our learners share: what they refuse, what they keep, and schedules that go on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitgym_agents.agent import LearningError
from fitgym_agents.deep.a3c.algorithm import A3C
from fitgym_agents.deep.a3c.settings import A3CConfiguration
from fitgym_agents.deep.acktr.algorithm import ACKTR
from fitgym_agents.deep.acktr.settings import ACKTRConfiguration
from fitgym_agents.deep.drqn.algorithm import DRQN
from fitgym_agents.deep.gail.algorithm import GAIL
from fitgym_agents.deep.gail.demonstrations import record
from fitgym_agents.evaluation import evaluate
from fitgym_agents.files import load_agent
from fitgym_agents.references.simple import FixedPlan
from fitgym_agents.registry import find_agent
from fitgym_agents.sb3.settings import PPOConfiguration

ENV_ID = "fitgym/Acquisition-v0"
TINY: dict[str, Any] = {"environments": 4, "memory_size": 4, "hidden_sizes": [4]}


def interrupted_halfway(agent: Any, env_steps: int) -> None:
    """Let ``agent`` learn, stop it after half of the steps, and let it learn the rest."""

    def progress(steps: int) -> None:
        if steps == env_steps // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        agent.learn(env_steps, progress=progress)
    assert agent.timesteps == env_steps // 2
    agent.learn(env_steps - agent.timesteps)
    assert agent.timesteps == env_steps


def test_acktrs_steps_shorten_on_after_an_interruption(
    certain: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    longest: list[float] = []
    update = ACKTR._update

    def note(self: ACKTR, *arguments: Any, **keywords: Any) -> Any:
        longest.append(keywords["longest"])
        return update(self, *arguments, **keywords)

    monkeypatch.setattr(ACKTR, "_update", note)
    configuration = {**TINY, "steps": 6, "learning_rate": 2.0}
    agent = ACKTR.create(ENV_ID, env_kwargs=certain, configuration=configuration)
    interrupted_halfway(agent, 4 * 6 * 8)
    np.testing.assert_allclose(longest, 2.0 * (1.0 - np.arange(8) / 8))


def test_drqn_explores_less_and_less_over_an_interruption(
    certain: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    epsilons: list[float] = []
    play = DRQN._play_episodes

    def note(self: DRQN, environments: Any, observations: Any, replay: Any, *rest: Any) -> Any:
        epsilons.append(rest[0])
        return play(self, environments, observations, replay, *rest)

    monkeypatch.setattr(DRQN, "_play_episodes", note)
    configuration = {
        **TINY,
        "learning_starts": 4,
        "gradient_steps": 1,
        "exploration_share": 1.0,
        "final_exploration": 0.2,
        "learning_rate": 0.5,
    }
    agent = DRQN.create(ENV_ID, env_kwargs=certain, configuration=configuration)
    interrupted_halfway(agent, 4 * 12 * 8)
    np.testing.assert_allclose(epsilons, 1.0 - 0.8 * np.arange(8) / 8)
    # The last season's gradient steps were of the last eighth of the schedule.
    assert agent._optimiser.param_groups[0]["lr"] == pytest.approx(0.5 / 8)


def test_gails_rate_falls_on_after_an_interruption(
    certain: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(FixedPlan(3), ENV_ID, env_kwargs=certain, episodes=4).save(tmp_path / "expert")
    rates: list[float] = []

    def note(self: GAIL, *_: Any) -> None:
        rates.append(self._optimisers["policy_optimiser"].param_groups[0]["lr"])

    monkeypatch.setattr(GAIL, "_improve_policy", note)
    configuration = {
        **TINY,
        "demonstrations": str(tmp_path / "expert"),
        "expert_episodes": 4,
        "learning_rate": 1.0,
    }
    agent = GAIL.create(ENV_ID, env_kwargs=certain, configuration=configuration)
    interrupted_halfway(agent, 4 * 12 * 8)
    np.testing.assert_allclose(rates, 1.0 - np.arange(8) / 8)


@pytest.mark.parametrize("name", ["a3c", "ppo"])
def test_an_agent_does_not_act_where_its_training_means_nothing(name: str) -> None:
    agent = find_agent(name).create(ENV_ID, env_kwargs={"days": 4})

    def act(**env_kwargs: Any) -> None:
        evaluate(agent, ENV_ID, episodes=1, env_kwargs={"days": 3, **env_kwargs})

    act(individual="sedentary-beginner")
    with pytest.raises(ValueError, match=r"trained with observation='state'.*'wearable'"):
        act(observation="wearable")
    with pytest.raises(ValueError, match=r"may choose plans that the environment forbids: \[9\]"):
        act(forbidden_plans=[9])


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("a3c", {"memory_size": 4}),
        ("acktr", {"memory_size": 4}),
        ("drqn", {"memory_size": 4}),
        ("ppo", {}),
        ("ppo", {"network": "hybrid"}),
        ("a2c", {}),
        ("dqn", {}),
        ("dqn", {"network": "hybrid"}),
        ("recurrent-ppo", {"memory_size": 4}),
    ],
)
def test_an_agent_acts_on_people_whose_observations_reach_elsewhere(
    name: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    """Bounds differ between people; what is seen and what may be chosen is the same."""
    configuration = {"environments": 4, "hidden_sizes": [4], **changes}
    find_agent(name).create(ENV_ID, configuration=configuration).save(tmp_path)
    agent = load_agent(tmp_path)
    for individual in ("population", "sedentary-beginner", "marathon-runner"):
        arguments = {"days": 3, "individual": individual}
        played = evaluate(agent, ENV_ID, episodes=3, env_kwargs=arguments)
        assert np.isin(played.actions, np.arange(11)).all()
    # The far ends of the numbers that an observation may hold.
    far = np.array([[np.finfo(np.float32).max] * 6, [np.finfo(np.float32).min] * 6])
    actions, _ = agent.predict(far.astype(np.float32))
    assert np.isin(actions, np.arange(11)).all()


@pytest.mark.parametrize("name", ["ppo", "dqn", "a3c"])
def test_where_the_nearest_plan_is_taken_every_agent_learns(name: str) -> None:
    nearest = {"days": 4, "forbidden_plans": [9, 10], "forbidden": "nearest"}
    changes = {"environments": 4, "hidden_sizes": [4]}
    changes |= {"workers": 0} if name == "a3c" else {}
    agent = find_agent(name).create(ENV_ID, env_kwargs=nearest, configuration=changes).learn(64)
    evaluate(agent, ENV_ID, episodes=2, env_kwargs=nearest)
    # One that masks may act where these plans are errors; one that does not is refused.
    strict = {"days": 4, "forbidden_plans": [9, 10]}
    if name == "a3c":
        evaluate(agent, ENV_ID, episodes=2, env_kwargs=strict)
    else:
        with pytest.raises(ValueError, match=r"plans that the environment forbids: \[9, 10\]"):
            evaluate(agent, ENV_ID, episodes=2, env_kwargs=strict)


def test_a_plan_forbidden_in_training_may_be_allowed_or_not(certain: dict[str, Any]) -> None:
    forbidding = {**certain, "forbidden_plans": [9, 10]}
    agent = A3C.create(ENV_ID, env_kwargs=forbidding, configuration=TINY)
    for forbidden in ([9, 10], [9], []):
        evaluate(agent, ENV_ID, episodes=1, env_kwargs={**certain, "forbidden_plans": forbidden})


@pytest.mark.parametrize("wrong", [{"workers": 0}, PPOConfiguration()])
def test_settings_of_another_kind_are_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="settings of A3C must be a A3CConfiguration, got"):
        A3C(ENV_ID, settings=wrong)
    with pytest.raises(TypeError, match="settings of PPO must be a PPOConfiguration, got"):
        find_agent("ppo")(ENV_ID, settings=ACKTRConfiguration())  # type: ignore[call-arg]


def test_a_hybrid_network_has_layers() -> None:
    with pytest.raises(ValueError, match="hidden_sizes must not be empty with network='hybrid'"):
        A3CConfiguration(hidden_sizes=())
    assert A3CConfiguration(network="lstm", hidden_sizes=()).hidden_sizes == ()


def test_numbers_of_numpy_and_files_of_people_are_saved_as_what_they_are(
    certain: dict[str, Any], replay: dict[str, Any], tmp_path: Path
) -> None:
    person = tmp_path / "me.json"
    person.write_text(json.dumps(replay["individual"]), encoding="utf-8")
    settings = A3CConfiguration(
        steps=np.int64(3),  # type: ignore[arg-type]
        learning_rate=np.float32(0.25),  # type: ignore[arg-type]
        hidden_sizes=(np.int32(4),),  # type: ignore[arg-type]
    )
    agent = A3C(
        ENV_ID,
        env_kwargs={**certain, "days": np.int64(12), "individual": person},
        settings=settings,
    )
    agent.save(tmp_path / "agent")
    person.unlink()
    loaded = load_agent(tmp_path / "agent")
    assert isinstance(loaded, A3C)
    assert loaded.settings == A3CConfiguration(steps=3, learning_rate=0.25, hidden_sizes=(4,))
    assert loaded.env_kwargs["days"] == 12
    sessions = replay["individual"]["sessions_trimp"]
    assert loaded.env_kwargs["individual"]["sessions_trimp"] == sessions


def test_weights_that_are_no_numbers_end_learning(certain: dict[str, Any]) -> None:
    configuration = {**TINY, "workers": 0, "learning_rate": 1e30, "activation": "relu"}
    agent = A3C.create(ENV_ID, env_kwargs=certain, configuration=configuration)
    with pytest.raises(LearningError, match=r"no longer finite after \d+ steps: .*below 1e\+30"):
        agent.learn(100_000)
    # The agent is what it was before.
    assert all(np.isfinite(array).all() for array in agent.tensors().values())


@pytest.fixture(scope="module")
def saved(certain: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What ``from_saved`` is given, by name of a tiny agent that has learnt a little."""
    folder = tmp_path_factory.mktemp("expert")
    record(FixedPlan(3), ENV_ID, env_kwargs=certain, episodes=4).save(folder / "expert")
    gail = {"demonstrations": str(folder / "expert"), "expert_episodes": 4}
    changes: dict[str, dict[str, Any]] = {
        "a3c": {"workers": 0},
        "acktr": {},
        "drqn": {"learning_starts": 4, "gradient_steps": 1},
        "gail": gail,
    }
    agents: dict[str, Any] = {}
    for name, change in changes.items():
        agents[name] = find_agent(name).create(
            ENV_ID, env_kwargs=certain, configuration={**TINY, **change}
        )
    small = {"environments": 4, "hidden_sizes": [4]}
    agents["a2c"] = find_agent("a2c").create(ENV_ID, env_kwargs=certain, configuration=small)
    agents["a2c hybrid"] = find_agent("a2c").create(
        ENV_ID, env_kwargs=certain, configuration={**small, "network": "hybrid"}
    )
    return {
        name: (type(agent), agent.learn(100).configuration(), agent.tensors())
        for name, agent in agents.items()
    }


LEARNERS = ["a3c", "acktr", "drqn", "gail", "a2c", "a2c hybrid"]


@pytest.mark.parametrize("name", LEARNERS)
def test_saved_numbers_that_are_not_finite_are_refused(saved: dict[str, Any], name: str) -> None:
    agent_class, configuration, tensors = saved[name]
    agent_class.from_saved(configuration, tensors)
    for key, array in tensors.items():
        if array.size and array.dtype.kind == "f":
            damaged = array.copy()
            damaged.flat[-1] = np.nan
            with pytest.raises(ValueError, match=rf"{re.escape(key)} .*must be finite"):
                agent_class.from_saved(configuration, {**tensors, key: damaged})


@pytest.mark.parametrize("name", LEARNERS)
def test_saved_tensors_of_another_shape_are_refused(saved: dict[str, Any], name: str) -> None:
    agent_class, configuration, tensors = saved[name]
    for key, array in tensors.items():
        # SB3's counts of what its moments were taken of are single numbers.
        if array.ndim:
            damaged = np.concatenate([array, array[:1]])
            with pytest.raises(ValueError):  # noqa: PT011
                agent_class.from_saved(configuration, {**tensors, key: damaged})


@pytest.mark.parametrize("name", LEARNERS)
def test_saved_tensors_that_are_missing_or_too_many_are_refused(
    saved: dict[str, Any], name: str
) -> None:
    agent_class, configuration, tensors = saved[name]
    for key in tensors:
        with pytest.raises((KeyError, ValueError)):
            agent_class.from_saved(
                configuration, {other: tensors[other] for other in tensors if other != key}
            )
    prefix = "policy" if name.startswith("a2c") else "actor"
    with pytest.raises(ValueError, match="cannot be rebuilt"):
        agent_class.from_saved(configuration, {**tensors, f"{prefix}.more": np.ones(3)})


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize(
    "changes",
    [
        {"settings": None},
        {"settings": [1]},
        {"settings": {"learning_rate": "fast"}},
        {"env_kwargs": 3},
        {"seed": "x"},
        {"timesteps": -1},
        {"timesteps": None},
        {"learning_curve": 7},
        {"learning_curve": [[1]]},
        {"learning_curve": [[1, None]]},
        {"learning_losses": [[1, 2.0]]},
        {"learning_losses": [[1, "x", 2.0]]},
    ],
    ids=repr,
)
def test_a_saved_configuration_of_wrong_types_is_refused(
    saved: dict[str, Any], name: str, changes: dict[str, Any]
) -> None:
    agent_class, configuration, tensors = saved[name]
    with pytest.raises(ValueError):  # noqa: PT011
        agent_class.from_saved({**configuration, **changes}, tensors)


def test_a_saved_agent_that_lacks_a_part_is_refused(
    certain: dict[str, Any], tmp_path: Path
) -> None:
    A3C.create(ENV_ID, env_kwargs=certain, configuration=TINY).save(tmp_path)
    card = json.loads((tmp_path / "agent.json").read_text(encoding="utf-8"))
    del card["configuration"]["seed"]
    (tmp_path / "agent.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ValueError, match="the agent saved in .* lacks 'seed'"):
        load_agent(tmp_path)
