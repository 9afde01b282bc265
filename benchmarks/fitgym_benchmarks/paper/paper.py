"""``benchmark paper``: all runs, then the exhibits made from them."""

from __future__ import annotations

from pathlib import Path

from fitgym_benchmarks.backends.backend import Backend
from fitgym_benchmarks.paper import beyond
from fitgym_benchmarks.paper.algorithm_exhibits import figure_8, figure_9, table_3, table_4, table_5
from fitgym_benchmarks.paper.answer import answer
from fitgym_benchmarks.paper.budgets import BUDGETS
from fitgym_benchmarks.paper.exhibits import Found
from fitgym_benchmarks.paper.grid import paper_runs
from fitgym_benchmarks.paper.log_exhibits import figure_6, figure_7, read_log, table_1, table_2
from fitgym_benchmarks.paper.page import write_paper
from fitgym_benchmarks.paper.sensitivity import figures_10_and_11
from fitgym_benchmarks.store import ResultStore
from fitgym_benchmarks.sweep import run_all


def reproduce(name: str, out: Path, backend: Backend, command: str) -> Path:
    """Do the runs that are not done yet, write the page and return its path.

    Args:
        name: Of the budget.
        out: Folder of results.
        backend: Who does the runs.
        command: What repeats it.
    """
    budget = BUDGETS[name]
    cells = paper_runs(budget)
    runs = list({run.key: run for group in cells.values() for run in group}.values())
    results = run_all(runs, ResultStore(out / "runs"), backend)
    of_key = {result.folder.name: result for result in results}
    found = Found({cell: [of_key[run.key] for run in group] for cell, group in cells.items()})
    log = read_log(budget)
    steps = {"A3C": budget.a3c_steps, "every algorithm": budget.algorithm_steps}
    exhibits = [
        table_1(log),
        table_2(log),
        table_3(steps),
        table_4(),
        table_5(found),
        figure_6(log),
        figure_7(log),
        figure_8(found),
        figure_9(found),
        *figures_10_and_11(found, budget),
        beyond.adherence(found),
        beyond.scaling(found),
        beyond.motivation(found),
        beyond.observations(found),
        beyond.predictors(found, budget, out),
        beyond.unseen_people(found, out),
        beyond.activities(found),
    ]
    return write_paper(answer(found, exhibits), exhibits, results, out, name, command)
