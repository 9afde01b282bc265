"""``recommend``, ``explain``, ``cluster``, ``predictor forecast`` and the speed actions."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import date

import pytest

from fitgym.cli import speed
from fitgym.cli.main import main
from fitgym.cli.predictor_input import read_measured_recordings
from fitgym.logs.recordings import write_recordings
from fitgym.logs.training_log import LoggedSession
from fitgym.logs.writing import tcx_text
from fitgym.predictor.fitrec2.people import VirtualPeopleConfig, simulate_people
from fitgym.predictor.speed.training import SpeedTraining


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    people = VirtualPeopleConfig(people=12, workouts=5, longest_steps=60, seed=1)
    write_recordings(folder, simulate_people(people)[0])
    return folder


@pytest.fixture
def plans(tmp_path):
    path = tmp_path / "plans.csv"
    path.write_text(
        "workout,sport,minutes,speed_km_h\neasy,run,30,8\nhard,run,30,13\n", encoding="utf-8"
    )
    return path


def run(line: str, capsys, status: int = 0) -> str:
    assert main(shlex.split(line)) == status
    out, err = capsys.readouterr()
    return err if status else out


def test_recommend_ranks_and_writes_a_page(plans, tmp_path, capsys):
    page = tmp_path / "page.html"
    line = f"recommend --person club-runner --target 120..150 --workouts {plans} --page {page}"
    text = run(line, capsys)
    assert text.index("1. easy") < text.index("2. hard")
    assert page.read_text(encoding="utf-8").count("<svg ") == 2
    record = json.loads(run(f"{line} --json", capsys))
    assert [each["name"] for each in record["workouts"]] == ["easy", "hard"]
    misses = [each["mean_miss_bpm"] for each in record["workouts"]]
    assert misses == sorted(misses)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--target 140..150 --workouts PLANS", "--person must be given"),
        ("--person club-runner --workouts PLANS", "--target must be given"),
        ("--person club-runner --target 140..150", "--workouts or --routes must be given"),
        ("--person x --target 140..150 --workouts PLANS", "a person must be one of"),
        ("--person club-runner --target x --workouts PLANS", "a target must be a range"),
        ("--person club-runner --target 140..150 --workouts nowhere", "does not exist"),
        ("--person club-runner --target 140..150 --workouts PLANS --speed 9", "--speed must go"),
        ("--evaluate", "--recordings must be given"),
        ("--evaluate --target 140..150 --recordings x", "--target cannot be used with --evaluate"),
        ("--recordings x", "--recordings must go with --evaluate"),
    ],
)
def test_recommend_says_what_is_wrong(words, message, plans, capsys):
    assert message in run(f"recommend {words.replace('PLANS', str(plans))}", capsys, 2)


def test_explain_shows_all_parts(recordings, tmp_path, capsys):
    page = tmp_path / "page.html"
    line = f"explain --recordings {recordings} --repeats 1 --page {page}"
    text = run(line, capsys)
    for word in ("speed", "history", "grade (%)", "affine"):
        assert word in text
    assert page.exists()
    assert "--repeats must be" in run("explain --repeats 0", capsys, 2)


def test_cluster_argues_the_number(recordings, tmp_path, capsys):
    page = tmp_path / "page.html"
    line = f"cluster --recordings {recordings} --null-sets 20 --page {page}"
    assert "response curves" in run(line, capsys)
    assert page.exists()
    record = json.loads(run(f"{line} --json", capsys))
    assert record["people"] == 12
    assert "does not exist" in run("cluster --recordings nowhere", capsys, 2)


def test_files_of_watches_are_recordings_of_a_person_a_folder(tmp_path, capsys):
    people = VirtualPeopleConfig(people=2, workouts=2, longest_steps=60, seed=1)
    workouts, _ = simulate_people(people)
    for number, workout in enumerate(workouts):
        day = 20_000.0 + number
        metres = 10.0 * float(workout.speed_m_s.sum())
        session = LoggedSession(date(2024, 10, 4), metres, len(workout) / 6.0)
        folder = tmp_path / "all" / workout.user
        folder.mkdir(parents=True, exist_ok=True)
        text = tcx_text(replace(workout, day=day, sport="run"), session)
        (folder / f"{number}.tcx").write_text(text, encoding="utf-8")
    found = read_measured_recordings(tmp_path / "all")
    assert "4 recordings of 2 people" in capsys.readouterr().err
    assert sorted(one.user for one in found) == sorted(one.user for one in workouts)
    assert len({one.identifier for one in found}) == 4
    alone = read_measured_recordings(tmp_path / "all" / workouts[0].user)
    assert [one.user for one in alone] == [workouts[0].user] * 2
    (tmp_path / "empty").mkdir()
    error = run(f"cluster --recordings {tmp_path / 'empty'}", capsys, 2)
    assert "FIT, TCX or GPX files of one person" in error


def test_forecast_prints_writes_and_refuses(recordings, tmp_path, capsys):
    csv, page = tmp_path / "all.csv", tmp_path / "page.html"
    line = f"predictor forecast {recordings} --workout v00000-1 --csv {csv} --page {page}"
    assert "last value MAE" in run(line, capsys)
    rows = csv.read_text(encoding="utf-8").splitlines()
    assert rows[0] == "workout,made_s,ahead_s,predicted,last_value,measured"
    assert rows[1].startswith("v00000-1,80,10,")
    assert page.exists()
    record = json.loads(run(f"predictor forecast {recordings} --seconds 20 --json", capsys))
    assert record["workouts"] == 60
    assert set(record["phases"]["all"]) == {"20"}
    held = json.loads(run(f"predictor forecast {recordings} --held-out --json", capsys))
    assert 0 < held["people"] < 12
    for words, message in (
        ("--workout nobody", "--workout must be one of"),
        ("--seconds soon", "--seconds must be whole numbers"),
        ("--seconds 15", "multiple of 10"),
    ):
        assert message in run(f"predictor forecast {recordings} {words}", capsys, 2)
    assert "does not exist" in run("predictor forecast nowhere.json", capsys, 2)


def test_speed_is_trained_evaluated_and_predicted(recordings, tmp_path, capsys, monkeypatch):
    given = speed._input
    small = SpeedTraining(
        people=VirtualPeopleConfig(people=3, workouts=2, longest_steps=40),
        pretraining_epochs=1,
        epochs=1,
        patience=1,
    )
    monkeypatch.setattr(
        speed, "_input", lambda options: (given(options)[0], replace(small, seed=options.seed))
    )
    folder = f"--recordings {recordings} --output {tmp_path / 'speed'} --quiet"
    assert "SHA-256" in run(f"predictor train-speed {folder}", capsys)
    assert "people never seen" in run(f"predictor evaluate-speed {folder}", capsys)
    assert (tmp_path / "speed" / "report.json").exists()
    out = tmp_path / "speeds.csv"
    weights = tmp_path / "speed" / "speed.safetensors"
    for words in ("", f"--weights {weights}"):
        line = f"predictor predict-speed --recordings {recordings} --output {out} {words}"
        assert "m/s" in run(line, capsys)
    assert out.read_text(encoding="utf-8").startswith("workout,t,predicted_speed\nv00000-0,0,")
