"""``fitgym read`` and ``fitgym simulate-athlete``."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from fitgym.cli.main import main
from fitgym.logs import read
from fitgym.people.individual import load_individual
from fitgym.virtual.season import simulate_history

CASES = Path(__file__).parents[1] / "logs" / "cases"


def test_read_prints_the_table_and_json(capsys):
    path = str(CASES / "a05_miles_bare_distance.csv")
    assert main(["read", path]) == 0
    printed = capsys.readouterr().out
    assert "names no unit, read as miles: median pace 8:16 min/mile" in printed
    assert main(["read", path, "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert len(content["sessions"]) == 80
    assert content["left_out"] == []


def test_read_names_what_is_wrong(capsys):
    assert main(["read", str(CASES / "a46_empty.csv")]) == 2
    assert "a46_empty.csv: is empty" in capsys.readouterr().err
    assert main(["read", "nowhere.csv"]) == 2
    assert "no such file" in capsys.readouterr().err


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("torch")
    out = tmp_path_factory.mktemp("athlete") / "season"
    words = ["--days", "16", "--seed", "3", "--start", "2024-03-01", "--out", str(out)]
    assert main(["simulate-athlete", *words]) == 0
    return out


def test_a_season_reads_back_the_same(folder):
    season = simulate_history(
        load_individual("club-runner"),
        days=16,
        seed=3,
        start=date(2024, 3, 1),
    )
    history = read(folder)
    assert len(history.sessions) == len(season.history.sessions) > 5
    for session, told in zip(history.sessions, season.history.sessions, strict=True):
        assert session.date == told.date
        assert session.distance_m == pytest.approx(told.distance_m, abs=0.1)
        assert session.minutes == pytest.approx(told.minutes, abs=1 / 60)
    for workout, told in zip(history.workouts, season.history.workouts, strict=True):
        both = min(len(workout), len(told))
        np.testing.assert_allclose(
            workout.heart_rate_bpm[:both], told.heart_rate_bpm[:both], atol=0.51
        )
        np.testing.assert_allclose(workout.speed_m_s[:both], told.speed_m_s[:both], atol=0.001)
    only_log = read(folder / "log.csv")
    assert [session.date for session in only_log.sessions] == [
        session.date for session in history.sessions
    ]


def test_the_same_seed_writes_the_same_files_over_its_own(folder, capsys):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    words = ["--days", "16", "--seed", "3", "--start", "2024-03-01", "--out", str(folder)]
    assert main(["simulate-athlete", *words]) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert {name.rpartition(".")[2] for name in before} == {"fit", "tcx", "gpx", "csv", "json"}
    (folder / "mine.txt").write_text("keep me")
    capsys.readouterr()
    assert main(["simulate-athlete", *words]) == 2
    assert "which holds 'mine.txt'" in capsys.readouterr().err
    assert (folder / "mine.txt").exists()
    (folder / "mine.txt").unlink()
    assert sorted(path.name for path in folder.parent.iterdir()) == ["season"]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert main(["simulate-athlete", "--out", str(tmp_path)]) == 2
    assert "must be a new or empty folder" in capsys.readouterr().err
    for words, message in (
        (["--individual", "nobody"], "individual must be one of"),
        (["--days", "0"], "days must be"),
        (["--seed", "-1"], "seed must be"),
    ):
        assert main(["simulate-athlete", "--out", str(tmp_path / "new"), *words]) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "new").exists()
