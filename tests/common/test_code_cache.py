"""Compiled code is that of the sources as they are, and a cache that fails costs time only."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import fitgym
from fitgym.common import code_cache

PACKAGE = Path(fitgym.__file__).parent
# Performance is p_0 + k_F F - k_G G.
PERFORMANCE = """
import numpy as np
from fitgym.envs import kernel
from fitgym.envs.records import PERSON, STATE
states, people = np.zeros(1, STATE), np.zeros(1, PERSON)
states["fitness"], states["fatigue"] = 3.0, 5.0
people["baseline_performance"], people["fitness_utility"], people["fatigue_utility"] = 40, 2, 1
print(kernel.performance_of(states, 0, people))
"""
# What limits a process's files to so many bytes, as a full disk does.
FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with a copy of the package's sources."""
    shutil.copytree(
        PACKAGE,
        tmp_path / "copy" / "fitgym",
        ignore=shutil.ignore_patterns("__pycache__", "predictor", "load_tables"),
    )
    return tmp_path / "copy"


def run(copy: Path, code: str, *options: str, **environment: str) -> tuple[str, str]:
    """Return what a fresh process prints, to the output and beside it."""
    places = {
        "PYTHONPATH": str(copy),
        "PYTHONDONTWRITEBYTECODE": "1",
        "XDG_CACHE_HOME": str(copy.parent / "cache"),
        "TMPDIR": str(copy.parent),
    }
    inherited = {name: value for name, value in os.environ.items() if "NUMBA" not in name}
    done = subprocess.run(
        [sys.executable, *options, "-c", code],
        env={**inherited, **places, **environment},
        cwd=copy.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def folders(copy: Path) -> list[Path]:
    return sorted((copy.parent / "cache" / "fitgym").glob("fitgym-code-*"))


def test_an_edit_of_an_inlined_equation_is_noticed_and_so_is_its_repair(copy: Path) -> None:
    dynamics = copy / "fitgym" / "model" / "dynamics.py"
    right = dynamics.read_text()
    wrong = right.replace("- fatigue_utility * fatigue", "+ fatigue_utility * fatigue")
    assert wrong != right
    assert run(copy, PERFORMANCE)[0] == "41.0"
    assert len(folders(copy)) == 1
    assert list(folders(copy)[0].rglob("*.nbc"))
    dynamics.write_text(wrong)
    assert run(copy, PERFORMANCE)[0] == "51.0"
    assert len(folders(copy)) == 2
    dynamics.write_text(right)
    assert run(copy, PERFORMANCE)[0] == "41.0"
    assert len(folders(copy)) == 2


def test_what_cannot_change_compiled_code_keeps_its_folder(copy: Path) -> None:
    code = "from fitgym.common.code_cache import sources_hash; print(sources_hash())"
    before = run(copy, code)
    with (copy / "fitgym" / "cli" / "main.py").open("a") as file:
        file.write("# A comment.\n")
    assert run(copy, code) == before


@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
def test_a_cut_file_of_the_cache_is_compiled_anew_once_with_a_warning(
    copy: Path, suffix: str
) -> None:
    run(copy, PERFORMANCE)
    for path in folders(copy)[0].rglob(f"*{suffix}"):
        path.write_bytes(path.read_bytes()[: 0 if suffix == ".nbi" else 100])
    printed, warned = run(copy, PERFORMANCE)
    assert printed == "41.0"
    assert "is damaged and compiled anew" in warned
    assert run(copy, PERFORMANCE) == ("41.0", "")


def test_code_edited_since_the_start_is_not_kept(copy: Path) -> None:
    noise = copy / "fitgym" / "model" / "noise.py"
    edit = f"with open({str(noise)!r}, 'a') as file:\n    file.write('# Edited.')\nprint("
    assert run(copy, PERFORMANCE.replace("print(", edit))[0] == "41.0"
    assert not list(folders(copy)[0].rglob("*.nbc"))


def test_where_the_user_s_cache_cannot_be_written_a_temporary_folder_serves(copy: Path) -> None:
    (copy.parent / "cache").touch()
    assert run(copy, PERFORMANCE) == ("41.0", "")
    (temporary,) = copy.parent.glob("fitgym-*")
    assert list(temporary.glob("fitgym-code-*/*/*.nbc"))
    assert run(copy, PERFORMANCE) == ("41.0", "")


def test_numba_s_own_variable_says_where(copy: Path) -> None:
    chosen = copy.parent / "chosen"
    assert run(copy, PERFORMANCE, NUMBA_CACHE_DIR=str(chosen))[0] == "41.0"
    assert list(chosen.glob("fitgym-code-*/*/*.nbc"))
    assert not folders(copy)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
@pytest.mark.parametrize(
    ("size", "warning"),
    [(0, "compiled code can be kept neither"), (5000, "compiled code cannot be kept in")],
)
def test_a_full_disk_costs_time_only(copy: Path, size: int, warning: str) -> None:
    printed, warned = run(copy, FULL.format(size) + PERFORMANCE)
    assert printed == "41.0"
    assert warning in warned


def test_spawned_processes_share_the_folder(copy: Path) -> None:
    code = (
        "import multiprocessing\n"
        "from fitgym.common.code_cache import code_folder\n"
        "with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "    print(pool.apply(code_folder) == code_folder() is not None)\n"
    )
    assert run(copy, code)[0] == "True"


def test_old_folders_are_removed_but_for_those_used_last(tmp_path: Path) -> None:
    now = time.time()
    ages = {"a": 0.0, "b": 60.0, **{f"old{i}": 7200.0 + i for i in range(10)}}
    for name, age in ages.items():
        folder = tmp_path / f"fitgym-code-{name}"
        (folder / "inside").mkdir(parents=True)
        os.utime(folder, (now - age, now - age))
    (tmp_path / "somebody's").mkdir()
    os.utime(tmp_path / "somebody's", (0, 0))
    code_cache._remove_old_folders(tmp_path / "fitgym-code-a")
    left = {path.name.removeprefix("fitgym-code-") for path in tmp_path.iterdir()}
    assert left == {"a", "b", *(f"old{i}" for i in range(6)), "somebody's"}


def modules() -> dict[str, ast.Module]:
    """Return every module of the package, parsed, by its dotted name."""
    return {
        ".".join(("fitgym", *path.relative_to(PACKAGE).with_suffix("").parts)): ast.parse(
            path.read_text()
        )
        for path in PACKAGE.rglob("*.py")
    }


def compiled_functions(module: ast.Module) -> list[ast.FunctionDef]:
    return [
        node
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(by, ast.Name) and "compiled" in by.id for by in node.decorator_list)
    ]


def test_the_hash_covers_all_that_compiled_functions_read() -> None:
    """Functions that are called and constants that are frozen come from modules it covers."""
    parsed = modules()
    covered = {
        ".".join(("fitgym", *path.relative_to(PACKAGE).with_suffix("").parts))
        for path in code_cache.compiled_sources()
    }
    with_compiled = {name for name, module in parsed.items() if compiled_functions(module)}
    assert with_compiled <= covered
    assert len(with_compiled) > 5
    for name in with_compiled:
        used: set[str] = set()
        for function in compiled_functions(parsed[name]):
            used |= {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        for node in parsed[name].body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fitgym"):
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    origin = inner if inner in parsed else node.module
                    if alias.name in used:
                        assert origin in covered, f"{name} uses {alias.name} of {origin}"
