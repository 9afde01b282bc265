"""The command line: ``python -m benchmarks quick | search | speed``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.parallel import run_all
from benchmarks.quick import STEPS, quick_runs
from benchmarks.report import calibrate_log, write_report
from benchmarks.search import SPACES, STAGES, Search, as_markdown, run_search
from benchmarks.store import ResultStore
from benchmarks.tables import as_text, tables
from fitgym.validation import require_integer

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one benchmark and return the exit status.

    Args:
        arguments: The words after the program's name; None takes them from the command line.

    Returns:
        0 on success, 2 when the input was wrong, 130 when stopped from the keyboard.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Train, evaluate and compare agents."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    quick = commands.add_parser(
        "quick",
        help="all learners and references on small budgets, with a report, in ten minutes",
        description="Train the learners, evaluate them and every reference on the same seasons, "
        "print the table and write a report. Stop it whenever you like: started again, it goes "
        "on with the runs that are not finished.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    quick.add_argument("--out", type=Path, default=Path("results/quick"), help="folder of results")
    quick.add_argument("--seed", type=int, default=0, help="seed of the training")
    quick.add_argument("--steps", type=int, default=STEPS, help="training steps of each run")
    quick.add_argument("--workers", type=int, default=2, help="processes to train with")
    quick.set_defaults(run=_quick)
    speed = commands.add_parser(
        "speed",
        help="how fast the environments are, as ratios",
        description="Time the environments against yardsticks in turns, and print ratios.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    speed.add_argument("--out", type=Path, default=Path("results/speed"), help="folder of results")
    speed.add_argument("--repeats", type=int, default=7, help="pairs of each comparison")
    speed.set_defaults(run=_speed)
    search = commands.add_parser(
        "search",
        help="settings of a learner, by Optuna",
        description="Try settings and print a table of them. Stop it whenever you like: started "
        "again, it goes on; started twice, it uses two cores.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    search.add_argument("agent", choices=list(SPACES), help="the learner")
    search.add_argument(
        "--environment",
        nargs="+",
        default=list(STAGES),
        help="ids of the environments to learn",
    )
    search.add_argument("--trials", type=int, default=40, help="finished trials in all")
    search.add_argument("--steps", type=int, default=1_000_000, help="steps of each training")
    search.add_argument("--seeds", type=int, default=1, help="trainings of each trial")
    search.add_argument("--episodes", type=int, default=100, help="seasons to judge a training by")
    search.add_argument("--sampler-seed", type=int, default=0, help="seed of the search itself")
    search.add_argument(
        "--fixed", type=json.loads, default={}, help="settings that all trials share, as JSON"
    )
    search.add_argument(
        "--out", type=Path, default=Path("results/search"), help="folder of studies and tables"
    )
    search.set_defaults(run=_search)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, TypeError, OSError, ModuleNotFoundError) as error:
        print(f"benchmarks {options.command}: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; start the same command again to go on", file=sys.stderr)
        return 130
    return 0


def _speed(options: argparse.Namespace) -> None:
    from benchmarks.speed import measure_speed

    measure_speed(options.out, require_integer("--repeats", options.repeats, 1))


def _search(options: argparse.Namespace) -> None:
    require_integer("--trials", options.trials, 1)
    search = Search(
        agent=options.agent,
        environments=tuple(options.environment),
        steps=options.steps,
        seeds=options.seeds,
        episodes=options.episodes,
        fixed=options.fixed,
    )
    study = run_search(search, options.trials, options.out, seed=options.sampler_seed)
    print(f"\n{as_markdown(search, study)}")


def _quick(options: argparse.Namespace) -> None:
    require_integer("--seed", options.seed, 0)
    require_integer("--steps", options.steps, 1)
    require_integer("--workers", options.workers, 1)
    started = time.perf_counter()
    runs = quick_runs(seed=options.seed, steps=options.steps)
    results = run_all(runs, ResultStore(options.out / "runs"), workers=options.workers)
    for table in tables(results):
        print(f"\n{as_text(table)}")
    command = f"python -m benchmarks quick --seed {options.seed} --steps {options.steps}"
    print("\nFitting the model to the runner's log, for the report ...", flush=True)
    page = write_report(results, options.out, calibrate_log(), command)
    print(f"Report: {page} ({time.perf_counter() - started:.0f} s in all)")
