"""Commands on a disk that is full say which file could not be written, and leave no part of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fitgym.cli.main import main

resource = pytest.importorskip("resource")

COMMANDS = {
    "calibrate --bootstrap 0 --starts 1 --out out": "out/calibration.png",
    "trial mrt fitgym/Acquisition-v1 --people 20 --days 30 --out out": "out/trial.csv",
    "record fitgym/Acquisition-v1 --agent coach --episodes 9 --out out/e.safetensors": (
        "out/e.safetensors"
    ),
    "watch coach fitgym/Acquisition-v1 --as png --out out/episode.png": "out/episode.png",
    "season --out out/season.html": "out/season.html",
}


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file grow beyond eight kilobytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_full_disk_is_told_and_leaves_no_part(line, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    with full_disk():
        status = main(line.split())
    assert status == 2
    shown = capsys.readouterr().err
    assert f"File too large: '{COMMANDS[line]}'" in shown
    left = [path for path in Path().rglob("*") if path.is_file()]
    # Files that were small enough are whole, and none is a part.
    assert all(path.stat().st_size < 8192 and "fitgym-tmp" not in path.name for path in left)
    assert Path(COMMANDS[line]) not in left
