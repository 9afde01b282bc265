from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fitgym.planning.grid import GridSize
from fitgym_agents.online.agent import Observations, OnlineAgent
from fitgym_agents.online.bandits import RandomProbabilities
from fitgym_agents.online.cohort import Cohort, run_cohort
from fitgym_agents.online.export import log_columns, write_log
from fitgym_agents.online.references import cohort_references
from fitgym_agents.online.registry import ONLINE_AGENTS, make_online_agent

SIZE = GridSize(base_level=3, fitness=3, fatigue=4, motivation=7, shares=2, habits=2)


class NoService(OnlineAgent):
    name = "no service"

    def probabilities(self, observations: Observations) -> NDArray[np.float64]:
        return np.eye(11)[np.zeros_like(observations.person)]


@pytest.mark.parametrize("individual", ["population", "club-runner"])
def test_references_live_the_cohorts_days(individual: str) -> None:
    cohort = Cohort(
        people=6,
        days=10,
        exploration=0.0,
        availability=0.7,
        missing=0.0,
        late=0.0,
        env_kwargs={"individual": individual},
        seed=4,
    )
    log = run_cohort(NoService(), cohort)
    found = cohort_references(cohort, log.task, log.individuals, 3, size=SIZE)
    np.testing.assert_array_equal(found.none, log.reward[:3])
    assert found.belief.shape == (3, 10)
    assert found.ceiling.sum() > found.none.sum()
    summary = found.summary(log)
    assert summary["share of the way"] == 0.0
    assert summary["regret to ceiling"] == pytest.approx((found.ceiling - found.none).mean())
    assert summary["served worse than by none"] == 0.0
    assert summary["regret to belief, percentile 10"] <= summary["regret to belief, percentile 90"]


def test_a_log_is_read_back_as_it_was(tmp_path: Path) -> None:
    log = run_cohort(RandomProbabilities(), Cohort(people=5, days=6, seed=2))
    first = write_log(log, tmp_path / "log")[0]
    content = first.read_bytes()
    with first.open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = log_columns(log)
    assert len(rows) == 30
    for name, values in columns.items():
        np.testing.assert_allclose([float(row[name]) for row in rows], values, rtol=1e-5)
    # Person 3 joined in the third of four weeks, and this is day 2 of that season.
    assert rows[3 * 6 + 2]["calendar_day"] == "16"
    write_log(log, tmp_path / "log")
    assert first.read_bytes() == content


def test_a_log_as_parquet_is_the_same(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    log = run_cohort(RandomProbabilities(), Cohort(people=5, days=6, seed=2))
    _, path = write_log(log, tmp_path / "log")
    table = parquet.read_table(path)
    for name, values in log_columns(log).items():
        np.testing.assert_array_equal(table[name].to_numpy(), values)


def test_agents_are_found_by_name() -> None:
    for name in set(ONLINE_AGENTS) - {"model-based"}:
        assert isinstance(make_online_agent(name), OnlineAgent)
    assert make_online_agent("pretrained:a3c").name == "a3c (shipped)"
    found = make_online_agent("fitgym_agents.online.bandits:LinUCB")
    assert found.name == "LinUCB"
    with pytest.raises(ValueError, match="agent must be one of"):
        make_online_agent("thompson")
    with pytest.raises(ValueError, match="cannot be imported"):
        make_online_agent("fitgym_agents.online.bandits:Nothing")
    with pytest.raises(TypeError, match="subclass of OnlineAgent"):
        make_online_agent("fitgym_agents.online.cohort:Cohort")


def test_an_agent_that_ships_serves_as_it_is() -> None:
    cohort = Cohort(people=5, days=6, exploration=0.0, late=0.0, missing=0.0, availability=1.0)
    shipped = make_online_agent("pretrained:ppo")
    log = run_cohort(shipped, cohort)
    # Without floor and mishaps it is what the evaluation of the same seasons shows.
    from fitgym_agents.evaluation import evaluate
    from fitgym_agents.pretrained import load_pretrained

    agent = load_pretrained("ppo", cohort.env_id)
    shown = evaluate(
        agent, cohort.env_id, episodes=5, seed=cohort.seed, env_kwargs=cohort.arguments
    )
    np.testing.assert_array_equal(log.action, shown.actions)
    np.testing.assert_array_equal(log.reward, shown.rewards)
