"""The command line: ``fitgym COMMAND``, the same as ``python -m fitgym COMMAND``.

The packages above this one offer their commands in the entry-point group ``fitgym.commands``, each
as a mapping of names to ``Command``; packages of other people may do so, too.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import entry_points

import fitgym
from fitgym.cli.command import COMMANDS, Command

_GROUP = "fitgym.commands"

# Which extra brings a package that base installations lack.
_EXTRAS = {
    "PIL": "agents",
    "icalendar": "watch",
    "imageio": "video",
    "imageio_ffmpeg": "video",
    "fit_tool": "watch",
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

    Raises:
        SystemExit: After ``--help`` and ``--version`` (status 0) and where the words do not parse
            (status 2).
    """
    if arguments is None:
        # Last, so that agents written in the working directory are found and shadow nothing.
        sys.path.append("")
        # Whoever names an earlier version means it; Gymnasium's hint is for programmers.
        warnings.filterwarnings("ignore", message=".*is out of date")
    _open_missing_streams()
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        try:
            return _run(words)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return 141
    except OSError as error:
        _discard_output()
        return _fail("", f"standard output: {error}", 1)


def _run(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="fitgym", description="Personalised exercise recommendation as an MDP."
    )
    parser.add_argument("--version", action="version", version=f"fitgym {fitgym.__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    chosen = words[0] if words else ""
    extra = None
    try:
        for name, command in _commands().items():
            subparser = subparsers.add_parser(name, help=command.help)
            if name == chosen:
                extra = command.extra
                # Only the command that is run imports what it needs.
                importlib.import_module(command.module).add_arguments(subparser)
        options = parser.parse_args(words, argparse.Namespace(words=words))
        options.run(options)
    except ImportError as error:
        return _fail(chosen, _import_message(error, extra), 2)
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
    """Return every command that is installed, by name; what cannot be used is warned of."""
    found = dict(COMMANDS)
    for entry in sorted(entry_points(group=_GROUP), key=lambda entry: entry.name):
        try:
            offered = dict(entry.load())
            if not all(isinstance(command, Command) for command in offered.values()):
                raise TypeError(f"{entry.value} must be a mapping of names to Command")
        except Exception as error:
            _warn(f"the commands of {entry.name!r} cannot be loaded: {error!r}")
            continue
        for name, command in offered.items():
            if name in found:
                _warn(f"the command {name!r} of {entry.name!r} is left out: there is one already")
            else:
                found[name] = command
    return found


def _import_message(error: ImportError, extra: str | None) -> str:
    """Return what to install, where a package is missing that an extra brings.

    Args:
        error: What was raised.
        extra: The command's own extra, which brings all that it needs, not only what was missed.
    """
    package = error.name or ""
    if not isinstance(error, ModuleNotFoundError) or package not in _EXTRAS:
        return str(error)
    return f"{package} is not installed: pip install 'fitgym[{extra or _EXTRAS[package]}]'"


def _fail(command: str, message: str, status: int) -> int:
    print(f"{f'fitgym {command}'.strip()}: error: {message}", file=sys.stderr)
    return status


def _warn(message: str) -> None:
    print(f"fitgym: warning: {message}", file=sys.stderr)


def _open_missing_streams() -> None:
    """Open the null device for standard streams that were closed before the program started."""
    # Python leaves them None, and the next file opened would get their numbers.
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _discard_output() -> None:
    """Send what is still buffered to the null device, for Python writes it when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
