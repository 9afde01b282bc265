from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
import pytest

from fitgym.cli import predictor
from fitgym.logs.recordings import read_recordings
from fitgym.predictor.fitrec.inference import load_predictor
from fitgym.predictor.sessions import Session

RECIPE = {
    "simulator": {"people": 4, "workouts": 2, "longest_steps": 40},
    "pretraining": {"epochs": 1, "patience": 1},
    "fine_tuning": {"epochs": 1, "patience": 1},
    "rehearsal": 2,
}


def run(*words: object) -> None:
    parser = argparse.ArgumentParser()
    predictor.add_command(parser.add_subparsers())
    options = parser.parse_args(["predictor", *map(str, words)])
    options.run(options)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    run("simulate", "--people", 4, "--workouts", 2, "--seed", 1, "--output", folder)
    return folder


def test_simulate_writes_recordings_and_figures(
    recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workouts = read_recordings(recordings)
    assert len(workouts) == 8
    run("simulate", "--people", 3, "--recordings", recordings, "--json")
    figures = json.loads(capsys.readouterr().out)
    assert set(figures) == {"simulated", "recorded"}
    run("simulate", "--people", 3, "--recordings", recordings)
    assert "| per m/s |" in capsys.readouterr().out


def test_train_writes_weights_that_load(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(RECIPE))
    sources = tmp_path / "sources.json"
    sources.write_text('[{"source": "a test"}]')
    words: tuple[object, ...] = (
        "train",
        "--sources",
        sources,
        "--recordings",
        recordings,
        "--recipe",
        recipe,
        "--seed",
        3,
        "--quiet",
    )
    run(*words, "--output", tmp_path / "out", "--json")
    card = json.loads(capsys.readouterr().out)
    assert card["recipe"]["seed"] == 3
    assert card["sources"] == [{"source": "a test"}]
    assert card["data"]["recorded_people"] == 4
    assert card["data"]["recorded_workouts"] == 8
    assert set(card["training"]) == {"pre-training", "fine-tuning"}
    for name in ("fitrec.safetensors", "fitrec.json", "recipe.json", "learning-curves.png"):
        assert (tmp_path / "out" / name).exists()
    network = load_predictor(tmp_path / "out" / "fitrec.safetensors")
    (heart_rate,) = network.predict([Session(np.full(20, 3.0), np.zeros(20))], [None])
    assert ((heart_rate > 40.0) & (heart_rate < 220.0)).all()
    bad = tmp_path / "bad.json"
    bad.write_text('{"a": 1}')
    with pytest.raises(ValueError, match=r"bad\.json is not a report"):
        run(*words, "--output", tmp_path / "out", "--evaluation", bad)
    # Once more: everything is resumed, and the weights are the same.
    run(*words, "--output", tmp_path / "out", "--json")
    assert json.loads(capsys.readouterr().out)["sha256"] == card["sha256"]


def test_evaluate_the_shipped_weights(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("evaluate", "--recordings", recordings, "--output", tmp_path, "--json")
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {"b, cold", "b, previous"}
    assert json.loads((tmp_path / "report.json").read_text()) == report
    assert "FitRec" in (tmp_path / "report.md").read_text()
    assert (tmp_path / "predictions.png").exists()


@pytest.mark.parametrize("model", ["fitrec", "ode"])
def test_predict_writes_a_heart_rate_for_every_step(
    recordings: Path, tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "predictions.csv"
    run("predict", "--recordings", recordings, "--model", model, "--output", path, "--json")
    figures = json.loads(capsys.readouterr().out)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == figures["measured_steps"] == sum(map(len, read_recordings(recordings)))
    assert all(40.0 <= float(row["predicted_heart_rate"]) <= 220.0 for row in rows)
    assert 0.0 < figures["pooled_mae_bpm"] < 30.0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("predict", "--threads", 0), "--threads must be an integer of at least 1"),
        (("evaluate", "--seeds", 0), "--seeds must be an integer of at least 1"),
        (("predict", "--weights", "nothing.safetensors"), "nothing"),
    ],
)
def test_bad_options_are_refused(recordings: Path, words: tuple[object, ...], message: str) -> None:
    with pytest.raises((ValueError, OSError), match=message):
        run(*words, "--recordings", recordings)
