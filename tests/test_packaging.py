"""What is built carries everything, and works where it is installed without this checkout."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import pytest

import fitgym
from fitgym.cli.command import COMMANDS
from fitgym_agents.cli import COMMANDS as AGENTS
from fitgym_benchmarks.cli import COMMANDS as BENCHMARKS

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "fitgym": ROOT / "fitgym",
    "fitgym_agents": ROOT / "agents" / "fitgym_agents",
    "fitgym_benchmarks": ROOT / "benchmarks" / "fitgym_benchmarks",
}
EVERY = {**COMMANDS, **AGENTS, **BENCHMARKS}

# What the extras bring, and what these import it from.
FROM_EXTRAS = {
    *("PIL", "fit_tool", "icalendar", "imageio", "imageio_ffmpeg", "jinja2", "optuna"),
    *("pyarrow", "ray", "safetensors", "sb3_contrib", "submitit"),
    *("stable_baselines3", "tensorboard", "torch", "yaml"),
}
WITHOUT_EXTRAS = f"""
import sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {FROM_EXTRAS!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, NotInstalled())
"""


def files_below(folder: Path) -> set[str]:
    """Return the files of a package, caches left out, as paths from the package's parent."""
    return {
        path.relative_to(folder.parent).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def build(source: Path, what: str, out: Path) -> Path:
    """Build ``what`` ("sdist" or "wheel") of a source tree as pip does, without a network."""
    code = f"from setuptools.build_meta import build_{what} as build; build({str(out)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=source, check=True, capture_output=True)
    (built,) = out.glob("*.tar.gz" if what == "sdist" else "*.whl")
    return built


def test_everything_that_names_the_version_names_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    (newest, day), *_ = re.findall(
        r"^## (\S+) - (\S+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert fitgym.__version__ == project == newest
    assert f"\nversion: {newest}\ndate-released: {day}\n" in citation


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    source = folder / "source"
    # A copy, for building leaves files in the tree that later builds would pick up.
    for name in ("agents", "benchmarks", "docs", "examples", "fitgym", "scripts", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, source)
    return build(source, "sdist", folder)


@pytest.fixture(scope="session")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    return build(source, "wheel", folder)


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a virtual environment with the wheel, which sees what is installed beside pytest."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    install = ["install", "--quiet", "--ignore-installed", "--no-deps", "--no-compile", wheel]
    subprocess.run([sys.executable, "-m", "pip", "--python", python, *install], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


@pytest.fixture(scope="session")
def bare_environment(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same with no extra installed."""
    folder = tmp_path_factory.mktemp("bare") / "environment"
    shutil.copytree(environment, folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "without_extras.py").write_text(WITHOUT_EXTRAS)
    (packages / "a_without_extras.pth").write_text("import without_extras\n")
    script = folder / "bin" / "fitgym"
    script.write_text(script.read_text().replace(str(environment), str(folder)))
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a working directory with packages of its own called as our top-level folders."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(tmp_path)
    for name in ("agents", "benchmarks"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('the wrong package')\n")
    return tmp_path


def call(environment: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [environment / "bin" / "fitgym", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_source_distribution_holds_packages_tests_and_docs(sdist) -> None:
    with tarfile.open(sdist) as archive:
        names = {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()}
    expected = {
        f"{folder.parent.relative_to(ROOT).as_posix()}/{name}".removeprefix("./")
        for folder in PACKAGES.values()
        for name in files_below(folder)
    }
    expected |= set().union(*(files_below(ROOT / name) for name in ("docs", "examples", "tests")))
    expected |= {"README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "Makefile"}
    assert expected - names == set()


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = set().union(*map(files_below, PACKAGES.values()))
    assert any(name.endswith(".safetensors") for name in expected)
    assert names == expected


def test_nothing_else_can_be_imported_from_the_wheel(environment, elsewhere) -> None:
    code = (
        "import importlib.util, pathlib, sys; sys.path.remove(''); "
        "print(*sorted(name for name in ('agents', 'benchmarks', 'fitgym', 'fitgym_agents') "
        "if importlib.util.find_spec(name)), "
        "pathlib.Path(importlib.util.find_spec('fitgym').origin).parents[1])"
    )
    done = subprocess.run(
        [environment / "bin" / "python", "-c", code], capture_output=True, text=True, check=True
    )
    (packages,) = environment.glob("lib/python*/site-packages")
    assert done.stdout.split() == ["fitgym", "fitgym_agents", str(packages)]


def test_the_commands_are_listed(environment, bare_environment, elsewhere) -> None:
    for where in (environment, bare_environment):
        done = call(where, "--help")
        assert done.returncode == 0
        assert done.stderr == ""
        for name, command in EVERY.items():
            assert re.search(rf"^ +{name}\s+{command.help[:20]}", done.stdout, flags=re.M)


@pytest.mark.parametrize("command", EVERY)
def test_every_command_explains_itself(environment, elsewhere, command) -> None:
    done = call(environment, command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: fitgym {command} ")
    assert done.stderr == ""


@pytest.mark.parametrize("command", EVERY)
def test_without_extras_a_command_works_or_names_its_extra(
    bare_environment, elsewhere, command
) -> None:
    done = call(bare_environment, command, "--help")
    if command in AGENTS or command in BENCHMARKS:
        assert done.returncode == 2
        assert re.fullmatch(
            rf"fitgym {command}: error: \w+ is not installed: "
            rf"pip install 'fitgym\[{EVERY[command].extra}\]'\n",
            done.stderr,
        )
    else:
        assert done.returncode == 0
        assert done.stderr == ""


@pytest.mark.parametrize(
    "words",
    [
        "predictor train",
        "predictor evaluate --recordings folder",
        "predictor predict --recordings folder --output file.csv",
        "predictor train-attention --recordings folder",
        "predictor evaluate-attention --recordings folder",
        "predictor train-speed --recordings folder",
        "predictor evaluate-speed --recordings folder",
        "predictor predict-speed --recordings folder --output file.csv",
        "predictor forecast folder",
        "recommend --person novice-runner --target 140..150 --workouts folder",
        "explain",
        "cluster --recordings folder",
        "solve fitgym/Acquisition-v0 --individual new.json",
        "simulate-athlete --days 9 --out folder",
        "train a3c fitgym/Acquisition-v0",
        "evaluate coach fitgym/Acquisition-v0",
        "list",
        "watch coach fitgym/Acquisition-v0",
        "record fitgym/Acquisition-v0",
        "benchmark quick",
    ],
)
def test_without_extras_what_needs_one_says_which(bare_environment, elsewhere, words) -> None:
    person = (ROOT / "fitgym/data/individuals/recreational-runner.json").read_text()
    # No load table ships for somebody else, and building it takes the predictor.
    (elsewhere / "new.json").write_text(person.replace('"vdot": 4', '"vdot": 3'))
    done = call(bare_environment, *words.split())
    assert done.returncode == 2
    assert re.search(r"pip install 'fitgym\[\w+\]'\n$", done.stderr)
    assert len(done.stderr.splitlines()) == 1
    assert not (elsewhere / "results").exists()


def test_without_extras_the_base_commands_work(bare_environment, elsewhere) -> None:
    (elsewhere / "log.csv").write_text("date,km,minutes\n2024-01-01,10,55\n2024-01-03,8,44\n")
    for words in (
        "read log.csv",
        "predictor simulate --people 2 --workouts 2 --output folder",
        "predictor predict --recordings folder --model ode --output file.csv",
        "scores",
    ):
        done = call(bare_environment, *words.split())
        assert done.returncode == 0, done.stderr
    assert (elsewhere / "file.csv").exists()


def test_agents_are_found_in_the_working_directory_and_shadow_nothing(
    environment, elsewhere
) -> None:
    (elsewhere / "mine.py").write_text("class Nobody:\n    pass\n")
    (elsewhere / "yaml.py").write_text("raise RuntimeError('the wrong module')\n")
    words = ("evaluate", "mine:Nobody", "fitgym/Acquisition-v0", "--env", "adherence=certain")
    done = call(environment, *words)
    assert done.returncode == 2
    assert "mine:Nobody" in done.stderr
    assert "No module" not in done.stderr
