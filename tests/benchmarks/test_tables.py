"""The numbers of the tables are those of the evaluations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fitgym.common.statistics import bootstrap_interval
from fitgym.planning.scores import load_reference_scores
from fitgym_benchmarks.report.findings import find
from fitgym_benchmarks.report.tables import (
    COLUMNS,
    as_markdown,
    as_text,
    cells,
    people_cells,
    tables,
)


def test_rows_hold_the_numbers_of_their_evaluations(results) -> None:
    for table in tables(results):
        mine = [result for result in results if result.run.environment == table.environment]
        assert {row.result.run.key for row in table.rows} == {result.run.key for result in mine}
        better = [
            max((one for one in (r.evaluation, r.drawn) if one is not None), key=lambda e: e.mean)
            for r in mine
        ]
        returns = {one.agent: one.rewards.sum(axis=1) for one in better}
        zero, ceiling = returns["no service"].mean(), returns["foresight"].mean()
        for row in table.rows:
            own = returns[row.result.evaluation.agent]
            assert row.mean_return == bootstrap_interval(own)
            assert row.mean_return.low <= own.mean() <= row.mean_return.high
            assert row.score == pytest.approx((own.mean() - zero) / (ceiling - zero))
            performance = row.evaluation.performance
            assert row.summary.performance_gain == pytest.approx(
                (performance[:, -1] - performance[:, 0]).mean()
            )
        assert table.no_service.score == 0
        assert table.no_service.completion_rate is None
        assert table.ceiling is not None
        assert table.ceiling.score == 1
        plan = next(row for row in table.rows if row.label == "always 7 points")
        assert plan.completion_rate == np.mean(plan.result.evaluation.done_trimp >= 7.0)


def test_tables_follow_the_environments_and_rows_end_with_learners_and_ceiling(results) -> None:
    first, second = tables(results)
    assert first.environment == results[0].run.environment
    assert second.environment == results[-1].run.environment
    kinds = [row.kind for row in first.rows]
    assert kinds == ["reference", "fixed", "fixed", "fixed", "reference", "learnt", "ceiling"]


def test_without_a_ceiling_there_is_no_score(results) -> None:
    (table,) = tables([r for r in results[:7] if r.evaluation.agent != "foresight"])
    assert table.ceiling is None
    assert all(row.score is None for row in table.rows)
    assert find(table).headroom is None


def test_text_and_markdown_hold_every_cell(results) -> None:
    table = tables(results)[0]
    text, markdown = as_text(table), as_markdown(table)
    for row in table.rows:
        for cell in (*cells(row), *people_cells(row, table)):
            assert cell in text
            assert f"| {cell} |" in markdown
    assert all(column in text for column in COLUMNS)
    assert f"{table.rows[1].mean_return.mean:,.1f}" in text


def test_findings_compare_in_pairs_and_check_that_plans_change_nothing(results) -> None:
    finding = find(tables(results)[0])
    by_agent = {result.evaluation.agent: result.evaluation for result in results[:7]}
    best = max(by_agent[f"fixed plan {plan}"].mean for plan in (1, 2, 5))
    assert finding.best_fixed.mean_return.mean == best
    assert finding.best_learnt.label == "steady"
    difference = (
        finding.best_learnt.evaluation.returns
        - by_agent[finding.best_fixed.result.evaluation.agent].returns
    )
    assert finding.difference == bootstrap_interval(difference)
    facts = finding.replay
    assert facts is not None
    assert facts.plans_change_nothing
    assert facts.completion_bonus == 60
    best_evaluation = finding.best_fixed.result.evaluation
    # What is neither bonus nor performance is the penalty, at rho = 2.
    missing = 2.0 * np.maximum(best_evaluation.plans_trimp - best_evaluation.done_trimp, 0).sum()
    total = best_evaluation.rewards.sum()
    assert facts.bonus_share * total == pytest.approx(60 * best_evaluation.met.sum())
    assert facts.performance_per_day * best_evaluation.rewards.size == pytest.approx(
        total - 60 * best_evaluation.met.sum() + missing
    )


def test_without_a_row_the_ceiling_is_the_reference_score_that_ships(results) -> None:
    moved = [
        replace(r, run=replace(r.run, environment="fitgym/Acquisition-v0", evaluation_kwargs={}))
        for r in results[:7]
        if r.evaluation.agent != "foresight"
    ]
    (table,) = tables(moved)
    scores = load_reference_scores("fitgym/Acquisition-v0")
    zero = scores.references["no service"].mean
    ceiling = scores.references["dynamic programming"].mean
    for row in table.rows:
        assert row.score == pytest.approx((row.mean_return.mean - zero) / (ceiling - zero))
