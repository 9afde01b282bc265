"""Speed as target: the network, its training, its baselines and the shipped weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fitgym.logs.workout import Workout
from fitgym.predictor.datasets import encode_workouts
from fitgym.predictor.fitrec2.data import collate, encode_bodies
from fitgym.predictor.fitrec2.network import Fitrec2Config
from fitgym.predictor.fitrec2.people import VirtualPeopleConfig, simulate_people
from fitgym.predictor.speed.baselines import (
    LINEAR,
    LINEAR_PERSON,
    MEAN_OF_PERSON,
    MEAN_OF_SPORT,
    SpeedBaselines,
    design,
    recorded_speed,
    regress,
)
from fitgym.predictor.speed.evaluation import (
    NETWORK,
    PERSONAL,
    SITUATIONS,
    TestedWorkout,
    evaluate_speed,
    speed_report,
)
from fitgym.predictor.speed.network import SpeedNetwork, speed_target
from fitgym.predictor.speed.production import produce_speed
from fitgym.predictor.speed.training import SpeedTraining, predict_speed, pretrain, speed_loss
from fitgym.predictor.speed.weights import load_speed

SMALL = SpeedTraining(
    people=VirtualPeopleConfig(people=4, workouts=2, longest_steps=60),
    pretraining_epochs=2,
    epochs=2,
    patience=2,
    batch_size=4,
)


@pytest.fixture(scope="module")
def encoded():
    config = VirtualPeopleConfig(people=8, workouts=5, longest_steps=60, seed=5)
    return encode_bodies(*simulate_people(config))


@pytest.fixture
def network():
    torch.manual_seed(0)
    model = SpeedNetwork(Fitrec2Config(hidden=8))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def batch_of(encoded, count=6):
    return collate(encoded[:count], np.stack([each.attributes for each in encoded[:count]]))


def test_the_speed_to_predict_is_never_read(encoded, network):
    batch = batch_of(encoded)
    channels = batch.channels.clone()
    channels[:, :, 0] = 7.0
    other = replace(batch, channels=channels, uptake=batch.uptake + 20.0)
    assert torch.equal(network(batch), network(other))


def test_a_prefix_is_predicted_as_in_the_whole(encoded, network):
    batch = batch_of(encoded)
    short = replace(
        batch,
        channels=batch.channels[:, :20],
        uptake=batch.uptake[:, :20],
        target=batch.target[:, :20],
        weight=batch.weight[:, :20],
    )
    assert torch.allclose(network(batch)[:, :20], network(short), atol=1e-6)


def test_heart_rate_matters_and_speed_is_never_negative(encoded, network):
    batch = batch_of(encoded)
    faster = network(replace(batch, target=batch.target + 1.0))
    assert not torch.allclose(faster, network(batch))
    assert float(faster.detach().min()) * 1.5 + 3.0 >= 0.0


def test_the_loss_is_hubers_in_units_of_the_sports_spread(encoded):
    batch = batch_of(encoded, 1)
    (sport,) = {each.workout.sport for each in encoded[:1]}
    spread = {"run": 0.6, "bike": 2.0, "walk": 0.5, "other": 1.0}[sport]
    error = 0.5 * spread / 1.5
    loss, weight = speed_loss(speed_target(batch) + error, batch)
    assert float(loss / weight) == pytest.approx(0.5 * 0.5**2, rel=1e-4)
    loss, weight = speed_loss(speed_target(batch) + 6.0 * error, batch)
    assert float(loss / weight) == pytest.approx(3.0 - 0.5, rel=1e-4)


def test_training_repeats_and_resumes_to_the_bit(tmp_path):
    first, records = pretrain(SMALL)
    second, _ = pretrain(SMALL, tmp_path)
    third, _ = pretrain(SMALL, tmp_path)
    assert len(records) == 2
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name])
        assert torch.equal(tensor, third.state_dict()[name])
    other, _ = pretrain(replace(SMALL, seed=1))
    assert not torch.equal(first.output.weight, other.output.weight)


def linear_workout(identifier, coefficients, user="u", seed=0):
    rng = np.random.default_rng(seed)
    beats = 140.0 + 10.0 * np.sin(np.arange(100) / 7.0) + rng.normal(0.0, 1.0, 100)
    workout = Workout(
        identifier=identifier,
        user=user,
        sport="run",
        gender="unknown",
        day=float(seed),
        time_s=10.0 * np.arange(100),
        heart_rate_bpm=beats,
        valid=np.ones(100, dtype=bool),
        speed_m_s=np.full(100, 3.0),
        altitude_m=np.zeros(100),
        has_altitude=False,
    )
    (example,) = encode_workouts([workout])
    speed = design(example) @ np.array(coefficients)
    (example,) = encode_workouts([replace(workout, speed_m_s=speed)])
    return example


def test_the_regressors_are_those_of_the_definition():
    example = linear_workout("w", [3.0, 0.0, 0.0, 0.0, 0.0])
    beats = (example.workout.heart_rate_bpm - 140.0) / 25.0
    before = np.concatenate([np.full(6, beats[0]), beats[:-6]])
    minutes = np.arange(100) / 6.0
    expected = [np.ones(100), beats, beats - before, np.zeros(100), np.log1p(minutes) - 2.5]
    assert design(example) == pytest.approx(np.stack(expected, axis=1), abs=1e-5)


def test_the_linear_baseline_finds_a_linear_law():
    law = [3.0, 0.8, 0.4, 0.0, 0.1]
    examples = [linear_workout(f"w{n}", law, seed=n) for n in range(3)]
    baselines = SpeedBaselines(examples[:2])
    predicted = baselines.predict(LINEAR, examples[2], [])
    assert predicted == pytest.approx(recorded_speed(examples[2]), abs=1e-4)
    mean = np.concatenate([recorded_speed(e) for e in examples[:2]]).mean()
    assert baselines.predict(MEAN_OF_SPORT, examples[2], []) == pytest.approx(mean)
    own = linear_workout("own", [2.0, 0.8, 0.4, 0.0, 0.1], "o", 9)
    assert baselines.predict(MEAN_OF_PERSON, own, [own]) == pytest.approx(
        recorded_speed(own).mean()
    )
    nearer = np.abs(baselines.predict(LINEAR_PERSON, own, [own]) - recorded_speed(own)).mean()
    assert nearer < np.abs(baselines.predict(LINEAR, own, []) - recorded_speed(own)).mean()
    with pytest.raises(ValueError, match="name must be one of"):
        baselines.predict("nothing", own, [])


def test_regression_is_drawn_to_its_centre_by_the_penalty():
    example = linear_workout("w", [3.0, 0.8, 0.4, 0.0, 0.1])
    centre = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    speeds = [recorded_speed(example)]
    assert regress([example], speeds, centre, 1e12) == pytest.approx(centre, abs=1e-6)
    rows = design(example)
    by_hand = centre + np.linalg.solve(
        rows.T @ rows + 60.0 * np.eye(5), rows.T @ (speeds[0] - rows @ centre)
    )
    assert regress([example], speeds, centre) == pytest.approx(by_hand)


def test_errors_are_counted_over_measured_steps_only():
    example = linear_workout("w", [3.0, 0.0, 0.0, 0.0, 0.0])
    valid = np.zeros(100, dtype=bool)
    valid[:10] = True
    example = replace(example, valid=valid)
    wrong = recorded_speed(example) + np.where(valid, 0.5, 99.0)
    names = (NETWORK, PERSONAL, MEAN_OF_SPORT, MEAN_OF_PERSON, LINEAR, LINEAR_PERSON)
    report = speed_report([TestedWorkout(example, dict.fromkeys(names, wrong))])
    assert report["methods"][NETWORK]["mae_m_s"] == pytest.approx(0.5)
    assert report["methods"][NETWORK]["rmse_m_s"] == pytest.approx(0.5)
    assert report["methods"][LINEAR]["gain"] == pytest.approx([0.0, 0.0, 0.0])


def test_evaluation_and_production_share_their_checkpoints(encoded, tmp_path):
    report = evaluate_speed(encoded, SMALL, tmp_path)
    assert set(report) == set(SITUATIONS)
    assert report["stranger"]["workouts"] == len(encoded)
    stranger = report["stranger"]["methods"]
    # Of a stranger nothing is known, so nothing is corrected.
    assert stranger[NETWORK] == stranger[PERSONAL]
    assert stranger[LINEAR]["mae_m_s"] == stranger[LINEAR_PERSON]["mae_m_s"]
    card = produce_speed(encoded, SMALL, tmp_path)
    again = produce_speed(encoded, SMALL, tmp_path / "again")
    assert card["sha256"] == again["sha256"]
    model, _ = load_speed(tmp_path / "speed.safetensors")
    held = card["data"]["held_out"]
    assert held["people"] >= 1
    assert len(predict_speed(model, encoded[:2])[0]) == len(encoded[0])


def test_the_shipped_weights_are_small_and_rise_with_heart_rate_and_fitness(encoded):
    model, card = load_speed()
    assert card["weights"] == sum(parameter.numel() for parameter in model.parameters()) < 40_000
    assert (
        card["held_out"]["methods"][NETWORK]["mae_m_s"]
        < (card["held_out"]["methods"][MEAN_OF_SPORT]["mae_m_s"])
    )
    steps = 90
    speeds = {}
    for name, beats, vdot in (("easy", 125.0, 45.0), ("hard", 165.0, 45.0), ("fit", 165.0, 60.0)):
        workout = Workout(
            identifier=name,
            user=name,
            sport="run",
            gender="unknown",
            day=0.0,
            time_s=10.0 * np.arange(steps),
            heart_rate_bpm=np.full(steps, beats),
            valid=np.ones(steps, dtype=bool),
            speed_m_s=np.full(steps, 3.0),
            altitude_m=np.zeros(steps),
            has_altitude=True,
        )
        (example,) = encode_bodies([workout])
        row = np.array([55.0, 190.0, vdot, 35.0, np.nan, np.nan])
        (predicted,) = predict_speed(model, [replace(example, attributes=row)])
        speeds[name] = predicted[60:].mean()
    assert speeds["easy"] < speeds["hard"] < speeds["fit"]
