"""Tables rank a learner by the better of its two modes and say who ends worse off than without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fitgym.common.statistics import crosswise_interval
from fitgym.model.strain import workload_ratio
from fitgym_agents.agent import Agent
from fitgym_agents.evaluation import Evaluation, evaluate
from fitgym_agents.references.simple import CoachRule, FixedPlan
from fitgym_agents.summary import (
    PEOPLE_COLUMNS,
    Summary,
    evaluate_modes,
    evaluate_no_service,
)

ENV_ID = "fitgym/Acquisition-v0"


class Drawing(Agent):
    """Its likeliest plan is always the same; drawn, it is any of the first four."""

    name = "drawing"

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        generator = np.random.default_rng(1) if state is None else state
        if deterministic:
            return np.full(len(observation), 10), generator
        return generator.integers(1, 4, size=len(observation)), generator

    def learn(self, total_timesteps, *, progress=None):
        return self


def modes(agent: Agent, **kwargs: Any) -> tuple[Evaluation, Evaluation | None]:
    return evaluate_modes(agent, ENV_ID, episodes=8, seed=3, env_kwargs={"days": 40, **kwargs})


def test_a_learner_is_ranked_by_its_better_mode_and_flagged_for_its_one_plan() -> None:
    likeliest, drawn = modes(Drawing())
    assert drawn is not None
    assert drawn.mean > likeliest.mean
    summary = Summary("drawing", (likeliest,), (drawn,))
    assert summary.ranked_by == "drawn"
    assert summary.mean_return.mean == drawn.mean
    assert summary.likeliest_mean == likeliest.mean
    assert summary.notes(None) == ["likeliest: always plan 10"]
    assert summary.mode_cells() == (f"{likeliest.mean:,.1f}", f"{drawn.mean:,.1f}")
    turned = Summary("drawing", (drawn,), (likeliest,))
    assert turned.ranked_by == "likeliest"
    assert turned.notes(None) == []


def test_a_reference_has_one_mode_and_no_flag_for_its_plan() -> None:
    likeliest, drawn = modes(FixedPlan(3))
    assert drawn is None
    summary = Summary("fixed", (likeliest,))
    assert summary.ranked_by is None
    assert summary.notes(None) == []
    assert summary.mode_cells() == ("-", "-")


def test_people_who_end_below_no_service_are_marked() -> None:
    protocol: Any = {"episodes": 8, "seed": 3, "env_kwargs": {}}
    nothing = evaluate_no_service("fitgym/Retention-v0", **protocol)
    marked = []
    for agent in (FixedPlan(0), CoachRule(), FixedPlan(10)):
        evaluation = evaluate(agent, "fitgym/Retention-v0", **protocol)
        worse = evaluation.performance[:, -1].mean() < nothing.performance[:, -1].mean()
        notes = Summary("x", (evaluation,)).people_cells(nothing)[-1]
        assert notes == ("ends below no service" if worse else "-")
        marked.append(bool(worse))
    # Too hard a plan every day is worse than none.
    assert marked == [False, False, True]


def test_no_service_is_known_where_agents_must_push_a_plan() -> None:
    kwargs = {"days": 10, "forbidden_plans": [0]}
    nothing = evaluate_no_service(ENV_ID, episodes=2, seed=3, env_kwargs=kwargs)
    assert (nothing.actions == 0).all()


def test_numbers_are_those_of_all_seeds() -> None:
    seeds = tuple(
        evaluate(FixedPlan(plan), ENV_ID, episodes=6, env_kwargs={"days": 30}) for plan in (4, 6, 8)
    )
    summary = Summary("three", seeds)
    returns = np.array([one.returns for one in seeds])
    assert summary.mean_return == crosswise_interval(returns)
    met, given = sum(one.met.sum() for one in seeds), 3 * 6 * 30
    assert summary.completion is not None
    assert summary.completion.mean == pytest.approx(met / given)
    ratios = workload_ratio(np.array([one.done_trimp for one in seeds]))
    assert summary.dangerous_days == pytest.approx((ratios > 1.5).sum() / 18)
    assert summary.strained_share == pytest.approx((ratios > 1.3).mean())
    gains = [one.performance[:, -1] - one.performance[:, 0] for one in seeds]
    assert summary.performance_gain == pytest.approx(np.mean(gains))
    assert summary.weekly_load == pytest.approx(
        7 * np.mean([one.done_trimp.mean() for one in seeds])
    )
    assert len(summary.people_cells(seeds[0])) == len(PEOPLE_COLUMNS)
    numbers = summary.to_dict(seeds[0])
    assert numbers["mean_return"]["mean"] == pytest.approx(returns.mean())
    assert numbers["drawn_mean"] is None
