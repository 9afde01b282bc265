"""``fitgym profile`` from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fitgym.cli.main import main
from fitgym.profile import read_profile


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    lines = ["Date,Distance (km),Time"]
    lines += [f"2025-03-{day:02d},{6 + day % 4},{36 + 6 * (day % 4)}:30" for day in range(1, 29, 3)]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_profile_prints_and_writes(
    log_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, page = tmp_path / "me.json", tmp_path / "me.html"
    words = ["profile", str(log_file), "--out", str(out), "--page", str(page), "--resting", "52"]
    assert main(words) == 0
    printed = capsys.readouterr().out
    for text in ("Read 10 sessions", "VDOT", "borrowed", "given", "not medical advice", "wrote"):
        assert text in printed
    assert read_profile(out).individual.physiology.resting_heart_rate == pytest.approx(52, abs=1)
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_profile_prints_json(log_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", str(log_file), "--json", "--today", "2025-04-10"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["state"]["date"] == "2025-04-10"
    assert content["summary"]["sessions"] == 10


def test_wrong_words_are_named(log_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["profile", str(log_file), "--today", "soon"])
    assert "must be a date such as" in capsys.readouterr().err
    assert main(["profile", str(log_file), "--maximum", "90"]) == 2
    assert "maximum" in capsys.readouterr().err
    assert main(["profile", str(log_file), "--today", "2020-01-01"]) == 2
    assert "no session with distance and time" in capsys.readouterr().err
