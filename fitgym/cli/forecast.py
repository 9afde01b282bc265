"""``fitgym predictor forecast``: FitRec-Attn along recorded workouts, beside the last value."""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from fitgym.cli.arguments import input_path, output_file
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.cli.predictor_input import choose_measured, tell_left_out, use_threads
from fitgym.common.json_files import json_text
from fitgym.common.tables import text_table

if TYPE_CHECKING:
    from fitgym.logs.workout import Workout
    from fitgym.predictor.attention.nowcast import Nowcast


def add_action(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action to those of ``predictor``."""
    forecast = actions.add_parser(
        "forecast", help="FitRec-Attn along a recorded workout: the next seconds to a minute"
    )
    forecast.add_argument(
        "file", type=input_path, help="file of a recorded activity, or folder of recordings"
    )
    forecast.add_argument("--workout", help="with a folder: this workout alone")
    forecast.add_argument(
        "--held-out",
        action="store_true",
        help="with the folder that weights were trained on: the people never shown to them alone",
    )
    forecast.add_argument(
        "--seconds", default="10,20,30,60", help="how far ahead, multiples of ten"
    )
    forecast.add_argument("--weights", type=input_path, help="default: the shipped ones")
    forecast.add_argument("--csv", type=output_file, help="write every forecast to this file")
    forecast.add_argument(
        "--page", type=output_file, help="write tables and a drawing of one workout to this .html"
    )
    forecast.add_argument("--json", action="store_true", help="print figures as JSON")
    forecast.add_argument("--threads", type=int, default=1, help="torch threads")
    forecast.formatter_class = DefaultsHelpFormatter
    forecast.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Forecast along the workouts and print the errors."""
    use_threads(options.threads)
    from fitgym.common.files import write_text
    from fitgym.predictor.attention.data import complete_windows
    from fitgym.predictor.attention.nowcast import nowcast, nowcast_report, nowcast_rows
    from fitgym.predictor.attention.nowcast_page import nowcast_page
    from fitgym.predictor.attention.weights import SHIPPED_ATTENTION, load_attention

    horizons = _horizons(options.seconds)
    model, _ = load_attention(options.weights or SHIPPED_ATTENTION)
    asked = _workouts(options.file, options.workout, options.held_out)
    seen = model.config.window - 1
    usable = [pair for pair in asked if complete_windows(pair[0].valid, seen).size]
    if not usable:
        raise ValueError(f"{options.file} holds no workout with {seen} measured steps in a row")
    left = {id(workout) for workout, _ in usable}
    tell_left_out(
        f"without {seen} measured steps in a row",
        (workout.identifier for workout, _ in asked if id(workout) not in left),
        len(asked),
    )
    found = [nowcast(model, workout, previous, horizons) for workout, previous in usable]
    report = nowcast_report(found)
    if options.csv is not None:
        write_text(options.csv, _csv_text(found))
    if options.page is not None:
        write_text(options.page, nowcast_page(report, found[0]))
    if options.json:
        print(json_text(report))
        return
    print(f"workouts: {report['workouts']}, people: {report['people']}; errors in bpm")
    print(text_table(*nowcast_rows(report)))
    for path in (options.csv, options.page):
        if path is not None:
            print(f"wrote {path}")


def _horizons(text: str) -> tuple[int, ...]:
    try:
        horizons = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise ValueError(
            f"--seconds must be whole numbers with commas between, as in 10,20,30,60, got {text!r}"
        ) from None
    return tuple(horizons)


def _workouts(path: Path, name: str | None, held_out: bool) -> list[tuple[Workout, Workout | None]]:
    """Return the workouts at a path, each beside the person's previous one."""
    from fitgym.logs import read_activities, read_recordings, to_workout

    if path.is_dir():
        workouts = choose_measured(read_recordings(path), path)
    else:
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist")
        workouts = choose_measured([to_workout(each) for each in read_activities(path)], path)
    last: dict[str, Workout] = {}
    pairs = {}
    for workout in sorted(workouts, key=lambda workout: workout.day):
        pairs[workout.identifier] = (workout, last.get(workout.user))
        last[workout.user] = workout
    if held_out:
        from fitgym.predictor.attention.production import held_out_people

        people = held_out_people(workouts)
        workouts = [workout for workout in workouts if workout.user in people]
        pairs = {workout.identifier: pairs[workout.identifier] for workout in workouts}
    if name is None:
        return [pairs[workout.identifier] for workout in workouts]
    if name not in pairs:
        raise ValueError(f"--workout must be one of those in {path}, got {name!r}")
    return [pairs[name]]


def _csv_text(nowcasts: list[Nowcast]) -> str:
    """Return every forecast as CSV: when it was made, for when, and what came."""
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    rows.writerow(("workout", "made_s", "ahead_s", "predicted", "last_value", "measured"))
    for each in nowcasts:
        for row, step in enumerate(each.made_step):
            for column, horizon in enumerate(each.horizons_s):
                measured = each.measured_bpm[row, column]
                rows.writerow(
                    (
                        each.workout.identifier,
                        f"{each.workout.time_s[step]:g}",
                        horizon,
                        f"{each.predicted_bpm[row, column]:.2f}",
                        f"{each.last_bpm[row]:g}",
                        "" if measured != measured else f"{measured:g}",
                    )
                )
    return buffer.getvalue()
