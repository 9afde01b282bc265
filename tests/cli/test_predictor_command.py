from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitgym.cli.main import main
from fitgym.logs.recordings import read_recordings, write_recordings
from fitgym.logs.workout import Workout
from fitgym.predictor.attributes import Attributes
from fitgym.predictor.fitrec import weights as fitrec_weights
from fitgym.predictor.fitrec.inference import load_predictor
from fitgym.predictor.fitrec2 import weights as fitrec2_weights
from fitgym.predictor.fitrec2.evaluation import PERSONAL
from fitgym.predictor.fitrec2.inference import load_body_predictor
from fitgym.predictor.sessions import Session

RECIPES = {
    1: {
        "simulator": {"people": 4, "workouts": 2, "longest_steps": 40},
        "pretraining": {"epochs": 1, "patience": 1},
        "fine_tuning": {"epochs": 1, "patience": 1},
        "rehearsal": 2,
    },
    2: {
        "people": {"people": 4, "workouts": 2, "longest_steps": 40},
        "pretraining": {"epochs": 1},
        "fine_tuning": {"epochs": 1},
        "rehearsal": 2,
    },
}


def run(*words: object) -> None:
    assert main(["predictor", *map(str, words)]) == 0


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Return the one line that a command prints that cannot be done."""
    assert main(["predictor", *map(str, words)]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("fitgym predictor: error: ")
    return line


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


def test_train_writes_weights_of_the_first_edition_that_load(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(RECIPES[1]))
    sources = tmp_path / "sources.json"
    sources.write_text('[{"source": "a test"}]')
    words: tuple[object, ...] = (
        "train",
        "--edition",
        1,
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
    broken = (*words, "--output", tmp_path / "out", "--evaluation", bad)
    assert "bad.json is not a report" in refused(capsys, *broken)
    # Once more: everything is resumed, and the weights are the same.
    run(*words, "--output", tmp_path / "out", "--json")
    assert json.loads(capsys.readouterr().out)["sha256"] == card["sha256"]


def test_train_writes_weights_of_the_second_edition_that_load(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(RECIPES[2]))
    folder, output = tmp_path / "five", tmp_path / "out"
    run("simulate", "--people", 5, "--workouts", 5, "--output", folder, "--json")
    capsys.readouterr()
    words = ("--recordings", folder, "--recipe", recipe, "--quiet")
    run("train", *words, "--output", output, "--json")
    card = json.loads(capsys.readouterr().out)
    assert card["data"]["recorded_people"] == 5
    assert 0.5 < card["components"]["interval_sd"] < 3.0
    for name in ("fitrec2.safetensors", "fitrec2.json", "recipe2.json", "learning-curves2.png"):
        assert (output / name).exists()
    weights = output / "fitrec2.safetensors"
    (heart_rate,) = load_body_predictor(weights).predict(
        [Session(np.full(20, 3.0), np.zeros(20))], [None], [Attributes()]
    )
    assert ((heart_rate > 40.0) & (heart_rate < 220.0)).all()
    run("predict", "--recordings", folder, "--weights", weights, "--output", tmp_path / "p.csv")
    # Once more: everything is resumed, and the weights are the same.
    run("train", *words, "--output", output)
    assert card["sha256"][:16] in capsys.readouterr().out
    # Under every protocol, and the report of that in the card.
    run("evaluate", "--retrain", "--seeds", 2, *words, "--output", tmp_path / "evaluation")
    assert "| mean of the seeds' predictions |" in capsys.readouterr().out
    report = tmp_path / "evaluation" / "report.json"
    seeds = json.loads(report.read_text())["situations"]["known people"]["methods"][PERSONAL]
    assert len(seeds["seeds"]) == 2
    run("train", *words, "--output", output, "--evaluation", report, "--json")
    assert '"known people"' in capsys.readouterr().out
    message = refused(capsys, "train", *words, "--output", output, "--evaluation", recipe)
    assert "recipe.json is not a report" in message


def test_the_second_edition_needs_recordings(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--recordings must be given with --edition 2" in refused(capsys, "train")


@pytest.mark.parametrize(("edition", "other"), [(1, 2), (2, 1)])
def test_weights_of_the_other_edition_are_refused(
    edition: int, other: int, recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = {1: fitrec_weights.SHIPPED_WEIGHTS, 2: fitrec2_weights.SHIPPED_WEIGHTS}[other]
    for action in ("evaluate", "predict"):
        words = (action, "--recordings", recordings, "--output", tmp_path / "out")
        message = refused(capsys, *words, "--edition", edition, "--weights", weights)
        assert weights.stem in message


def test_evaluate_the_shipped_weights_of_the_first_edition(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("evaluate", "--edition", 1, "--recordings", recordings, "--output", tmp_path, "--json")
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {"b, cold", "b, previous"}
    assert json.loads((tmp_path / "report.json").read_text()) == report
    assert "FitRec" in (tmp_path / "report.md").read_text()
    assert (tmp_path / "predictions.png").exists()


@pytest.mark.parametrize(("model", "edition"), [("fitrec", 1), ("fitrec", 2), ("ode", 2)])
def test_predict_writes_a_heart_rate_for_every_step(
    recordings: Path, tmp_path: Path, model: str, edition: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "predictions.csv"
    words = ("--model", model, "--edition", edition, "--output", path, "--json")
    run("predict", "--recordings", recordings, *words)
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
def test_bad_options_are_refused(
    recordings: Path,
    words: tuple[object, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert message in refused(capsys, *words, "--recordings", recordings)


STEPS = 120


def recorded(
    name: str, user: str, day: float, sport: str = "run", *, altitude: bool = True
) -> Workout:
    """Return a workout such as a watch records, with noise and readings missed."""
    rng = np.random.default_rng(len(name) + int(10 * day))
    speed = np.clip(rng.normal(2.8, 0.6, STEPS), 0.0, None)
    valid = rng.random(STEPS) < 0.97
    return Workout(
        identifier=name,
        user=user,
        sport=sport,
        gender="unknown",
        day=day,
        time_s=10.0 * np.arange(STEPS),
        heart_rate_bpm=np.where(valid, np.round(110.0 + 15.0 * speed), np.nan),
        valid=valid,
        speed_m_s=speed,
        altitude_m=np.cumsum(rng.normal(0.0, 0.3, STEPS)) * altitude,
        has_altitude=altitude,
    )


def unmeasured(workout: Workout) -> Workout:
    return replace(workout, valid=np.zeros(STEPS, dtype=bool))


def of_people(workouts: int, people: int, **changes: Any) -> list[Workout]:
    return [recorded(f"w{i}", f"u{i % people}", i, **changes) for i in range(workouts)]


FOLDERS = {
    "sports nobody knows": [recorded(f"w{i}", f"u{i % 3}", i, f"sport {i}") for i in range(6)],
    "one sport nobody knows": of_people(6, 3, sport="swim"),
    "no altitude": of_people(6, 3, altitude=False),
    "one workout of each person": of_people(4, 4),
    "some without heart rate": [
        *of_people(6, 3),
        *(unmeasured(recorded(f"bad{i}", "u0", 10.0 + i)) for i in range(12)),
    ],
    "two workouts": of_people(2, 2, sport="kitesurf"),
    "names with commas": [recorded(f'w,"{i}', f"ü {i % 2}\t", i) for i in range(4)],
}


@pytest.fixture(params=FOLDERS)
def odd_folder(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    write_recordings(tmp_path / "in", FOLDERS[request.param])
    return request.param, tmp_path / "in"


def valid_json(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize(
    "action", ["evaluate", "evaluate --edition 1", "evaluate-attention", "predict"]
)
def test_any_folder_of_recordings_works(
    odd_folder: tuple[str, Path], action: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kind, folder = odd_folder
    options = ("--recordings", folder, "--output", tmp_path / "out", "--quiet", "--json")
    run(*action.split(), *options)
    printed = capsys.readouterr()
    figures = valid_json(printed.out)
    usable = [workout for workout in FOLDERS[kind] if workout.valid.any()]
    if action == "evaluate":
        situation = figures["situations"]["previous workout"]
        assert situation["workouts"] == figures["recordings"]["workouts"] == len(usable)
        assert situation["steps"] == sum(int(w.valid.sum()) for w in usable)
        scores = situation["methods"][PERSONAL]
        assert set(scores["by_person"]) == {workout.user for workout in usable}
        assert set(scores["by_sport"]) <= {"run", "other"}
        assert figures["recordings"]["without_heart_rate"] == [
            workout.identifier for workout in FOLDERS[kind] if not workout.valid.any()
        ]
    elif action == "evaluate --edition 1":
        assert figures["b, previous"]["workouts"] == len(usable)
        assert figures["b, previous"]["steps"] == sum(int(w.valid.sum()) for w in usable)
    elif action == "evaluate-attention":
        assert figures["all recordings"]["workouts"] == len(usable)
    else:
        assert figures["measured_steps"] == sum(int(w.valid.sum()) for w in usable)
        with (tmp_path / "out").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert {row["workout"] for row in rows} == {w.identifier for w in FOLDERS[kind]}
    if kind == "some without heart rate" and action != "predict":
        assert (
            "left out 12 of 18 workouts without measured heart rate: bad0, bad1, bad2, bad3, bad4, "
            "bad5, bad6, bad7, bad8, bad9 and 2 more\n" in printed.err
        )
    if kind == "one sport nobody knows":
        assert "sports the predictors do not know: swim (6)\n" in printed.err


def test_one_person_is_scored_without_baselines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_recordings(tmp_path / "in", of_people(12, 1))
    options = ("--recordings", tmp_path / "in", "--output", tmp_path / "out")
    run("evaluate", *options, "--json")
    situations = valid_json(capsys.readouterr().out)["situations"]
    assert situations["10 calibration workouts"]["workouts"] == 2
    assert all(PERSONAL in situation["methods"] for situation in situations.values())
    assert not any(name.startswith("lagged") for name in situations["stranger"]["methods"])
    run("evaluate", *options)
    printed = capsys.readouterr().out
    assert "| stranger | 12 (1) |  |" in printed
    assert "on recordings that they were trained on, errors are in sample" in printed


def test_simulated_figures_beside_any_folder_are_json(
    odd_folder: tuple[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run("simulate", "--people", 3, "--recordings", odd_folder[1], "--json")
    assert set(valid_json(capsys.readouterr().out)) == {"simulated", "recorded"}


NO_WINDOW = recorded("w0", "u0", 0.0)
NO_WINDOW = replace(NO_WINDOW, valid=NO_WINDOW.valid & (np.arange(STEPS) % 9 > 0))


@pytest.mark.parametrize(
    ("words", "workouts", "message"),
    [
        (("evaluate", "--edition", "1"), of_people(1, 1), "must be of at least 2 people, got 1"),
        (("evaluate",), [unmeasured(recorded("w0", "u0", 0.0))], "none of the 1 workouts in"),
        (("train", "--edition", "1"), of_people(1, 1), "must be of at least 2 people, got 1"),
        (("train",), of_people(4, 4), "must be of at least 5 people, got 4"),
        (("evaluate", "--retrain"), of_people(20, 4), "must be of at least 5 people, got 4"),
        (
            ("evaluate", "--retrain"),
            of_people(20, 5),
            "must hold five workouts of some person to test later ones on, got at most 4 of one",
        ),
        (("evaluate-attention",), [NO_WINDOW], "none of the 1 workouts has 10 measured steps"),
        (("train-attention",), of_people(4, 4), "must be of at least 5 people, got 4"),
    ],
)
def test_too_few_recordings_are_told_before_anything_is_trained(
    words: tuple[str, ...],
    workouts: list[Workout],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_recordings(tmp_path / "in", workouts)
    output = tmp_path / "out"
    assert message in refused(
        capsys, *words, "--recordings", tmp_path / "in", "--output", output, "--quiet"
    )
    assert not output.exists()


@pytest.mark.parametrize("action", ["evaluate", "evaluate-attention", "predict", "train"])
def test_folders_that_are_none_are_named(
    action: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    for name in ("nowhere", "empty", "file"):
        words = (action, "--recordings", tmp_path / name, "--output", tmp_path / "out", "--quiet")
        assert str(tmp_path / name) in refused(capsys, *words)
    (tmp_path / "empty" / "workouts.csv").write_text("workout,user\n")
    (tmp_path / "empty" / "samples.csv").write_text("workout,t\n")
    words = (action, "--recordings", tmp_path / "empty", "--output", tmp_path / "out", "--quiet")
    assert "samples.csv row 1: missing column(s) heart_rate, valid" in refused(capsys, *words)
