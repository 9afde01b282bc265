"""``fitgym simulate-athlete``: the files that a virtual person's watch and log would hold."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fitgym.cli.arguments import output_folder
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.common.files import temporary_folder

if TYPE_CHECKING:
    from fitgym.logs import History

# Names the files that the command wrote, so that it replaces nothing else.
_MARK = "season.json"
_LOG = "log.csv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Simulate a season of a virtual person through the model of version 1, and write what a "
        "watch and a log would hold of it: recordings as FIT, TCX and GPX in turn, and a CSV log. "
        "The same seed and first day give the same files."
    )
    parser.formatter_class = DefaultsHelpFormatter
    parser.add_argument("--out", type=output_folder, required=True, metavar="FOLDER", help="folder")
    parser.add_argument(
        "--individual",
        default="club-runner",
        metavar="NAME|FILE",
        help="who it is: one that ships, or a JSON file",
    )
    parser.add_argument("--days", type=int, default=180, metavar="N", help="days of the season")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of everything random")
    parser.add_argument(
        "--start",
        type=_day,
        metavar="YYYY-MM-DD",
        help="first day (default: so that yesterday is the last)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Simulate and write."""
    from fitgym.common.json_files import json_text
    from fitgym.people.individual import load_individual
    from fitgym.virtual.season import simulate_history

    _require_ours(options.out)
    season = simulate_history(
        load_individual(options.individual),
        days=options.days,
        seed=options.seed,
        start=options.start,
    )
    names = _write(
        options.out,
        season.history,
        lambda files: (
            json_text(
                {
                    "individual": season.individual.name,
                    "start": str(season.start),
                    "days": season.days,
                    "seed": options.seed,
                    "files": files,
                }
            )
            + "\n"
        ),
    )
    print(
        f"wrote {len(names) - 2} recordings and {_LOG} of {season.days} days of "
        f"{season.individual.name!r} from {season.start} to {options.out}"
    )


def _write(folder: Path, history: History, mark: Callable[[list[str]], str]) -> list[str]:
    """Write the files of a history in place of those of an earlier call, all or none."""
    from fitgym.logs.writing import csv_text, fit_bytes, gpx_text, start_of, tcx_text

    temporary = temporary_folder(folder)
    names: list[str] = []
    try:
        rows = []
        for number, (session, workout) in enumerate(
            zip(history.sessions, history.workouts, strict=True)
        ):
            suffix = ("fit", "tcx", "gpx")[number % 3]
            if suffix == "fit":
                content = fit_bytes(workout, session)
            else:
                text = tcx_text if suffix == "tcx" else gpx_text
                content = text(workout, session).encode()
            start = start_of(workout)
            names.append(f"{start:%Y-%m-%d-%H%M}-{number + 1:04d}.{suffix}")
            (temporary / names[-1]).write_bytes(content)
            rows.append((start, workout.sport, session))
        names += [_LOG, _MARK]
        (temporary / _LOG).write_text(csv_text(rows), encoding="utf-8")
        (temporary / _MARK).write_text(mark(names), encoding="utf-8")
        temporary.chmod(0o755)
        _exchange(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return names


def _exchange(new: Path, folder: Path) -> None:
    """Put a finished folder in the place of an earlier one."""
    if not folder.exists():
        os.replace(new, folder)
        return
    old = temporary_folder(folder)
    os.replace(folder, old)
    try:
        os.replace(new, folder)
    except OSError:
        os.replace(old, folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _require_ours(folder: Path) -> None:
    """Refuse a folder that holds anything but what an earlier call wrote."""
    from fitgym.common.json_files import read_object

    if not folder.exists():
        return
    found = {path.name for path in folder.iterdir()}
    if not found:
        return
    ours: set[str] = set()
    if _MARK in found:
        files = read_object(folder / _MARK, ("files",))["files"]
        ours = (
            {name for name in files if isinstance(name, str)} if isinstance(files, list) else set()
        )
    if foreign := sorted(found - ours):
        raise ValueError(
            f"argument --out: must be a new or empty folder, or one that this command wrote, got "
            f"{str(folder)!r}, which holds {foreign[0]!r}"
        )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a date YYYY-MM-DD, got {text!r}") from None
