"""Commands say before their work that a folder cannot be written to, and write nothing there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LOG = Path(__file__).parents[1] / "logs" / "cases" / "a01_runs_only.csv"
ENV = "fitgym/Acquisition-v1"
# The superuser may write anywhere unless it gives these powers up.
AS_OTHERS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")

OPTIONS = {
    "calibrate": "--out",
    f"profile {LOG}": "--out me.json --page",
    "coach me.json": "--diary diary.json --calendar",
    "simulate-athlete": "--out",
    f"solve {ENV}": "--out",
    f"record {ENV}": "--out",
    "season": "--out",
    "recommend": "--page",
    "explain": "--page",
    "cluster --recordings .": "--page",
    "predictor simulate": "--output",
    "predictor train --recordings .": "--output",
    "predictor evaluate --recordings .": "--output",
    "predictor predict --recordings .": "--output",
    "predictor ablation": "--output",
    f"trial mrt {ENV}": "--out",
    f"trial rct {ENV}": "--out",
    f"trial ope {ENV}": "--out",
    f"watch coach {ENV} --as png": "--out",
    f"train ppo {ENV}": "--out",
    "benchmark quick": "--out",
    "benchmark algorithms": "--out",
    "benchmark people": "--out",
    "benchmark paper": "--out",
    "benchmark online": "--out",
    "benchmark search ppo": "--out",
    "benchmark speed": "--out",
}


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder as one who may not write where it is not allowed."""
    return subprocess.run(
        [*(AS_OTHERS if os.getuid() == 0 else ()), sys.executable, "-m", "fitgym", *line.split()],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds an empty one without permission to write into it."""
    if sys.platform == "win32" or (os.getuid() == 0 and shutil.which(AS_OTHERS[0]) is None):
        pytest.skip("needs a user who may not write everywhere")
    folder = tmp_path_factory.mktemp("folder")
    (folder / "kept").mkdir()
    (folder / "kept").chmod(0o555)
    return folder


@pytest.mark.parametrize("line", OPTIONS)
def test_a_folder_that_cannot_be_written_to_is_told_before_the_work(
    line: str, read_only: Path
) -> None:
    name = "kept/out.ics" if "coach" in line.split() else "kept/out"
    done = run(f"{line} {OPTIONS[line]} {name}", read_only)
    assert done.returncode == 2, done.stderr
    shown = done.stderr.splitlines()[-1]
    option = OPTIONS[line].split()[-1]
    assert f"{option}" in shown
    assert "must be a folder that can be written to, got 'kept" in shown
    assert "Permission denied" in shown
    assert [path.name for path in read_only.rglob("*")] == ["kept"]


def test_a_profile_in_such_a_folder_can_be_coached_with_a_diary_elsewhere(tmp_path: Path) -> None:
    run(f"profile {LOG} --today 2023-08-28 --out kept/me.json", tmp_path)
    (tmp_path / "kept").chmod(0o555)
    refused = run("coach kept/me.json --today 2023-08-29", tmp_path)
    assert refused.returncode == 2
    assert "the diary beside the profile" in refused.stderr
    assert "name one with --diary" in refused.stderr
    done = run("coach kept/me.json --today 2023-08-29 --diary diary.json", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "diary.json").exists()
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["me.json"]
