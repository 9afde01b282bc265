"""``fitgym trial``: simulated trials with known truth, their analysis and power."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from fitgym.cli.arguments import output_folder
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.common.files import write_text
from fitgym.common.json_files import json_text
from fitgym.common.tables import text_table
from fitgym.common.validation import require_integer, require_seed
from fitgym_agents.cli.options import (
    AGENT_HELP,
    add_environment,
    check_environment,
    environment_kwargs,
    named_agent,
)
from fitgym_agents.trials.estimators import Estimate
from fitgym_agents.trials.logging_trial import ESTIMATORS, LoggedTrial, run_logged
from fitgym_agents.trials.micro_randomised import (
    MODERATORS,
    SAMPLINGS,
    MicroRandomisedTrial,
    TrialData,
    run_micro_randomised,
)
from fitgym_agents.trials.off_policy import LoggedEpisodes
from fitgym_agents.trials.power import Operating, operating_characteristics
from fitgym_agents.trials.randomised import OUTCOMES, RandomisedTrial, run_randomised
from fitgym_agents.trials.sampling import LEAST, MOST

DESCRIPTION = """Simulate a trial on people who differ, analyse it as a real one, and print the true
effect beside it.

mrt  micro-randomised: every day a push with some probability; effect of a push on the day's points
rct  randomised: each person has one arm for the whole trial, for instance a service or none
ope  off-policy evaluation: what one policy would have earned, from the log of another
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    designs = parser.add_subparsers(dest="design", required=True, metavar="DESIGN")
    micro = designs.add_parser(
        "mrt", help="micro-randomised trial", formatter_class=DefaultsHelpFormatter
    )
    micro.add_argument("--probability", type=float, default=0.5, help="of a push, each day")
    micro.add_argument(
        "--sampling",
        choices=SAMPLINGS,
        default="constant",
        help="constant probability, or Thompson sampling that pools the trial's people, "
        f"{LEAST:g} to {MOST:g}",
    )
    micro.add_argument(
        "--plans", default="1,2,3,4,5,6", help="plans of which a push draws one, with commas"
    )
    micro.add_argument(
        "--availability", type=float, default=1.0, help="probability that a person can be pushed"
    )
    randomised = designs.add_parser(
        "rct", help="randomised trial of services", formatter_class=DefaultsHelpFormatter
    )
    randomised.add_argument(
        "--arm",
        action="append",
        metavar="AGENT_OR_FOLDER",
        help=f"{AGENT_HELP}; the first is compared with (default: fixed,plan=0 and coach)",
    )
    randomised.add_argument(
        "--outcome", choices=OUTCOMES, default="performance", help="what is compared"
    )
    logged = designs.add_parser(
        "ope", help="off-policy evaluation from a log", formatter_class=DefaultsHelpFormatter
    )
    for name, default, what in (
        ("--behaviour", "coach", "who logs"),
        ("--target", "coach", "who is evaluated, not exploring"),
    ):
        logged.add_argument(
            name, default=default, metavar="AGENT_OR_FOLDER", help=f"{what}: {AGENT_HELP}"
        )
    logged.add_argument(
        "--explore", type=float, default=0.3, help="probability that any action is drawn, each day"
    )
    for name, design, people, days in (
        ("mrt", micro, 50, 42),
        ("rct", randomised, 50, 42),
        ("ope", logged, 200, 7),
    ):
        add_environment(design)
        design.add_argument("--people", type=int, default=people, help="people in the trial")
        design.add_argument("--days", type=int, default=days, help="how long it lasts")
        design.add_argument("--seed", type=int, default=0, help="of people, days, randomisation")
        design.add_argument(
            "--out",
            type=output_folder,
            default=f"results/trial-{name}",
            help="folder of data and report",
        )
        design.add_argument("--json", action="store_true", help="print JSON instead of tables")
        design.set_defaults(run=run)
    logged.set_defaults(run=run_off_policy)
    logged.add_argument(
        "--trials",
        type=int,
        default=0,
        help="also repeat the trial so often, and print how often intervals hold the truth",
    )
    for design in (micro, randomised):
        design.add_argument(
            "--power",
            type=int,
            nargs="+",
            default=[],
            metavar="PEOPLE",
            help="also repeat the trial with so many people each, and print how often it finds "
            "the effect and how often its interval holds it",
        )
        design.add_argument("--trials", type=int, default=200, help="repetitions for --power")


