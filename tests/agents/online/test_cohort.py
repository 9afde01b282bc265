from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numpy.typing import NDArray

from fitgym_agents.online.agent import Observations, OnlineAgent, Outcomes, Profiles, Service
from fitgym_agents.online.bandits import LinearThompson, LinUCB, RandomProbabilities
from fitgym_agents.online.cohort import Cohort, run_cohort

ENV_ID = "fitgym/Acquisition-v1"


def cohort(**changes: Any) -> Cohort:
    return Cohort(**{"env_id": ENV_ID, "people": 12, "days": 20, "seed": 3, **changes})


class Watcher(OnlineAgent):
    """Wants more of the harder plans, and keeps everything that it is told."""

    name = "watcher"

    def begin(self, service: Service) -> None:
        super().begin(service)
        self.joined: list[Profiles] = []
        self.asked: list[Observations] = []
        self.told: list[Outcomes] = []
        self.updates = 0

    def join(self, profiles: Profiles) -> None:
        self.joined.append(profiles)

    def probabilities(self, observations: Observations) -> NDArray[np.float64]:
        self.asked.append(observations)
        wanted = np.arange(11.0) ** 3
        return np.tile(wanted / wanted.sum(), (observations.person.size, 1))

    def observe(self, outcomes: Outcomes) -> None:
        self.told.append(outcomes)

    def update(self) -> None:
        self.updates += 1


def test_a_persons_season_is_that_of_the_scalar_environment() -> None:
    one = cohort(env_kwargs={"individual": "population"})
    log = run_cohort(Watcher(), one)
    for person in (0, 7):
        env: Any = gym.make(ENV_ID, individual="population", days=one.days)
        env.reset(seed=one.seed + person)
        assert env.unwrapped.individual == log.individuals[person]
        for day in range(one.days):
            _, reward, _, _, info = env.step(int(log.action[person, day]))
            assert reward == log.reward[person, day]
            assert info["performance"] == log.performance[person, day]


def test_people_join_in_the_order_of_weeks_and_leave_after_their_season() -> None:
    agent = Watcher()
    one = cohort(join_weeks=3, availability=1.0, late=0.0, missing=0.0)
    run_cohort(agent, one)
    assert [profiles.person.tolist() for profiles in agent.joined] == [
        list(range(4)),
        list(range(4, 8)),
        list(range(8, 12)),
    ]
    seen = np.zeros((one.people, one.days), dtype=np.int64)
    for observations in agent.asked:
        np.add.at(seen, (observations.person, observations.day), 1)
    assert (seen == 1).all()
    # Two weeks after the first, the last have only joined.
    on_last_join = agent.asked[14]
    assert set(on_last_join.day.tolist()) == {14, 7, 0}


def test_logged_probabilities_add_up_and_are_those_of_the_actions() -> None:
    one = cohort(people=400, days=30, late=0.4)
    log = run_cohort(Watcher(), one)
    np.testing.assert_allclose(log.probabilities.sum(axis=2), 1.0)
    assert (log.action[~log.available] == 0).all()
    for of_agent in (True, False):
        rows = log.available & (log.decided == of_agent)
        assert rows.any()
        counts = np.bincount(log.action[rows], minlength=11)
        expected = log.probabilities[rows].sum(axis=0)
        variance = (log.probabilities[rows] * (1.0 - log.probabilities[rows])).sum(axis=0)
        assert (np.abs(counts - expected) < 4.5 * np.sqrt(variance)).all()
    assert log.fidelity()["probabilities kept"] == 1.0
    assert log.probabilities[log.available].min() == pytest.approx(0.2 / 11)


def test_late_data_come_in_order_and_missing_ones_never() -> None:
    agent = Watcher()
    one = cohort(late=0.4, missing=0.2, join_weeks=2)
    log = run_cohort(agent, one)
    told: dict[int, list[int]] = {person: [] for person in range(one.people)}
    for outcomes in agent.told:
        for row in range(outcomes.person.size):
            person, day = int(outcomes.person[row]), int(outcomes.day[row])
            told[person].append(day)
            assert outcomes.reward[row] == log.reward[person, day]
            assert outcomes.action[row] == log.action[person, day]
            assert outcomes.decided[row] == log.decided[person, day]
    for person, days in told.items():
        assert days == sorted(days)
        assert days == np.flatnonzero(log.arrival[person] >= 0).tolist()
    assert 0.1 < (log.arrival < 0).mean() < 0.3
    on_time = (log.arrival == np.arange(one.days))[log.arrival >= 0].mean()
    assert 0.5 < on_time < 0.75


