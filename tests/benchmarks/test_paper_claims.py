"""Verdicts follow their rules, the grid is what the paper varies, and costs are counted right."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from made_up import made_up

from fitgym.common.statistics import Interval
from fitgym_agents.registry import find_agent
from fitgym_benchmarks.paper import algorithm_exhibits, sensitivity
from fitgym_benchmarks.paper.algorithm_exhibits import figure_8, figure_9
from fitgym_benchmarks.paper.budgets import BUDGETS
from fitgym_benchmarks.paper.claims import Verdict, rises, spread_ratio, threshold
from fitgym_benchmarks.paper.complexity import multiply_adds
from fitgym_benchmarks.paper.grid import PLACES, VERSION_0, WEIGHTS, paper_runs, scaled_person
from fitgym_benchmarks.paper.sensitivity import figures_10_and_11

# Two of the six are enough to see that a rule is followed, and take a third of the time.
FEW = (PLACES[0], PLACES[4])

NOISE = np.random.default_rng(0).normal(size=(1, 200))


def at(*levels: float) -> list[np.ndarray]:
    return [level + NOISE for level in levels]


def test_a_rise_needs_an_end_above_the_start_and_no_step_down() -> None:
    assert rises(at(0, 1, 1, 2))[0]
    assert not rises(at(0, 2, 1, 3))[0]
    assert not rises(at(1, 1, 1))[0]
    assert rises(at(3, 2, 2, 0), sign=-1.0)[0]
    assert not rises(at(0, 1, 2), sign=-1.0)[0]
    # A step down within chance is none.
    wide = [NOISE, NOISE[:, ::-1] - 0.05, 3 + NOISE]
    assert rises(wide)[0]
    assert rises(at(0, 1, 2))[1].mean == pytest.approx(2.0)


def test_seeds_that_one_setting_lacks_are_left_out() -> None:
    three = np.concatenate([NOISE, NOISE + 100, NOISE + 200])
    assert rises([three, NOISE + 1])[1].mean == pytest.approx(1.0)


def test_the_spread_is_that_of_episodes() -> None:
    ratio = spread_ratio(NOISE, 3.0 * NOISE + 7.0)
    assert [ratio.mean, ratio.low, ratio.high] == pytest.approx([3.0, 3.0, 3.0])


def around(mean: float) -> Interval:
    return Interval(mean, mean - 1.0, mean + 1.0)


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        ((-10, -5, 5, 20), 1.5),
        ((-10, 30, 40, 50), 0.25),
        # Never worse than none, never better, and not certainly worse.
        ((3, 5, 8, 9), None),
        ((-10, -8, -5, -2), None),
        ((-0.5, 5, 8, 9), None),
    ],
)
def test_a_threshold_is_where_a_service_starts_to_pay(means, expected) -> None:
    assert threshold((0.0, 1.0, 2.0, 3.0), [around(mean) for mean in means]) == (
        None if expected is None else pytest.approx(expected)
    )


def verdicts(exhibit, text: str) -> set[Verdict]:
    found = {claim.verdict for claim in exhibit.claims if text in claim.text}
    assert found
    return found


def test_superiority_needs_every_rival_beaten(monkeypatch) -> None:
    monkeypatch.setattr(algorithm_exhibits, "REPLAY", FEW[:1])
    monkeypatch.setattr(algorithm_exhibits, "VERSION_1", ())
    text = "superior to the fixed plans"
    assert verdicts(figure_9(made_up()), text) == {Verdict.REPRODUCES}
    rival = made_up({"fixed plan 7": 152.0})
    assert verdicts(figure_9(rival), text) == {Verdict.DOES_NOT}
    easy = "beat the learnt policy with some probability"
    assert verdicts(figure_9(made_up()), easy) == {Verdict.DOES_NOT}
    assert verdicts(figure_9(made_up({"fixed plan 1": 150.5})), easy) == {Verdict.REPRODUCES}


def test_convergence_is_read_off_the_curve(monkeypatch) -> None:
    monkeypatch.setattr(algorithm_exhibits, "REPLAY", FEW[:1])
    monkeypatch.setattr(algorithm_exhibits, "VERSION_1", FEW[1:])
    exhibit = figure_8(made_up())
    # 10, 60, 90, 100 have come 95 % of their way at the last of 400 steps, which took 8 s.
    assert {row[2:4] for row in exhibit.tables[0].rows} == {("400", "8")}
    assert verdicts(exhibit, "355 seconds") == {Verdict.REPRODUCES}
    assert verdicts(exhibit, "5,100 steps") == {Verdict.OPEN}


def test_a_response_that_is_flat_does_not_reproduce(monkeypatch) -> None:
    monkeypatch.setattr(sensitivity, "PLACES", FEW[1:])
    mu, rho = figures_10_and_11(made_up(), BUDGETS["quick"])
    assert verdicts(mu, "rises with mu") == verdicts(rho, "falls with rho") == {Verdict.DOES_NOT}
    assert verdicts(mu, "Below a threshold") == {Verdict.DOES_NOT}
    below = made_up({"A3C": 40.0, "ceiling": 45.0})
    mu, _ = figures_10_and_11(below, BUDGETS["quick"])
    assert "no threshold" in mu.claims[2].found


def test_every_place_has_the_same_factors_of_its_own_weights() -> None:
    runs = paper_runs(BUDGETS["standard"])
    for place in PLACES:
        for letter, argument in WEIGHTS.items():
            values = {
                run.evaluation_kwargs.get(argument, place.default(argument))
                for cell, group in runs.items()
                for run in group
                if cell.part == "reward"
                and cell.environment == place.environment
                and (cell.variant == "as registered" or cell.variant.startswith(letter))
            }
            expected = [f * place.default(argument) for f in BUDGETS["standard"].factors]
            assert sorted(values) == pytest.approx(expected)


def test_learners_under_replay_never_see_what_they_are_judged_by() -> None:
    for group in paper_runs(BUDGETS["standard"]).values():
        for run in group:
            if "Replay" in run.environment:
                assert run.evaluation_kwargs["log_part"] == "test"
                assert not run.steps or run.training_kwargs["log_part"] == "train"


@pytest.mark.parametrize("sigma", [0.0, 1.0])
def test_a_scaled_person_starts_alike_and_responds_alike_to_the_first_session(sigma) -> None:
    for place in VERSION_0:
        performances = []
        person = scaled_person(place.environment, sigma)
        assert person[place.title.rpartition(" ")[2]]["base_scaling"] == sigma
        for individual in (gym.spec(place.environment).kwargs["individual"], person):
            environment = gym.make(
                place.environment, individual=individual, adherence="certain"
            ).unwrapped
            _, info = environment.reset(seed=0)
            performances.append([info["performance"]])
            # The base level of the first day is B_0 if the session before was no harder.
            _, _, _, _, info = environment.step(5)
            performances[-1].append(info["performance"])
        own, scaled = performances
        assert scaled[0] == pytest.approx(own[0])
        assert scaled[1] == pytest.approx(own[1], abs=0.02)


def test_multiply_adds_are_those_of_the_layers() -> None:
    inputs, memory, hidden, actions = 6, 64, 64, 11
    lstm = 4 * memory * (inputs + memory)
    layers = memory * hidden + hidden * hidden + hidden * actions

    def count(name: str, **settings) -> int | None:
        agent = find_agent(name).create("fitgym/Acquisition-v1", configuration=settings)
        return multiply_adds(agent)

    assert count("a3c") == lstm + layers
    assert count("a3c", network="mlp") == inputs * hidden + hidden * hidden + hidden * actions
    # A stacked history of eight steps goes through the LSTM at every decision.
    assert count("ppo", network="hybrid") == 8 * lstm + layers
    assert count("dqn", network="hybrid") == 8 * lstm + layers
    assert count("fixed", plan=1) is None
