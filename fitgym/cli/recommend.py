"""``fitgym recommend``: which workout or route brings the heart to a target."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from fitgym.cli.arguments import input_path, output_file, output_folder
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.cli.predictor_input import read_measured_recordings, use_threads
from fitgym.common.json_files import json_text
from fitgym.common.tables import markdown_table, text_table
from fitgym.common.validation import require_count, require_number

if TYPE_CHECKING:
    from fitgym.predictor.person import Person
    from fitgym.predictor.recommendation.ranking import PersonForecaster, Recommendation
    from fitgym.predictor.recommendation.targets import Target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Rank workouts and routes by how well the predicted heart rate meets a target."
    )
    parser.formatter_class = DefaultsHelpFormatter
    parser.add_argument(
        "--person",
        help="name of a shipped individual, .json of an individual or a profile, or attributes "
        "as in resting=52,maximum=188,vdot=45,age=38,gender=female",
    )
    parser.add_argument(
        "--target", help="range as in 140..150, or .csv with seconds (or minutes) and heart_rate"
    )
    parser.add_argument(
        "--workouts",
        type=input_path,
        help="folder of recordings or of activity files, an activity file, or .csv of plans: "
        "workout, sport, minutes, speed_km_h and, if need be, grade_percent",
    )
    parser.add_argument(
        "--routes", type=input_path, help="folder or file of GPX tracks or routes, or activities"
    )
    parser.add_argument("--sport", default="run", help="with --routes: run, walk, bike or other")
    parser.add_argument(
        "--speed", type=float, help="with --routes: km/h on the flat (default: the best one)"
    )
    parser.add_argument(
        "--pacing",
        choices=("effort", "even"),
        default="effort",
        help="with --routes: the same oxygen cost up and down, or the same speed",
    )
    parser.add_argument(
        "--settle", type=float, default=3.0, help="first minutes in which a range is not asked for"
    )
    parser.add_argument("--top", type=int, default=10, help="rows to show")
    parser.add_argument("--weights", type=input_path, help="default: the shipped ones")
    parser.add_argument("--page", type=output_file, help="write tables and drawings to this .html")
    parser.add_argument(
        "--evaluate",
        action="store_true",
        help="instead: how often real workouts are found by their own heart rate",
    )
    parser.add_argument("--recordings", type=input_path, help="with --evaluate: folder")
    parser.add_argument(
        "--minutes", type=int, default=20, help="with --evaluate: length that workouts are cut to"
    )
    parser.add_argument(
        "--output",
        type=output_folder,
        default="results/recommendation",
        help="with --evaluate: folder of the report and of checkpoints to resume from",
    )
    parser.add_argument("--json", action="store_true", help="print figures as JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    parser.add_argument("--threads", type=int, default=1, help="torch threads")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Rank what the options name, or evaluate the ranking."""
    use_threads(options.threads)
    if options.evaluate:
        _evaluate(options)
        return
    if options.recordings is not None:
        raise ValueError("--recordings must go with --evaluate; workouts to rank are --workouts")
    for name in ("person", "target"):
        if getattr(options, name) is None:
            raise ValueError(f"--{name} must be given; see fitgym recommend --help")
    if options.workouts is None and options.routes is None:
        raise ValueError("--workouts or --routes must be given: there is nothing to choose from")
    if options.speed is not None and options.routes is None:
        raise ValueError("--speed must go with --routes: workouts have their own speeds")
    require_count("--top", options.top)
    _recommend(options)


