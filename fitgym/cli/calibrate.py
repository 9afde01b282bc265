"""``fitgym calibrate``: fit the model to a training log."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from fitgym.cli.arguments import output_folder
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.cli.reading_arguments import add_reading_arguments, reading_options
from fitgym.common.validation import require_number
from fitgym.model.daniels import VDOT_RANGE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Fit the fitness-fatigue model to a training log, print what the fit is worth, and "
        "write calibration.json, calibration.png and, from both stages, individual.json, "
        "which every environment takes as its individual."
    )
    parser.formatter_class = DefaultsHelpFormatter
    parser.add_argument(
        "--log",
        default="marathon",
        metavar="marathon|PATH",
        help="the log that ships with fitgym, or a table with date, distance and time, recordings, "
        "or a folder or zip archive of them",
    )
    parser.add_argument(
        "--stage",
        default="both",
        choices=("acquisition", "retention", "both"),
        help="what to fit",
    )
    parser.add_argument(
        "--time",
        default="session",
        choices=("session", "day"),
        help="whether a step is a session or a calendar day, rest days included",
    )
    parser.add_argument(
        "--vdot",
        type=float,
        help="benchmark that sets the training paces (default: the published ones for marathon, "
        "else the best recent run of the log)",
    )
    parser.add_argument(
        "--bootstrap", type=int, default=200, metavar="N", help="replications; 0 for none"
    )
    parser.add_argument(
        "--base-scaling", type=float, default=0.0, metavar="SIGMA", help="sigma, not estimated"
    )
    parser.add_argument(
        "--no-baseline", action="store_true", help="fix p_0 at 0: the paper's seven parameters"
    )
    parser.add_argument(
        "--starts", type=int, default=16, metavar="N", help="descents of the least squares"
    )
    parser.add_argument("--seed", type=int, default=0, help="of random starts and bootstrap")
    parser.add_argument(
        "--out",
        type=output_folder,
        metavar="FOLDER",
        help="folder (default: results/calibration/LOG)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    add_reading_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Calibrate, print, and write the files."""
    from fitgym.calibration import (
        MARATHON_BENCHMARKS,
        STAGES,
        FitSettings,
        assess_sessions,
        calibrate,
        calibrated_individual,
        calibration_figure,
        calibration_table,
        plan_grid,
    )
    from fitgym.common.figures import save_figure
    from fitgym.common.files import write_text
    from fitgym.common.json_files import json_text
    from fitgym.logs import load_marathon_log, read, reading_table
    from fitgym.people.individual import Physiology, nearest_name

    shipped = options.log == "marathon"
    if shipped:
        log = load_marathon_log()
    else:
        history = read(options.log, options=reading_options(options))
        log = history.training_log(Path(options.log).stem)
        # Standard output holds nothing but JSON where that is asked for.
        print(reading_table(history.report), end="\n\n", file=sys.stderr if options.json else None)
    name = nearest_name(log.name)
    folder = options.out or _folder_of(name)
    benchmark: float | Mapping[int, float] | None = options.vdot
    if benchmark is not None:
        require_number("--vdot", benchmark, *VDOT_RANGE)
    if benchmark is None and shipped:
        benchmark = MARATHON_BENCHMARKS
    sessions = assess_sessions(log, benchmark)
    plans = plan_grid(sessions.intensity_trimp)
    if options.stage == "both":
        # An individual who cannot be is an error before the fit, not after it.
        Physiology(vdot=float(sessions.benchmark_vdot[-1]))
    settings = FitSettings(
        base_scaling=options.base_scaling,
        estimate_baseline=not options.no_baseline,
        starts=options.starts,
        seed=options.seed,
    )
    calibrations = [
        calibrate(
            sessions,
            stage,
            options.time,
            settings,
            replications=options.bootstrap,
            progress=sys.stderr.isatty(),
        )
        for stage in (STAGES if options.stage == "both" else (options.stage,))
    ]

    content = json_text(
        {
            "plans_trimp": plans,
            "calibrations": [calibration.to_dict() for calibration in calibrations],
        }
    )
    individual = None
    if len(calibrations) == len(STAGES):
        individual = calibrated_individual(name, sessions, *calibrations)
    figure = calibration_figure(calibrations)

    # The figure takes longest, so that whatever stops the command before it leaves no file.
    written = [folder / "calibration.png", folder / "calibration.json"]
    save_figure(figure, written[0])
    write_text(written[1], content + "\n")
    if individual is not None:
        written.append(folder / "individual.json")
        individual.to_file(written[2])

    if options.json:
        print(content)
        return
    print("\n\n".join(calibration_table(calibration) for calibration in calibrations))
    print(f"\nplans (points): {', '.join(f'{plan:g}' for plan in plans)}")
    print("wrote " + ", ".join(str(path) for path in written))


def _folder_of(name: str) -> Path:
    """Return the folder of a log's results where none is given, after checking it."""
    try:
        return output_folder(f"results/calibration/{name}")
    except argparse.ArgumentTypeError as error:
        raise ValueError(f"argument --out: {error}") from None
