"""The service that virtual people are served by, and the figures made of it."""

from __future__ import annotations

import numpy as np
import pytest
from coached_people import SMALL

from fitgym.coach import evaluation
from fitgym.coach.constraints import Constraints
from fitgym.coach.evaluation import PersonEarned, PlanForecast, summarise, summarise_forecasts
from fitgym.coach.person import Coached, environment_of
from fitgym.coach.program import SeasonProgram
from fitgym.coach.seasons import play
from fitgym.coach.tracking import Tracker
from fitgym.model.strain import workload_ratio


def test_who_knows_the_person_follows_the_stocks_exactly(
    coached: Coached, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service whose model is right computes the true stocks from what was done alone."""
    seen: list[np.ndarray] = []
    usual = evaluation.rate

    def noting(policy: str, program: SeasonProgram, states: np.ndarray, *rest: object) -> object:
        seen.append(states.copy())
        return usual(policy, program, states, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(evaluation, "rate", noting)
    program = SeasonProgram(coached, coached.morning, 12, size=SMALL).solve(cache=False)
    starts = np.repeat(coached.morning.state(), 5)
    starts["key"] = np.arange(5, dtype=np.uint64)
    choice = evaluation.serve(program, Tracker(coached.individual))
    played = play(environment_of(coached.individual, 12), starts, 12, choice)
    for day, told in enumerate(seen):
        for name in ("base_level", "fitness", "fatigue", "history", "days_since"):
            np.testing.assert_allclose(told[name], played.states[day][name], rtol=1e-12)
    assert len(np.unique(played.actions)) > 1


def test_a_service_keeps_the_limits(coached: Coached) -> None:
    """Whatever people do, no plan rises too steeply, follows a hard day, or is unlikely."""
    kept = Constraints(hard_gap=1, hard_trimp=15.0, acwr=1.3)
    program = SeasonProgram(coached, coached.morning, 30, constraints=kept, size=SMALL)
    starts = np.repeat(coached.morning.state(), 6)
    starts["key"] = np.arange(6, dtype=np.uint64)
    choice = evaluation.serve(program.solve(cache=False), Tracker(coached.individual))
    played = play(environment_of(coached.individual, 30), starts, 30, choice)
    asked = program.targets[played.actions]
    assert (asked > 0.0).any()
    for person in range(6):
        loads = list(coached.loads)
        hard = loads[-1] >= 15.0
        for day in range(30):
            target = float(asked[day, person])
            if target:
                assert workload_ratio([*loads, target])[-1] <= 1.3 + 1e-9
                assert not (hard and target >= 15.0)
            done = float(played.outcomes["done_trimp"][day, person])
            hard = max(done, target) >= 15.0
            loads.append(done)


def test_shares_are_of_the_way_from_no_service() -> None:
    people = [
        PersonEarned(
            i,
            100.0,
            150.0,
            160.0,
            170.0,
            180.0 + i,
            200.0,
            0.1,
            dict.fromkeys(evaluation.POLICIES, 1.0),
        )
        for i in range(3)
    ]
    report = summarise(people)
    assert report["share of profiled"]["of sums"] == pytest.approx(0.81)
    assert report["share of rule"]["of sums"] == pytest.approx(0.5)
    assert report["share of fixed"]["of sums"] == pytest.approx(0.6)
    assert report["share of limited"]["of sums"] == pytest.approx(0.7)
    assert report["profiled less rule"]["people better"] == 1.0


def test_forecasts_are_gathered_by_chance() -> None:
    rows = [
        PlanForecast(0, 1, 0.95, 0.9, 1.0, 1.0, 20.0),
        PlanForecast(0, 2, 0.55, 0.5, -1.0, 0.9, 20.0),
        PlanForecast(1, 3, 0.05, 0.0, 0.0, 0.0, 20.0),
    ]
    report = summarise_forecasts(rows)
    assert [one["completed"] for one in report["chances"]] == [0.0, 0.5, 0.9]
    assert report["heart rate"]["root mean square error of its mean bpm"] == pytest.approx(1.0)
    assert report["heart rate"]["inside the 95 % range"] == pytest.approx(1.35 / 1.4)


def test_a_person_is_served_from_a_history() -> None:
    pytest.importorskip("torch")
    found = evaluation.earned(3, weeks=4, days=8, seasons=6, recordings=False)
    assert found.number == 3
    assert found.profiled > found.none
    assert found == evaluation.earned(3, weeks=4, days=8, seasons=6, recordings=False)