def _recommend(options: argparse.Namespace) -> None:
    from fitgym.common.files import write_text
    from fitgym.predictor.fitrec2.inference import load_body_predictor
    from fitgym.predictor.fitrec2.weights import SHIPPED_WEIGHTS
    from fitgym.predictor.person import read_person
    from fitgym.predictor.recommendation.page import (
        recommendation_page,
        recommendation_record,
        recommendation_rows,
    )
    from fitgym.predictor.recommendation.ranking import PersonForecaster, rank_workouts
    from fitgym.predictor.recommendation.targets import read_target

    person = read_person(options.person)
    target = read_target(options.target, options.settle)
    forecaster = PersonForecaster(load_body_predictor(options.weights or SHIPPED_WEIGHTS), person)
    parts: dict[str, list[Recommendation]] = {}
    if options.workouts is not None:
        from fitgym.predictor.recommendation.candidates import read_workouts

        parts["workouts"] = rank_workouts(forecaster, target, read_workouts(options.workouts))
    if options.routes is not None:
        parts["routes"] = _routes(options, person, target, forecaster)
    if options.page is not None:
        write_text(options.page, recommendation_page(person.name, target, parts, options.top))
    if options.json:
        ranked = {kind: [recommendation_record(e) for e in found] for kind, found in parts.items()}
        print(json_text({"person": person.name, "target": target.name} | ranked))
        return
    print(f"{person.name}, target {target.name}")
    for kind, found in parts.items():
        columns, rows = recommendation_rows(target, found[: options.top])
        print(f"\n{kind} ({len(rows)} of {len(found)})\n{text_table(columns, rows)}")
    if any(each.at_limit for found in parts.values() for each in found[: options.top]):
        print("\n(limit): no slower or faster speed was tried; the target may be out of reach")
    if options.page is not None:
        print(f"\nwrote {options.page}")


def _routes(
    options: argparse.Namespace, person: Person, target: Target, forecaster: PersonForecaster
) -> list[Recommendation]:
    """Return the routes ranked, each at its best speed or at the one that is asked for."""
    from fitgym.common.validation import require_choice
    from fitgym.predictor.recommendation.candidates import read_routes
    from fitgym.predictor.recommendation.ranking import SPEEDS_M_S, rank_routes, speed_limits

    require_choice("--sport", options.sport, SPEEDS_M_S)
    limits = speed_limits(options.sport, person.attributes)
    if options.speed is not None:
        speed = require_number("--speed in km/h", options.speed, 1.5, 100.0) / 3.6
        limits = speed, speed
    return rank_routes(
        forecaster,
        target,
        read_routes(options.routes),
        sport=options.sport,
        pacing=options.pacing,
        limits_m_s=limits,
    )


def _evaluate(options: argparse.Namespace) -> None:
    """Train a network per fold of people, rank the others' workouts and print how it went."""
    given = [n for n in ("person", "target", "workouts", "routes", "page") if getattr(options, n)]
    if given:
        raise ValueError(f"--{given[0]} cannot be used with --evaluate")
    if options.recordings is None:
        raise ValueError("--recordings must be given with --evaluate")
    from fitgym.common.files import write_text
    from fitgym.predictor.fitrec2.recipe import read_recipe
    from fitgym.predictor.recommendation.evaluation import evaluate_recommendation

    workouts = read_measured_recordings(options.recordings)
    report = evaluate_recommendation(
        workouts,
        read_recipe(),
        options.output,
        minutes=options.minutes,
        progress=not options.quiet,
    )
    table = _evaluation_table(report)
    write_text(options.output / "report.json", json_text(report) + "\n")
    write_text(options.output / "report.md", table)
    print(json_text(report) if options.json else table)


def _evaluation_table(report: dict[str, Any]) -> str:
    """Return a report of ``evaluate_recommendation`` as Markdown."""
    from fitgym.predictor.recommendation.evaluation import POOLS
    from fitgym.predictor.recommendation.page import evaluation_rows

    lines = [f"first {report['minutes']} minutes of every workout", ""]
    for pool, label in POOLS.items():
        whole = report[pool]
        if not whole["targets"]:
            lines += [f"**{label}**: no target has enough candidates", ""]
            continue
        for sport, part in ({"all sports": whole} | whole["by_sport"]).items():
            columns, rows = evaluation_rows(part)
            lines += [
                f"**{label}, {sport}**: {part['targets']} targets of {part['people']} people, "
                f"{part['candidates']:.1f} candidates on average",
                "",
                markdown_table(columns, rows),
                "",
            ]
    return "\n".join(lines)
