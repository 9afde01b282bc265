"""``fitgym benchmark quick | paper | algorithms | people | online | search | speed``."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fitgym.cli.arguments import input_path
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.common.files import write_text
from fitgym.common.json_files import parse_json
from fitgym.common.validation import require_count, require_integer, require_seed
from fitgym.people.splits import SPLITS, is_population
from fitgym_agents.agent import Agent
from fitgym_agents.cli.options import check_environment, named_agent
from fitgym_agents.files import load_agent
from fitgym_agents.online.cohort import RHYTHMS, Cohort
from fitgym_agents.online.registry import ONLINE_AGENTS
from fitgym_agents.pretrained import load_pretrained, pretrained_agents
from fitgym_benchmarks.cli.backends import add_backend_arguments, backend_of, backend_words
from fitgym_benchmarks.paper.budgets import BUDGETS
from fitgym_benchmarks.paper.paper import reproduce
from fitgym_benchmarks.report.report import calibrate_log, write_report
from fitgym_benchmarks.report.tables import as_text, tables
from fitgym_benchmarks.results import Result
from fitgym_benchmarks.runs import STAGES
from fitgym_benchmarks.search import SPACES, TRIALS, Search, as_markdown, run_search
from fitgym_benchmarks.store import ResultStore
from fitgym_benchmarks.suites.algorithms import (
    ROWS,
    SLOW_ROWS,
    algorithm_runs,
    algorithm_table,
    write_page,
)
from fitgym_benchmarks.suites.online import default_agents, run_online, write_online
from fitgym_benchmarks.suites.people import POPULATION_ROWS, people_tables, population_runs
from fitgym_benchmarks.suites.people import write_page as write_people_page
from fitgym_benchmarks.suites.quick import ENVIRONMENTS, EPISODES, STEPS, first_tables, quick_runs
from fitgym_benchmarks.sweep import run_all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the benchmarks to the command's parser."""
    parser.description = "Train, evaluate and compare agents."
    commands = parser.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK")
    quick = commands.add_parser(
        "quick",
        help="all learners and references on small budgets, with a report, in ten minutes",
        description="Show what references and shipped agents earn, train the learners, evaluate "
        "all of them on the same episodes, print the tables and write a report. Stop it whenever "
        "you like: started again, it goes on where it was.",
        formatter_class=DefaultsHelpFormatter,
    )
    quick.add_argument("--out", type=input_path, default="results/quick", help="folder of results")
    quick.add_argument("--seed", type=int, default=0, help="seed of the training")
    quick.add_argument("--steps", type=int, default=STEPS, help="training steps of each run")
    quick.add_argument(
        "--agent",
        action="append",
        default=[],
        metavar="AGENT",
        help="a further agent: package.module:Class or the name of an installed one, with "
        "arguments if any, as in package.module:Class,argument=value; may be repeated",
    )
    quick.add_argument(
        "--environment",
        action="append",
        choices=ENVIRONMENTS,
        help="only this one; may be repeated (default: all four)",
    )
    add_backend_arguments(quick)
    quick.set_defaults(run=_run, check=_check_quick, work=_quick)
    paper = commands.add_parser(
        "paper",
        help="what Fang et al. 2022 report, each under its own number, and what they lack",
        description="Do all runs behind the paper's tables and figures, draw verdicts on its "
        "claims and write a page, a Markdown copy, tables and figures. Stop it whenever you like: "
        "started again, it goes on where it was.",
        formatter_class=DefaultsHelpFormatter,
    )
    paper.add_argument(
        "--budget",
        choices=list(BUDGETS),
        default="quick",
        help="quick shows that it runs and means nothing; standard takes about an hour of one core",
    )
    paper.add_argument("--out", type=input_path, default="results/paper", help="folder of results")
    add_backend_arguments(paper)
    paper.set_defaults(run=_run, check=backend_of, work=_paper)
    algorithms = commands.add_parser(
        "algorithms",
        help="every learner and network at equal environment steps, over some seeds",
        description="Train every learner with some seeds for equal environment steps, evaluate "
        "all of them and the references on the same episodes, and print tables per stage. Stop "
        "it whenever you like: started again, it goes on where it was.",
        formatter_class=DefaultsHelpFormatter,
    )
    algorithms.add_argument(
        "--out", type=input_path, default="results/algorithms", help="folder of results"
    )
    algorithms.add_argument("--steps", type=int, default=STEPS, help="training steps of each run")
    algorithms.add_argument("--seeds", type=int, default=3, help="trainings of each learner")
    algorithms.add_argument(
        "--slow-seeds",
        type=int,
        help=f"trainings of {', '.join(SLOW_ROWS)}, which take longest (default: as many)",
    )
    algorithms.add_argument(
        "--environment",
        action="append",
        metavar="ENV_ID",
        help="in this one; may be repeated (default: both stages of version 1)",
    )
    algorithms.add_argument(
        "--episodes", type=int, default=EPISODES, help="episodes to evaluate each of them on"
    )
    algorithms.add_argument(
        "--row", action="append", choices=list(ROWS), help="only this row; may be repeated"
    )
    add_backend_arguments(algorithms)
    algorithms.set_defaults(run=_run, check=_check_algorithms, work=_algorithms)
    online = commands.add_parser(
        "online",
        help="agents that learn while they serve, on people who live one season each",
        description="Let agents serve the same cohort, whose people join over weeks and live one "
        "season each, print returns, regret and how the service ran, and write logs and regret "
        "curves. Solved seasons are kept in the cache, so a second start is quicker.",
        formatter_class=DefaultsHelpFormatter,
    )
    online.add_argument(
        "--out", type=input_path, default="results/online", help="folder of results"
    )
    online.add_argument(
        "--environment", metavar="ENV_ID", default="fitgym/Acquisition-v1", help="registered id"
    )
    online.add_argument(
        "--individual",
        metavar="NAME|FILE.json",
        default="population",
        help="who everybody is; population for somebody else each time",
    )
    online.add_argument("--people", type=int, default=100, help="people in the cohort")
    online.add_argument("--days", type=int, default=90, help="length of a season")
    online.add_argument(
        "--agent",
        action="append",
        metavar="AGENT",
        help=f"one of {', '.join(ONLINE_AGENTS)}, pretrained:NAME, fine-tuned:NAME or "
        "package.module:Class; may be repeated (default: all of those named, and "
        "pretrained:a3c, pretrained:a3c-population and fine-tuned:a3c-population where these ship)",
    )
    online.add_argument(
        "--rhythm", choices=RHYTHMS, default="nightly", help="when agents are updated"
    )
    online.add_argument(
        "--references",
        type=int,
        default=20,
        help="people whose belief and dynamic program are solved, some seconds each; everybody "
        "if all are the same individual",
    )
    online.add_argument("--seed", type=int, default=0, help="of people, days and mishaps")
    online.add_argument(
        "--no-logs", action="store_true", help="write no row for each person, day and agent"
    )
    online.set_defaults(run=_run, check=_check_online, work=_online)
    speed = commands.add_parser(
        "speed",
        help="how fast environments, learners and sweeps are, as ratios",
        description="Time environments and learners against yardsticks in turns, measure what a "
        "run of a sweep costs and how memory grows, print the ratios beside the targets and write "
        "a report. A machine with other work gives other ratios.",
        formatter_class=DefaultsHelpFormatter,
    )
    speed.add_argument("--out", type=input_path, default="results/speed", help="folder of results")
    speed.add_argument("--repeats", type=int, default=7, help="turns of each side that count")
    speed.add_argument(
        "--only", choices=("environments", "training", "runs"), help="this part alone"
    )
    speed.set_defaults(run=_run, check=_check_speed, work=_speed)
    people = commands.add_parser(
        "people",
        help="one policy for everyone: agents on test people whom none was trained on",
        description="Let agents serve the people of the test split, and print how far each comes "
        "from no service to its own dynamic program. With --train the learners are trained on "
        "the training split first; stop it whenever you like: started again, it goes on.",
        formatter_class=DefaultsHelpFormatter,
    )
    people.add_argument(
        "--out", type=input_path, default="results/people", help="folder of results"
    )
    people.add_argument(
        "--train",
        action="store_true",
        help="train the population's learners, rather than to take those that ship",
    )
    people.add_argument("--seeds", type=int, default=1, help="trainings of each learner")
    people.add_argument(
        "--row", action="append", choices=list(POPULATION_ROWS), help="only this learner"
    )
    people.add_argument(
        "--agent",
        action="append",
        default=[],
        metavar="AGENT_OR_FOLDER",
        help="this agent, as `fitgym evaluate` takes it, rather than those that ship; may be "
        "repeated",
    )
    people.add_argument(
        "--environment",
        action="append",
        choices=list(STAGES),
        help="in this one; may be repeated (default: both stages of version 1)",
    )
    people.add_argument(
        "--everybody",
        type=int,
        default=1000,
        help="test people of the second table, which has no ceiling; 0 leaves it out",
    )
    add_backend_arguments(people)
    people.set_defaults(run=_run, check=_check_people, work=_people)
    search = commands.add_parser(
        "search",
        help="settings of a learner, by Optuna",
        description="Try settings and print a table of them. Stop it whenever you like: started "
        "again, it goes on; started twice, it uses two cores.",
        formatter_class=DefaultsHelpFormatter,
    )
    search.add_argument("agent", choices=list(SPACES), help="the learner")
    search.add_argument(
        "--environment",
        nargs="+",
        default=list(STAGES),
        help="ids of the environments to learn",
    )
    search.add_argument("--trials", type=int, default=TRIALS, help="finished trials in all")
    search.add_argument("--steps", type=int, default=1_000_000, help="steps of each training")
    search.add_argument("--seeds", type=int, default=1, help="trainings of each trial")
    search.add_argument("--episodes", type=int, default=100, help="episodes to judge a training by")
    search.add_argument("--sampler-seed", type=int, default=0, help="seed of the search itself")
    search.add_argument(
        "--fixed", type=_settings, default={}, help="settings that all trials share, as JSON"
    )
    search.add_argument(
        "--out", type=input_path, default="results/search", help="folder of studies and tables"
    )
    search.set_defaults(run=_run, check=_check_search, work=_search)