def test_the_agent_sees_what_has_come_in_by_the_morning() -> None:
    agent = Watcher()
    one = cohort(late=0.4, missing=0.2, availability=1.0, people=20, join_weeks=1)
    log = run_cohort(agent, one)
    states: dict[tuple[int, int], NDArray[np.float32]] = {}
    for outcomes in agent.told:
        for row in range(outcomes.person.size):
            key = (int(outcomes.person[row]), int(outcomes.day[row]) + 1)
            states[key] = outcomes.after[row]
    for profiles in agent.joined:
        for person, values in zip(profiles.person.tolist(), profiles.observation, strict=True):
            states[person, 0] = values
    stale = 0
    for observations in agent.asked:
        for row in range(observations.person.size):
            person, day = int(observations.person[row]), int(observations.day[row])
            # The last day whose data came in on an earlier day.
            come = [d for d in range(day) if 0 <= log.arrival[person, d] < day]
            known = max(come, default=-1) + 1
            assert observations.age[row] == day - known <= 3
            np.testing.assert_array_equal(observations.values[row], states[person, known])
            stale += known < day
    assert stale > 0


def test_whoever_is_not_heard_of_gets_the_fallback() -> None:
    one = cohort(people=30, missing=0.95, availability=1.0)
    log = run_cohort(Watcher(), one)
    # With nothing heard since joining the agent decides on the first four mornings.
    silent = (log.arrival < 0).all(axis=1)
    assert silent.any()
    np.testing.assert_array_equal(
        log.decided[silent], np.tile(np.arange(one.days) < 4, (silent.sum(), 1))
    )
    fallback = log.probabilities[~log.decided]
    assert (fallback.argmax(axis=1) == 2).all()
    assert log.fidelity()["fallback"] == pytest.approx(1.0 - log.decided.mean())


@pytest.mark.parametrize(("rhythm", "due"), [("nightly", 20), ("weekly", 2)])
def test_updates_come_at_the_rhythm_unless_they_fail(rhythm: str, due: int) -> None:
    agent = Watcher()
    log = run_cohort(agent, cohort(rhythm=rhythm, join_weeks=1, outage=0.0))
    assert agent.updates == log.updates_run == log.updates_due == due
    log = run_cohort(agent, cohort(rhythm=rhythm, join_weeks=1, outage=0.5, days=200))
    assert agent.updates == log.updates_run < log.updates_due
    assert log.fidelity()["updates on time"] == log.updates_run / log.updates_due


@pytest.mark.parametrize(
    "make",
    [
        RandomProbabilities,
        lambda: LinearThompson("full"),
        lambda: LinearThompson("none"),
        lambda: LinearThompson("partial"),
        lambda: LinearThompson("partial", centred=True),
        LinUCB,
    ],
)
def test_a_repeated_run_is_the_same_to_the_bit(make: Any) -> None:
    agent = make()
    one = cohort(env_kwargs={"individual": "population"})
    first, again, other = run_cohort(agent, one), run_cohort(agent, one), run_cohort(make(), one)
    for log in (again, other):
        np.testing.assert_array_equal(first.action, log.action)
        np.testing.assert_array_equal(first.probabilities, log.probabilities)
        np.testing.assert_array_equal(first.reward, log.reward)


def test_mishaps_and_people_are_the_same_for_every_agent() -> None:
    one = cohort(env_kwargs={"individual": "population"})
    a, b = run_cohort(Watcher(), one), run_cohort(RandomProbabilities(), one)
    np.testing.assert_array_equal(a.available, b.available)
    np.testing.assert_array_equal(a.arrival, b.arrival)
    assert a.individuals == b.individuals
    assert a.updates_run == b.updates_run


def test_an_agent_that_breaks_the_promise_is_refused() -> None:
    class Certain(Watcher):
        def act(self, observations: Observations) -> Any:
            count = observations.person.size
            return np.zeros(count, dtype=np.int64), np.eye(11)[np.zeros(count, dtype=np.int64)]

    with pytest.raises(ValueError, match="act must clip them"):
        run_cohort(Certain(), cohort())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"people": 0}, "people"),
        ({"rhythm": "hourly"}, "rhythm"),
        ({"availability": 0.0}, "availability"),
        ({"late": 1.0}, "late"),
        ({"join_weeks": 13}, "join_weeks"),
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cohort(**changes)


def test_environments_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="observation='state'"):
        run_cohort(Watcher(), cohort(env_kwargs={"observation": "wearable"}))
    with pytest.raises(ValueError, match="FitRec adherence"):
        run_cohort(Watcher(), cohort(env_id="fitgym/AcquisitionReplay-v0"))
