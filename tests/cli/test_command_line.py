"""What ``fitgym`` does beside running a command: exit statuses, closed streams, plugins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fitgym

FITGYM = [sys.executable, "-m", "fitgym"]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that installs a package with the command ``mine``.

    It takes the source of the command's module, or of the module that offers the command, and
    leaves what pip would leave, in a folder that child processes import from.
    """
    here = str(Path(fitgym.__file__).parents[1])
    path = [str(tmp_path), *os.environ.get("PYTHONPATH", here).split(os.pathsep)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)

    def install(command: str = "", name: str = "mine", offer: str | None = None) -> None:
        package = f"package_{len(list(tmp_path.iterdir()))}"
        if offer is None:
            offer = (
                "from fitgym.cli.command import Command\n"
                f"COMMANDS = {{{name!r}: Command('by {package}', '{package}_command')}}\n"
            )
        information = tmp_path / f"{package}-1.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\n")
        (information / "entry_points.txt").write_text(
            f"[fitgym.commands]\n{package} = {package}:COMMANDS\n"
        )
        (tmp_path / f"{package}.py").write_text(offer)
        (tmp_path / f"{package}_command.py").write_text(command)

    return install


def call(*words: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    kwargs = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **kwargs}
    return subprocess.run([*FITGYM, *words], text=True, check=False, timeout=120, **kwargs)


def running(statement: str) -> str:
    """Return the source of a command that runs a statement."""
    return (
        "import sys\n"
        "def add_arguments(parser):\n    parser.set_defaults(run=run)\n"
        f"def run(options):\n    {statement}\n"
    )


@pytest.mark.parametrize(
    ("statement", "status", "told"),
    [
        ("pass", 0, ""),
        ("raise ValueError('days must be positive')", 2, "days must be positive"),
        ("open('no/such/file')", 2, "[Errno 2] No such file or directory: 'no/such/file'"),
        ("raise RuntimeError('a worker was killed')", 1, "a worker was killed"),
        ("raise MemoryError", 1, "there is not enough memory"),
        ("import missing", 2, "No module named 'missing'"),
        (
            "raise ModuleNotFoundError('No module named jinja2', name='jinja2')",
            2,
            "jinja2 is not installed: pip install 'fitgym[benchmarks]'",
        ),
        # Installed, but broken: installing it again is not what helps.
        ("raise ImportError('libtorch.so: not found', name='torch')", 2, "libtorch.so: not found"),
    ],
)
def test_a_command_ends_with_its_status_and_a_sentence(install, statement, status, told) -> None:
    install(running(statement))
    done = call("mine")
    assert done.returncode == status
    assert done.stderr == (told and f"fitgym mine: error: {told}\n")


@pytest.mark.parametrize("moment", ["import", "run"])
def test_ctrl_c_stops_with_one_word(install, moment) -> None:
    wait = "import sys, time; print('ready', flush=True); time.sleep(60)"
    install(wait if moment == "import" else running(wait))
    child = subprocess.Popen(
        [*FITGYM, "mine"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what runs in its background with Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=60)
    assert child.returncode == 130
    assert told == "stopped\n"


@pytest.mark.parametrize("words", [["mine"], ["--help"]])
def test_a_reader_that_leaves_is_no_error(install, words) -> None:
    install(running("print('line\\n' * 100_000)"))
    read, write = os.pipe()
    os.close(read)
    done = call(*words, stdout=write)
    os.close(write)
    assert done.returncode == 141
    assert done.stderr == ""


def test_a_full_disk_behind_standard_output_is_a_sentence(install) -> None:
    install(running("print('a line')"))
    with open("/dev/full", "w") as full:
        done = call("mine", stdout=full)
    assert done.returncode == 1
    assert done.stderr == "fitgym: error: standard output: [Errno 28] No space left on device\n"


@pytest.mark.parametrize("descriptor", [0, 1, 2])
def test_a_stream_closed_from_the_start_is_no_error(install, tmp_path, descriptor) -> None:
    # What the command opens must not become standard output by its number.
    out = tmp_path / "out"
    install(
        running(
            f"file = open({str(out)!r}, 'w'); print('told'); print('told', file=sys.stderr); "
            "print(sys.stdin.read(), end=''); sys.stderr.isatty(); file.write('kept')"
        )
    )
    shell = f'exec "$@" {descriptor}{"<" if descriptor == 0 else ">"}&-'
    done = subprocess.run(
        ["sh", "-c", shell, "sh", *FITGYM, "mine"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout == ("" if descriptor == 1 else "told\n")
    assert done.stderr == ("" if descriptor == 2 else "told\n")
    assert out.read_text() == "kept"


@pytest.mark.parametrize(
    ("offer", "told"),
    [
        ("import torchh\n", "No module named 'torchh'"),
        ("raise RuntimeError('broken')\n", "RuntimeError('broken')"),
        ("COMMANDS = {'mine': 'module:function'}\n", "must be a mapping of names to Command"),
        ("COMMANDS = None\n", "TypeError"),
    ],
)
def test_a_broken_plugin_is_warned_of_and_left_out(install, offer, told) -> None:
    install(offer=offer)
    install(running("print('fine')"), name="other")
    done = call("other")
    assert done.returncode == 0
    assert done.stdout == "fine\n"
    (line,) = done.stderr.splitlines()
    assert line.startswith("fitgym: warning: the commands of 'package_0' cannot be loaded: ")
    assert told in line


def test_of_two_commands_with_one_name_the_first_counts(install) -> None:
    install(running("print('first')"))
    install(running("print('second')"))
    install(running("print('no calibration')"), name="calibrate")
    done = call("mine")
    assert done.stdout == "first\n"
    assert done.stderr == (
        "fitgym: warning: the command 'mine' of 'package_3' is left out: there is one already\n"
        "fitgym: warning: the command 'calibrate' of 'package_6' is left out: "
        "there is one already\n"
    )
    assert "no calibration" not in call("calibrate", "--help").stdout


def test_only_the_chosen_command_is_imported(install) -> None:
    install("raise RuntimeError('imported')")
    assert "by package_0" in call("--help").stdout
    assert call("mine").stderr == "fitgym mine: error: imported\n"


@pytest.mark.parametrize("words", [[], ["no-such-command"], ["calibrate", "--no-such-option"]])
def test_words_that_do_not_parse_are_status_2(words) -> None:
    done = call(*words, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: fitgym")
    assert "Traceback" not in done.stderr