def run(options: argparse.Namespace) -> None:
    """Run the trial, analyse it, print and write the report and the data."""
    require_seed("--seed", options.seed)
    require_integer("--trials", options.trials, 2, 100_000)
    for size in options.power:
        require_integer("--power", size, 2, 100_000)
    kwargs = {"individual": "population", **environment_kwargs(options, "test")}
    kwargs["days"] = options.days
    check_environment(options.env_id, kwargs)
    work = _micro_randomised if options.design == "mrt" else _randomised
    content, rows, operating = work(options, kwargs)
    content["power"] = [asdict(one) for one in operating]
    write_text(options.out / "report.json", json_text(content) + "\n")
    if options.json:
        print(json_text(content))
        return
    print(
        f"{options.env_id}, {options.people} people, {options.days} days, seed {options.seed}; "
        f"data: {options.out / 'trial.csv'}\n"
    )
    print(text_table(("effect", "estimate", "95 % interval", "p", "truth"), rows))
    if operating:
        print()
        print(
            text_table(
                ("people", "trials", "truth", "mean estimate", "coverage", "power"),
                [_operating_cells(one) for one in operating],
            )
        )


def run_off_policy(options: argparse.Namespace) -> None:
    """Log, estimate the target's value, print and write it beside the exact one."""
    require_seed("--seed", options.seed)
    require_integer("--trials", options.trials, 0, 100_000)
    kwargs = {"individual": "population", **environment_kwargs(options, "test")}
    kwargs["days"] = options.days
    check_environment(options.env_id, kwargs)

    def trial(people: int, seed: int) -> LoggedTrial:
        behaviour, target = (
            named_agent(text, options.env_id, kwargs)
            for text in (options.behaviour, options.target)
        )
        return run_logged(
            behaviour,
            target,
            options.env_id,
            people,
            explore=options.explore,
            env_kwargs=kwargs,
            seed=seed,
        )

    data = trial(options.people, options.seed)
    found = data.estimates()
    operating: list[Operating] = []
    if options.trials:
        everybody = trial(options.people * options.trials, options.seed + options.people)
        operating = [
            operating_characteristics(
                _of_part(everybody, estimator),
                [options.people],
                options.trials,
                everybody.truth,
            )[0]
            for estimator in ESTIMATORS
        ]
    content = _report(options, {one.name: data.truth for one in found}, found)
    content["effective_episodes"] = data.logged.effective_episodes()
    content["coverage"] = [
        {"name": one.name, **asdict(many)} for one, many in zip(found, operating, strict=False)
    ]
    write_text(options.out / "report.json", json_text(content) + "\n")
    if options.json:
        print(json_text(content))
        return
    print(
        f"{options.env_id}, {options.people} people, {options.days} days, seed {options.seed}: "
        f"{options.target} from the log of {options.behaviour}, {options.explore:g} explored; "
        f"{data.logged.effective_episodes():.1f} episodes left after weighting\n"
    )
    rows = [(*cells[:3], cells[4]) for cells in _rows({o.name: data.truth for o in found}, found)]
    print(text_table(("return by", "estimate", "95 % interval", "truth"), rows))
    if operating:
        print()
        cells = [
            (one.name, *_operating_cells(many)[1:5])
            for one, many in zip(found, operating, strict=True)
        ]
        print(text_table(("return by", "trials", "truth", "mean estimate", "coverage"), cells))


def _of_part(
    everybody: LoggedTrial, estimator: Callable[[LoggedEpisodes], Estimate]
) -> Callable[[slice], Estimate]:
    return lambda people: estimator(everybody.logged.part(people))


