"""The command line: ``python -m agents train | evaluate | list | watch | record``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from agents.agent import LearningError
from agents.cli import evaluate, list_agents, record, train, watch

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Args:
        arguments: The words after the program's name; None takes them from the command line.

    Returns:
        0 on success, 2 when the input was wrong and 1 when learning broke off (the message goes to
        standard error), 130 when stopped from the keyboard.
    """
    parser = argparse.ArgumentParser(
        prog="python -m agents", description="Train, evaluate, list, watch and record agents."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (train, evaluate, list_agents, watch, record):
        module.add_command(commands)
    words = sys.argv[1:] if arguments is None else list(arguments)
    options = parser.parse_args(words, argparse.Namespace(words=words))
    try:
        options.run(options)
    except (ValueError, TypeError, OSError) as error:
        print(f"agents {options.command}: error: {error}", file=sys.stderr)
        return 2
    except (LearningError, FloatingPointError) as error:
        print(f"agents {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0
