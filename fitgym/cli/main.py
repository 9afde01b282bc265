"""The command line: ``fitgym COMMAND``, the same as ``python -m fitgym COMMAND``.

The packages above this one offer their commands in the entry-point group ``fitgym.commands``, each
as a mapping of names to ``Command``.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points

import fitgym
from fitgym.cli.command import COMMANDS, Command

__all__ = ["main"]

_GROUP = "fitgym.commands"

# Which extra brings a package that base installations lack.
_EXTRAS = {
    "PIL": "agents",
    "imageio": "video",
    "imageio_ffmpeg": "video",
    "jinja2": "benchmarks",
    "optuna": "search",
    "safetensors": "predictor",
    "sb3_contrib": "agents",
    "stable_baselines3": "agents",
    "tensorboard": "tensorboard",
    "torch": "predictor",
    "yaml": "agents",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Args:
        arguments: The words after the program's name; None takes them from the command line.

    Returns:
        0 on success; 2 when the input was wrong or an extra is missing and 1 when the work broke
        off (the message goes to standard error); 130 when stopped from the keyboard; 141 when
        whatever read standard output has closed it.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        status = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered must not be written when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return status


def _run(words: list[str]) -> int:
    commands = _commands()
    parser = argparse.ArgumentParser(
        prog="fitgym", description="Personalised exercise recommendation as an MDP."
    )
    parser.add_argument("--version", action="version", version=f"fitgym {fitgym.__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = words[0] if words else ""
    try:
        for name, command in commands.items():
            subparser = subparsers.add_parser(name, help=command.help)
            if name == chosen:
                # Only the command that is run imports what it needs.
                importlib.import_module(command.module).add_arguments(subparser)
        options = parser.parse_args(words, argparse.Namespace(words=words))
        options.run(options)
    except ImportError as error:
        return _fail(chosen, _import_message(error, commands[chosen]), 2)
    except BrokenPipeError:
        raise
    except (ValueError, TypeError, OSError) as error:
        return _fail(chosen, str(error), 2)
    except (RuntimeError, ArithmeticError) as error:
        return _fail(chosen, str(error), 1)
    except MemoryError:
        return _fail(chosen, "there is not enough memory", 1)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return 0


def _commands() -> dict[str, Command]:
    """Return every command that is installed, by name."""
    found = dict(COMMANDS)
    for entry in sorted(entry_points(group=_GROUP), key=lambda entry: entry.name):
        offered: Mapping[str, Command] = entry.load()
        found |= {name: offered[name] for name in offered if name not in found}
    return found


def _import_message(error: ImportError, command: Command) -> str:
    """Return what to install, where a package is missing that an extra brings."""
    package = (error.name or "").partition(".")[0]
    extra = _EXTRAS.get(package)
    if extra is None:
        return str(error)
    # The command's own extra brings all that it needs, not only the package missed first.
    return f"{package} is not installed: pip install 'fitgym[{command.extra or extra}]'"


def _fail(command: str, message: str, status: int) -> int:
    print(f"fitgym {command}: error: {message}", file=sys.stderr)
    return status
