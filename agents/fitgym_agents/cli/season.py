"""``fitgym season``: a season in the browser."""

from __future__ import annotations

import argparse

from fitgym.cli.arguments import output_file
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.common.files import write_text
from fitgym_agents.season.page import season_page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Write one HTML page that needs no network, on which anyone can choose a runner, a season "
        "and two services, or push plans day by day, and watch 90 days on the same noise, computed "
        "in the page by the environments' own compiled step."
    )
    parser.formatter_class = DefaultsHelpFormatter
    parser.add_argument(
        "--out", type=output_file, default="results/season.html", metavar="FILE", help="the page"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write the page and print where it is."""
    page = season_page()
    write_text(options.out, page)
    print(f"{options.out}: {len(page) / 1e6:.2f} MB; open it in a browser")
