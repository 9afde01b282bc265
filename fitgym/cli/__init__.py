"""The command line: ``python -m fitgym COMMAND``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from fitgym.cli import calibrate as calibrate
from fitgym.cli import predictor as predictor
from fitgym.cli import scores as scores
from fitgym.cli import solve as solve

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Args:
        arguments: The words after the program's name; None takes them from the command line.

    Returns:
        0 on success, 2 when the input was wrong (the message goes to standard error).
    """
    parser = argparse.ArgumentParser(
        prog="python -m fitgym", description="Personalised exercise recommendation as an MDP."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (calibrate, predictor, scores, solve):
        module.add_command(commands)
    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, TypeError, OSError) as error:
        print(f"fitgym {options.command}: error: {error}", file=sys.stderr)
        return 2
    return 0