def _run(options: argparse.Namespace) -> None:
    """Check the options and that results can be written, then do the work."""
    options.check(options)
    _require_writable(options.out)
    try:
        options.work(options)
    except KeyboardInterrupt:
        if options.benchmark != "speed":
            print(
                f"what is done is kept in {options.out}: start the same command again to go on",
                file=sys.stderr,
            )
        raise


def _require_writable(folder: Path) -> None:
    """Make the folder of results, and check that a file can be written there.

    Raises:
        ValueError: If not.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"--out must be a folder that can be written to, got {str(folder)!r}: {error.strerror}"
        ) from None


def _check_algorithms(options: argparse.Namespace) -> None:
    require_count("--steps", options.steps)
    require_count("--seeds", options.seeds, high=1000)
    if options.slow_seeds is not None:
        require_count("--slow-seeds", options.slow_seeds, high=1000)
    for env_id in options.environment or ():
        check_environment(env_id, {})
    backend_of(options)
    require_count("--episodes", options.episodes, 2)


def _algorithms(options: argparse.Namespace) -> None:
    steps, seeds, rows = options.steps, options.seeds, options.row or list(ROWS)
    environments = options.environment or list(STAGES)
    groups = algorithm_runs(
        steps=steps,
        seeds=seeds,
        slow_seeds=options.slow_seeds,
        episodes=options.episodes,
        environments=environments,
        rows=rows,
    )
    store = ResultStore(options.out / "runs")
    runs = [run for group in groups.values() for run in group]
    result_of = dict(
        zip([run.key for run in runs], run_all(runs, store, backend_of(options)), strict=True)
    )
    found: dict[str, dict[str, list[Result]]] = {}
    for (environment, label), group in groups.items():
        found.setdefault(environment, {})[label] = [result_of[run.key] for run in group]
    words = ["--steps", str(steps), "--seeds", str(seeds)]
    words += ["--episodes", str(options.episodes)]
    words += ["--slow-seeds", str(options.slow_seeds)] if options.slow_seeds else []
    words += _repeated("--environment", options.environment)
    words += [*_repeated("--row", options.row), *backend_words(options)]
    command = shlex.join(["fitgym", "benchmark", "algorithms", *words])
    arguments = {
        "suite": "algorithms",
        "command": command,
        "steps": steps,
        "seeds": seeds,
        "slow_seeds": options.slow_seeds,
        "environments": environments,
        "episodes": options.episodes,
        "rows": rows,
    }
    write_text(options.out / "arguments.json", json.dumps(arguments, indent=2) + "\n")
    page = write_page(
        {environment: algorithm_table(by_row, store) for environment, by_row in found.items()},
        options.out,
        command,
    )
    print(f"\n{page.read_text(encoding='utf-8')}\nReport: {page}")


def _paper(options: argparse.Namespace) -> None:
    words = ["--budget", options.budget, *backend_words(options)]
    command = shlex.join(["fitgym", "benchmark", "paper", *words])
    page = reproduce(options.budget, options.out, backend_of(options), command)
    print(f"\nReport: {page}")


def _check_people(options: argparse.Namespace) -> None:
    require_count("--seeds", options.seeds, high=1000)
    require_integer("--everybody", options.everybody, 0, SPLITS["test"])
    backend_of(options)
    if (options.row or options.seeds > 1 or options.backend != "local") and not options.train:
        raise ValueError("--row, --seeds and --backend are of trainings: give --train, too")


def _people(options: argparse.Namespace) -> None:
    environments = options.environment or list(STAGES)
    trained: dict[str, dict[str, Agent]] = {environment: {} for environment in environments}
    rows = options.row or list(POPULATION_ROWS)
    words = []
    if options.train:
        store = ResultStore(options.out / "runs")
        groups = population_runs(environments, options.seeds, rows)
        run_all([run for g in groups.values() for run in g], store, backend_of(options))
        for (environment, label), runs in groups.items():
            for run in runs:
                name = label if len(runs) == 1 else f"{label}, seed {run.seed}"
                trained[environment][name] = load_agent(store.agent_folder(run))
        words += ["--train", "--seeds", str(options.seeds)]
        words += _repeated("--row", options.row)
    elif not options.agent:
        for name, environment in pretrained_agents():
            if environment in trained:
                trained[environment][name] = load_pretrained(name, environment)
    for text in options.agent:
        for environment in environments:
            trained[environment][text] = named_agent(text, environment, {})
    words += _repeated("--agent", options.agent)
    words += _repeated("--environment", options.environment)
    words += ["--everybody", str(options.everybody)]
    tables = [
        table
        for environment in environments
        for table in people_tables(environment, trained[environment], everybody=options.everybody)
    ]
    command = shlex.join(["fitgym", "benchmark", "people", *words])
    if options.train:
        arguments = {
            "suite": "people",
            "command": command,
            "seeds": options.seeds,
            "environments": environments,
            "rows": rows,
        }
        write_text(options.out / "arguments.json", json.dumps(arguments, indent=2) + "\n")
    page = write_people_page(tables, options.out, command)
    print(f"\n{page.read_text(encoding='utf-8')}\nReport: {page}")


def _check_online(options: argparse.Namespace) -> None:
    require_seed("--seed", options.seed)
    require_count("--people", options.people, 2)
    require_count("--days", options.days, high=3650)
    require_count("--references", options.references)
    check_environment(options.environment, {"individual": options.individual})


def _online(options: argparse.Namespace) -> None:
    cohort = Cohort(
        env_id=options.environment,
        people=options.people,
        days=options.days,
        join_weeks=min(Cohort.join_weeks, options.people),
        rhythm=options.rhythm,
        env_kwargs={"individual": options.individual},
        seed=options.seed,
    )
    alone = not is_population(options.individual)
    benchmark = run_online(
        cohort,
        options.agent or default_agents(options.environment),
        references=options.people if alone else options.references,
        logs=None if options.no_logs else options.out / "logs",
    )
    words = ["--environment", options.environment, "--individual", options.individual]
    words += ["--people", str(options.people), "--days", str(options.days)]
    words += _repeated("--agent", options.agent)
    words += ["--rhythm", options.rhythm]
    words += [] if alone else ["--references", str(options.references)]
    words += ["--seed", str(options.seed)]
    page = write_online(
        benchmark, options.out, shlex.join(["fitgym", "benchmark", "online", *words])
    )
    print(f"\n{page.read_text(encoding='utf-8')}\nReport: {page}")


def _check_speed(options: argparse.Namespace) -> None:
    require_count("--repeats", options.repeats)


def _speed(options: argparse.Namespace) -> None:
    from fitgym_benchmarks.speed.report import write_speed_report
    from fitgym_benchmarks.speed.speed import PARTS, Sizes, measure

    parts = (options.only,) if options.only else PARTS
    command = f"fitgym benchmark speed --repeats {options.repeats}"
    if options.only:
        command += f" --only {options.only}"
    measurements = measure(parts, options.repeats, Sizes())
    page = write_speed_report(measurements, options.out, options.repeats, command)
    print(f"\n{page.read_text(encoding='utf-8')}\nReport: {page}")


def _repeated(option: str, values: Iterable[str] | None) -> list[str]:
    """Return the words of an option that is given once for each value."""
    return [word for value in values or () for word in (option, value)]


def _settings(text: str) -> dict[str, Any]:
    """Return the object in a JSON text.

    Raises:
        argparse.ArgumentTypeError: If it holds something else.
    """
    try:
        content = parse_json(text.encode(), repr(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a JSON object: {error}") from None
    if not isinstance(content, dict):
        raise argparse.ArgumentTypeError(f"must be a JSON object, got {text!r}")
    return content


def _check_search(options: argparse.Namespace) -> None:
    require_count("--trials", options.trials)
    require_seed("--sampler-seed", options.sampler_seed)
    require_count("--steps", options.steps)
    require_count("--seeds", options.seeds, high=1000)
    require_count("--episodes", options.episodes)
    for env_id in options.environment:
        check_environment(env_id, {})
    _search_of(options)


def _search(options: argparse.Namespace) -> None:
    search = _search_of(options)
    study = run_search(search, options.trials, options.out, seed=options.sampler_seed)
    print(f"\n{as_markdown(search, study)}")


def _search_of(options: argparse.Namespace) -> Search:
    return Search(
        agent=options.agent,
        environments=tuple(options.environment),
        steps=options.steps,
        seeds=options.seeds,
        episodes=options.episodes,
        fixed=options.fixed,
    )


def _check_quick(options: argparse.Namespace) -> None:
    require_seed("--seed", options.seed)
    require_count("--steps", options.steps)
    backend_of(options)


def _quick(options: argparse.Namespace) -> None:
    started = time.perf_counter()
    environments = options.environment or ENVIRONMENTS
    runs = quick_runs(
        seed=options.seed,
        steps=options.steps,
        environments=environments,
        agents=options.agent,
    )
    print("Evaluating references and agents that ship ...\n", flush=True)
    print(f"{first_tables(environments[0])}\n\nTraining ...", flush=True)
    results = run_all(runs, ResultStore(options.out / "runs"), backend_of(options))
    for table in tables(results):
        print(f"\n{as_text(table)}")
    words = ["--seed", str(options.seed), "--steps", str(options.steps)]
    words += _repeated("--agent", options.agent)
    words += _repeated("--environment", options.environment)
    command = shlex.join(["fitgym", "benchmark", "quick", *words])
    print("\nFitting the model to the runner's log, for the report ...", flush=True)
    page = write_report(results, options.out, calibrate_log(), command)
    print(f"Report: {page} ({time.perf_counter() - started:.0f} s in all)")
