"""Options of the commands that read training logs and recordings."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fitgym.logs import ReadingOptions


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what files do not tell."""
    group = parser.add_argument_group("reading", "what is decided from the files where not given")
    group.add_argument("--sport", default="run", help="what to keep: run, walk, bike, ... or all")
    group.add_argument("--decimal", metavar="point|comma", help="decimal sign in tables")
    group.add_argument(
        "--date-order", metavar="dmy|mdy|ymd", help="order of day, month, year in tables"
    )
    group.add_argument(
        "--distance-unit",
        metavar="km|miles|m|yards|ft",
        help="unit of the distances in tables, whatever their header says",
    )
    group.add_argument(
        "--map",
        action="append",
        default=[],
        type=_mapping,
        metavar='NAME="COLUMN"',
        help="which column of a table is the date, distance, time or sport; may be repeated",
    )
    group.add_argument(
        "--keep-all",
        action="store_true",
        help="keep sessions whose pace is implausible beside the others",
    )


def reading_options(options: argparse.Namespace) -> ReadingOptions:
    """Return the options that the command line gives.

    Raises:
        ValueError: If one is impossible; the message names it as the command line does.
    """
    from fitgym.logs import ReadingOptions

    columns = dict(options.map)
    if len(columns) < len(options.map):
        raise ValueError("argument --map: a name is given twice")
    try:
        return ReadingOptions(
            sport=options.sport,
            decimal=options.decimal,
            date_order=options.date_order,
            distance_unit=options.distance_unit,
            columns=columns,
            keep_all=options.keep_all,
        )
    except ValueError as error:
        raise ValueError(f"argument --{str(error).replace('_', '-', 1)}") from None


def _mapping(text: str) -> tuple[str, str]:
    name, equals, column = text.partition("=")
    names = ("date", "distance", "time", "sport")
    if not equals or name not in names or not column.strip():
        raise argparse.ArgumentTypeError(
            f'must be NAME="COLUMN" with NAME one of {", ".join(names)}, got {text!r}'
        )
    return name, column.strip().strip('"')