def _micro_randomised(
    options: argparse.Namespace, kwargs: dict[str, Any]
) -> tuple[dict[str, Any], list[tuple[str, ...]], list[Operating]]:
    try:
        plans = tuple(int(word) for word in options.plans.split(","))
    except ValueError:
        raise ValueError(
            f"--plans must be numbers of plans with commas, got {options.plans!r}"
        ) from None

    def trial(people: int, seed: int, block: int | None = None) -> TrialData:
        return run_micro_randomised(
            MicroRandomisedTrial(
                env_id=options.env_id,
                people=people,
                days=options.days,
                probability=options.probability,
                sampling=options.sampling,
                plans=plans,
                availability=options.availability,
                env_kwargs=kwargs,
                seed=seed,
            ),
            exact=True,
            block=block,
        )

    data = trial(options.people, options.seed)
    data.write_csv(options.out / "trial.csv")
    found, truth = data.estimates(MODERATORS), data.truth(MODERATORS)
    average, true_average = data.estimates(), data.truth()
    named = {"push, average": true_average["average"], "push, day 1": truth["average"]}
    named["push, change a day"] = truth["day"]
    estimates = [*average, *found]
    operating: list[Operating] = []
    # Trials that pool their people's data must be run apart for every size.
    for size in options.power:
        everybody = trial(size * options.trials, options.seed + options.people, size)
        operating += operating_characteristics(
            _average_effect(everybody), [size], options.trials, everybody.truth()["average"]
        )
    return _report(options, named, estimates), _rows(named, estimates), operating


def _randomised(
    options: argparse.Namespace, kwargs: dict[str, Any]
) -> tuple[dict[str, Any], list[tuple[str, ...]], list[Operating]]:
    texts = options.arm or ["fixed,plan=0", "coach"]
    arms = [(text, named_agent(text, options.env_id, kwargs)) for text in texts]

    def trial(people: int, seed: int, block: int | None) -> RandomisedTrial:
        return run_randomised(
            arms, options.env_id, people, env_kwargs=kwargs, seed=seed, block=block
        )

    data = trial(options.people, options.seed, None)
    data.write_csv(options.out / "trial.csv")
    truth = {
        f"{name} less {texts[0]}": value for name, value in data.truth(options.outcome).items()
    }
    estimates = data.estimates(options.outcome)
    operating: list[Operating] = []
    for size in options.power:
        # Arms are balanced within each trial.
        everybody = trial(size * options.trials, options.seed + options.people, size)
        operating += operating_characteristics(
            _first_effect(everybody, options.outcome),
            [size],
            options.trials,
            everybody.truth(options.outcome)[texts[1]],
        )
    return _report(options, truth, estimates), _rows(truth, estimates), operating


def _average_effect(everybody: TrialData) -> Callable[[slice], Estimate]:
    return lambda people: everybody.part(people).estimates()[0]


def _first_effect(everybody: RandomisedTrial, outcome: str) -> Callable[[slice], Estimate]:
    return lambda people: everybody.part(people).estimates(outcome)[0]


def _report(
    options: argparse.Namespace, truth: dict[str, float], estimates: Sequence[Estimate]
) -> dict[str, Any]:
    return {
        "design": options.design,
        "env_id": options.env_id,
        "people": options.people,
        "days": options.days,
        "seed": options.seed,
        "effects": [
            {**asdict(one), "name": name, "truth": value}
            for (name, value), one in zip(truth.items(), estimates, strict=True)
        ],
    }


def _rows(truth: dict[str, float], estimates: Sequence[Estimate]) -> list[tuple[str, ...]]:
    return [
        (
            name,
            f"{one.value:+.3f}",
            f"{one.low:+.3f} to {one.high:+.3f}",
            f"{one.p_value:.3f}",
            f"{value:+.3f}",
        )
        for (name, value), one in zip(truth.items(), estimates, strict=True)
    ]


def _operating_cells(one: Operating) -> tuple[str, ...]:
    return (
        f"{one.people}",
        f"{one.trials}",
        f"{one.truth:+.3f}",
        f"{one.mean:+.3f}",
        f"{100 * one.coverage:.1f} %",
        f"{100 * one.power:.1f} %",
    )
