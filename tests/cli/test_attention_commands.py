"""``predictor train-attention`` and ``evaluate-attention``, on a small folder of recordings."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pytest

from fitgym.cli import attention
from fitgym.cli.main import main
from fitgym.logs.recordings import write_recordings
from fitgym.logs.workout import Workout
from fitgym.predictor.attention.network import AttentionConfig
from fitgym.predictor.attention.training import AttentionTrainingConfig
from fitgym.predictor.attention.weights import load_attention


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(0)
    workouts = [
        Workout(
            identifier=f"w{number}",
            user=f"u{number % 7}",
            sport="run",
            gender="unknown",
            day=float(number),
            time_s=10.0 * np.arange(20),
            heart_rate_bpm=120.0 + np.cumsum(rng.normal(0, 2, 20)),
            valid=np.ones(20, dtype=bool),
            speed_m_s=np.full(20, 3.0),
            altitude_m=np.zeros(20),
            has_altitude=False,
        )
        for number in range(35)
    ]
    write_recordings(folder, workouts)
    return folder


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(
        attention,
        "_settings",
        lambda options, seed: (
            AttentionConfig(hidden=4, context=2, embedding=1, residual=not options.paper),
            AttentionTrainingConfig(1, 1, 64, 64, seed=seed),
        ),
    )

    def run(line: str, status: int = 0) -> None:
        assert main(["predictor", *shlex.split(line), "--quiet"]) == status

    return run


def test_trained_weights_are_evaluated_as_their_card_says(run, recordings, tmp_path, capsys):
    run(f"train-attention --recordings {recordings} --output {tmp_path} --json")
    printed = json.loads(capsys.readouterr().out)
    weights = tmp_path / "attention.safetensors"
    model, card = load_attention(weights)
    assert printed == card
    assert (tmp_path / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    assert model.config.attributes[0] == 1
    assert sum(part["workouts"] for part in card["data"].values()) == 35
    assert card["held_out"]["workouts"] == card["data"]["held_out"]["workouts"]

    run(
        f"evaluate-attention --recordings {recordings} --weights {weights} "
        f"--output {tmp_path / 'report'} --json"
    )
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["all recordings"]["windows"] == 35 * 11


def test_interrupted_training_goes_on(run, recordings, tmp_path, capsys):
    for _ in range(2):
        run(f"train-attention --recordings {recordings} --output {tmp_path}")
    first, second = capsys.readouterr().out.split("wrote ")[1:]
    assert first == second


def test_retraining_reports_both_protocols_and_every_seed(run, recordings, tmp_path, capsys):
    run(
        f"evaluate-attention --retrain --paper --seeds 2 --recordings {recordings} "
        f"--output {tmp_path}"
    )
    table = capsys.readouterr().out
    assert "(a) later workouts of known people" in table
    assert "(b) people never seen" in table
    assert table.count("| seed 1 |") == 2
    assert table.strip() == (tmp_path / "report.md").read_text().strip()


def test_the_papers_form_cannot_be_asked_of_finished_weights(run, recordings, tmp_path, capsys):
    run(f"evaluate-attention --paper --recordings {recordings} --output {tmp_path / 'new'}", 2)
    assert "--paper must go with --retrain" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_too_few_people_are_an_error(run, recordings, tmp_path, capsys):
    samples = "workout,t,heart_rate,valid,speed,altitude\n"
    samples += "".join(f"w,{10 * t},120,1,3,0\n" for t in range(20))
    (tmp_path / "samples.csv").write_text(samples)
    (tmp_path / "workouts.csv").write_text(
        "workout,user,sport,gender,day,has_altitude\nw,u,run,unknown,,False\n"
    )
    run(f"train-attention --recordings {tmp_path} --output {tmp_path / 'new'}", 2)
    assert "recordings must be of at least 5 people, got 1" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
