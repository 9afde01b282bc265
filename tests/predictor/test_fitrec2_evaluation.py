"""Evaluation of the second edition: any folder, fair situations, and the command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fitgym.cli.main import main
from fitgym.logs.recordings import write_recordings
from fitgym.logs.workout import Workout
from fitgym.predictor.channels import denormalise_heart_rate
from fitgym.predictor.correction import VarianceComponents
from fitgym.predictor.datasets import encode_workouts
from fitgym.predictor.fitrec2.evaluation import (
    CORRECTION_ONLY,
    GROWING_SHARE,
    NETWORK,
    PERSONAL,
    STRONGEST,
    coverage,
    evaluate_weights,
    load_errors,
    situations,
)
from fitgym.predictor.fitrec2.inference import BodyPredictor
from fitgym.predictor.fitrec2.network import Fitrec2Config, Fitrec2Network
from fitgym.predictor.fitrec2.people import VirtualPeopleConfig, simulate_people
from fitgym.predictor.fitrec2.personal import Forecast, Question, StrangerForecasts, forecast
from fitgym.predictor.fitrec2.recorded import forecast_recordings
from fitgym.predictor.fitrec2.weights import save_weights

COMPONENTS = VarianceComponents(
    np.diag([64.0, 9.0, 4.0, 4.0]),
    np.diag([25.0, 9.0, 4.0, 4.0]),
    np.diag([49.0, 4.0, 4.0, 4.0]),
    49.0,
)


@pytest.fixture(scope="module")
def workouts() -> list[Workout]:
    config = VirtualPeopleConfig(people=3, workouts=12, longest_steps=40, seed=8)
    return simulate_people(config)[0]


@pytest.fixture(scope="module")
def network() -> Fitrec2Network:
    torch.manual_seed(0)
    return Fitrec2Network(Fitrec2Config(hidden=4)).eval()


def test_situations_ask_only_what_is_fair(workouts: list[Workout]) -> None:
    examples = encode_workouts(workouts)
    asked = situations(examples)
    assert len(asked["stranger"]) == len(asked["previous workout"]) == 36
    assert len(asked["1 calibration workout"]) == len(asked["3 calibration workouts"]) == 27
    assert len(asked["10 calibration workouts"]) == 6
    for questions in asked.values():
        for question in questions:
            workout = question.example.workout
            for known in question.known:
                assert known.workout.user == workout.user
                assert known.workout.day < workout.day
            names = [known.workout.identifier for known in question.known]
            assert len(set(names)) == len(names)
    assert [len(q.known) for q in asked["3 calibration workouts"][:3]] == [3, 4, 4]


def test_forecasts_never_see_the_heart_rate_they_forecast(
    workouts: list[Workout], network: Fitrec2Network
) -> None:
    def forecasts(recorded: list[Workout]) -> list[np.ndarray]:
        examples = encode_workouts(recorded)
        questions = list(situations(examples)["all earlier workouts"])
        answers = forecast(COMPONENTS, questions, StrangerForecasts(network, examples))
        return [
            answer.heart_rate_bpm
            for question, answer in zip(questions, answers, strict=True)
            if question.example.workout.user == "v00000"
        ]

    changed = [
        replace(w, heart_rate_bpm=np.full(len(w), 99.0)) if w.identifier == "v00000-5" else w
        for w in workouts
    ]
    before, after = forecasts(workouts), forecasts(changed)
    for mine, theirs in zip(before[:6], after[:6], strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-3)
    assert np.abs(before[6] - after[6]).max() > 0.1


def test_after_many_workouts_a_constant_error_is_mostly_removed(network: Fitrec2Network) -> None:
    config = VirtualPeopleConfig(people=1, workouts=12, longest_steps=90, seed=9)
    recorded = simulate_people(config)[0]
    examples = encode_workouts(recorded)
    plain = StrangerForecasts(network, examples)
    shifted = encode_workouts(
        [
            replace(w, heart_rate_bpm=np.clip(plain.prediction(e)[: len(w)] + 20.0, 30.0, 240.0))
            for w, e in zip(recorded, examples, strict=True)
        ]
    )
    strangers = StrangerForecasts(network, shifted)
    (answer,) = forecast(COMPONENTS, [Question(shifted[-1], tuple(shifted[:-1]))], strangers)
    correction = answer.corrected_bpm - plain.prediction(examples[-1])
    assert 13.0 < correction.mean() < 21.0


def test_recordings_are_forecast_as_in_the_evaluation(
    workouts: list[Workout], network: Fitrec2Network
) -> None:
    # The last one is left without heart rate, which the evaluation does not take.
    recorded = [*workouts[1:14], replace(workouts[14], valid=np.zeros(len(workouts[14]), bool))]
    answers = forecast_recordings(BodyPredictor(network, COMPONENTS), recorded)
    assert len(answers[13]) == len(workouts[14])
    examples = encode_workouts(recorded[:13])
    questions = situations(examples)["all earlier workouts"]
    expected = forecast(COMPONENTS, questions, StrangerForecasts(network, examples))
    by_name = {workout.identifier: a for workout, a in zip(recorded, answers, strict=True)}
    for question, answer in zip(questions, expected, strict=True):
        ours = by_name[question.example.workout.identifier]
        np.testing.assert_allclose(ours, answer.heart_rate_bpm, atol=1e-3)


def test_load_error_is_the_logarithm_of_the_ratio(workouts: list[Workout]) -> None:
    examples = encode_workouts(workouts[:2])
    measured = [denormalise_heart_rate(example.target) for example in examples]
    np.testing.assert_allclose(load_errors(examples, measured), 0.0)
    # Half the reserve for the whole time against the measured load, by Banister's formula.
    half = [np.full(len(m), 122.5) for m in measured]
    strain = np.clip((measured[0][examples[0].valid] - 60.0) / 125.0, 0.0, 1.0)
    ratio = 0.5 * np.exp(1.92 * 0.5) / np.mean(strain * np.exp(1.92 * strain))
    assert load_errors(examples, half)[0] == pytest.approx(abs(np.log(ratio)))


def test_coverage_counts_means_inside_the_interval(workouts: list[Workout]) -> None:
    examples = encode_workouts(workouts[:2])
    beats = [denormalise_heart_rate(example.target) for example in examples]
    near = Forecast(beats[0] + 1.0, beats[0] + 1.4, 1.0, 1.3)
    far = Forecast(beats[1] - 1.2, beats[1] - 1.6, 1.0, 1.3)
    assert coverage(examples, [near, far]) == 0.5


def test_any_folder_is_evaluated(
    workouts: list[Workout], network: Fitrec2Network, tmp_path: Path
) -> None:
    odd = [
        replace(w, sport="kitesurfing", has_altitude=False, altitude_m=np.zeros(len(w)))
        if number % 5 == 0
        else w
        for number, w in enumerate(workouts[:14])
    ]
    odd.append(replace(workouts[14], valid=np.zeros(len(workouts[14]), dtype=bool)))
    report = evaluate_weights(network, COMPONENTS, odd)
    assert report["recordings"] == {
        "workouts": 14,
        "people": 2,
        "without_heart_rate": [workouts[14].identifier],
        "sports_read_as_other": ["kitesurfing"],
    }
    previous = report["situations"]["previous workout"]
    assert list(previous["methods"])[:3] == [STRONGEST, PERSONAL, NETWORK]
    assert "other" in previous["methods"][PERSONAL]["by_sport"]
    assert set(previous["methods"][PERSONAL]["by_person"]) == {"v00000", "v00001"}
    json.dumps(report, allow_nan=False)

    alone = evaluate_weights(network, COMPONENTS, workouts[:1])
    assert set(alone["situations"]) == {"stranger", "previous workout", "all earlier workouts"}
    assert list(alone["situations"]["stranger"]["methods"]) == [
        PERSONAL,
        NETWORK,
        CORRECTION_ONLY,
        GROWING_SHARE,
    ]
    with pytest.raises(ValueError, match="none of the 1 workouts"):
        evaluate_weights(network, COMPONENTS, odd[-1:])


def test_the_command_scores_weights_as_they_are(
    network: Fitrec2Network,
    workouts: list[Workout],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, output = tmp_path / "recordings", tmp_path / "output"
    write_recordings(folder, workouts[:8])
    weights = tmp_path / "weights.safetensors"
    save_weights(weights, network, COMPONENTS, {})
    arguments = ["predictor", "evaluate", "--recordings", str(folder), "--output", str(output)]
    arguments += ["--edition", "2", "--weights", str(weights)]
    assert main([*arguments, "--json", "--quiet"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((output / "report.json").read_text())
    for situation in report["situations"].values():
        scores = situation["methods"][PERSONAL]
        assert 0.0 <= scores["interval_coverage"] <= 1.0
        assert scores["pooled_mae"] < 60.0
    assert main([*arguments, "--quiet"]) == 0
    assert "80 % intervals hold" in capsys.readouterr().out
