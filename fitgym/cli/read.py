"""``fitgym read``: show what would be read of logs and recordings before anything is fitted."""

from __future__ import annotations

import argparse

from fitgym.cli.arguments import input_path
from fitgym.cli.reading_arguments import add_reading_arguments, reading_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Read training logs (CSV and the like) and recordings (FIT, TCX, GPX) from files, folders "
        "and zip archives, and print how they were understood and what was left out."
    )
    parser.add_argument("path", nargs="+", type=input_path, help="file, folder or zip archive")
    add_reading_arguments(parser)
    parser.add_argument(
        "--json", action="store_true", help="print sessions, and every row left out, as JSON"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Read and print."""
    from fitgym.common.json_files import json_text
    from fitgym.logs import read, reading_table

    history = read(*options.path, options=reading_options(options))
    report = history.report
    if not options.json:
        print(reading_table(report))
        return
    print(
        json_text(
            {
                "understood": [list(row) for row in report.understood],
                "notes": list(report.notes),
                "left_out": [
                    {"source": item.source, "reason": item.reason, "detail": item.detail}
                    for item in report.left_out
                ],
                "sessions": [
                    {
                        "date": str(session.date),
                        "distance_m": session.distance_m,
                        "minutes": session.minutes,
                        "mean_heart_rate_bpm": session.mean_heart_rate_bpm,
                        "max_heart_rate_bpm": session.max_heart_rate_bpm,
                    }
                    for session in history.sessions
                ],
                "workouts": [
                    {
                        "source": workout.identifier,
                        "sport": workout.sport,
                        "day": workout.day,
                        "seconds": float(workout.time_s[-1]),
                        "heart_rate_steps": int(workout.valid.sum()),
                    }
                    for workout in history.workouts
                ],
            }
        )
    )
