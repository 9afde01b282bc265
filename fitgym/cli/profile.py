"""``fitgym profile``: from recordings and logs to an individual, intervals and today's state."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fitgym.cli.arguments import input_path, output_file
from fitgym.cli.reading_arguments import add_reading_arguments, reading_options

if TYPE_CHECKING:
    from fitgym.profile import Profile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Read training logs and recordings of one person and say what they tell: performance, "
        "heart rates, habits, response to training and today's fitness and fatigue, each with its "
        "95 % interval and whether it is identified or borrowed from the population."
    )
    parser.add_argument("path", nargs="+", type=input_path, help="file, folder or zip archive")
    parser.add_argument(
        "--out",
        type=output_file,
        metavar="FILE.json",
        help="write the profile; its part 'individual' is what every environment takes",
    )
    parser.add_argument(
        "--page", type=output_file, metavar="FILE.html", help="write a page that needs no network"
    )
    parser.add_argument("--json", action="store_true", help="print the profile as JSON")
    person = parser.add_argument_group("the person", "what you know of the body")
    person.add_argument("--name", default="me", help="how to call the person (default: me)")
    person.add_argument("--resting", type=float, metavar="BPM", help="resting heart rate")
    person.add_argument("--maximum", type=float, metavar="BPM", help="maximum heart rate")
    person.add_argument(
        "--gender", default="unknown", choices=("male", "female", "unknown"), help="for the load"
    )
    person.add_argument("--age", type=float, metavar="YEARS", help="age, for the maximum")
    person.add_argument("--vdot", type=float, help="VDOT, if a recent race tells it")
    person.add_argument(
        "--plans",
        type=input_path,
        metavar="FILE.json",
        help="what a service pushed: vdot of its paces and points of its plans by date",
    )
    person.add_argument(
        "--today",
        type=_day,
        metavar="YYYY-MM-DD|now",
        help="day whose morning the state is of (default: the day after the last session)",
    )
    add_reading_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Read, profile, write and print."""
    from fitgym.common.json_files import json_text
    from fitgym.logs import read
    from fitgym.profile import Given, profile_from
    from fitgym.profile.plans import read_plans
    from fitgym.profile.summary import profile_text

    history = read(*options.path, options=reading_options(options))
    try:
        profile = profile_from(
            history,
            today=options.today,
            plans=None if options.plans is None else read_plans(options.plans),
            given=Given(
                resting=options.resting,
                maximum=options.maximum,
                gender=options.gender,
                age=options.age,
                vdot=options.vdot,
            ),
            name=options.name,
        )
    except ImportError as error:
        raise ImportError(
            "what sessions tell of tolerance is found with the predictor of heart rate: "
            "pip install 'fitgym[predictor]'"
        ) from error
    written = _write(options, profile)
    if options.json:
        print(json_text(profile.to_dict()))
        return
    print(profile_text(profile))
    if written:
        print("\nwrote " + " and ".join(str(path) for path in written))


def _write(options: argparse.Namespace, profile: Profile) -> list[Path]:
    from fitgym.common.files import write_text
    from fitgym.profile.page import profile_page

    written: list[Path] = []
    if options.page is not None:
        write_text(options.page, profile_page(profile))
        written.append(options.page)
    if options.out is not None:
        profile.to_file(options.out)
        written.append(options.out)
    return written


def _day(text: str) -> date:
    if text == "now":
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a date such as 2026-01-31, or now, got {text!r}"
        ) from None
