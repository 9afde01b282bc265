from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fitgym.logs.workout import Workout
from fitgym.predictor.channels import denormalise_heart_rate
from fitgym.predictor.datasets import Vocabulary, collate, encode_workouts
from fitgym.predictor.evaluation import predict_examples
from fitgym.predictor.fitrec import inference
from fitgym.predictor.fitrec.inference import FitRecPredictor, load_predictor
from fitgym.predictor.fitrec.network import FitRecNetwork
from fitgym.predictor.fitrec.weights import SHIPPED_WEIGHTS, load_model, save_model, weights_hash
from fitgym.predictor.ode import OdePredictor
from fitgym.predictor.sessions import Predictor, PreviousWorkout, Session


def flat(*blocks: tuple[float, float], **changes: object) -> Session:
    """Return a flat session of (minutes, m/s) blocks."""
    speed = np.concatenate([np.full(round(6 * minutes), v) for minutes, v in blocks])
    return Session(speed, np.zeros(len(speed)), **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def shipped() -> FitRecPredictor:
    return load_predictor()


@pytest.fixture
def predictor(model: FitRecNetwork) -> FitRecPredictor:
    return FitRecPredictor(model, Vocabulary())


def test_equals_the_network_on_workouts(
    workouts: list[Workout], predictor: FitRecPredictor
) -> None:
    examples = encode_workouts(workouts)
    histories = [
        None if e.previous is None else PreviousWorkout.of(e.previous.workout, e.days_since)
        for e in examples
    ]
    sessions = [Session.of(workout) for workout in workouts]
    pairs = [(index, index) for index in range(len(workouts))]
    predicted = predictor.predict(sessions, histories, pairs)
    expected = predict_examples(predictor.model, Vocabulary(), examples)
    for one, other in zip(predicted, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_one_batched_pass_equals_single_calls(
    predictor: FitRecPredictor, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setattr(inference, "CHUNK", 3)
    monkeypatch.setattr(inference, "BLOCK", 4)
    sessions = [Session(rng.uniform(0, 5, n), rng.normal(0, 9, n)) for n in (7, 30, 12)]
    histories: list[PreviousWorkout | None] = [None]
    histories += [
        PreviousWorkout(session, rng.uniform(80, 170, len(session)), days)
        for session in sessions
        for days in (1.0, 5.0)
    ]
    together = predictor.predict(sessions, histories)
    assert len(together) == 3 * 7
    for index, batched in enumerate(together):
        session, history = sessions[index // 7], histories[index % 7]
        (single,) = predictor.predict([session], [history])
        assert batched.shape == (len(session),)
        np.testing.assert_allclose(batched, single, rtol=1e-5)
    chosen = predictor.predict(sessions, histories, [(2, 5), (0, 0)])
    np.testing.assert_allclose(chosen[0], together[2 * 7 + 5], rtol=1e-5)
    np.testing.assert_allclose(chosen[1], together[0], rtol=1e-5)


def test_histories_are_encoded_once(
    predictor: FitRecPredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = []
    encode = predictor.model.encode_history

    def counted(channels: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        rows.append(len(channels))
        return encode(channels, target)

    monkeypatch.setattr(predictor.model, "encode_history", counted)
    session = flat((3, 2.5))
    histories = [PreviousWorkout(session, np.full(18, 120.0), day) for day in (1, 2, 3)]
    predictor.predict([session, flat((5, 2.5)), flat((4, 3.0))], histories)
    assert rows == [3]


@pytest.mark.parametrize("name", ["network", "ode"])
def test_predictors_keep_the_interface(predictor: FitRecPredictor, name: str) -> None:
    chosen: Predictor = predictor if name == "network" else OdePredictor()
    session = flat((10, 2.5), (5, 3.4))
    history = PreviousWorkout(session, np.full(90, 150.0), 2.0)
    first = chosen.predict([session], [None, history])
    second = chosen.predict([session], [None, history])
    for one, other in zip(first, second, strict=True):
        assert one.shape == (90,)
        np.testing.assert_array_equal(one, other)
    prefix = Session(session.speed_m_s[:40], session.altitude_m[:40])
    (cut,) = chosen.predict([prefix], [history])
    np.testing.assert_allclose(cut, first[1][:40], rtol=1e-5)
    assert chosen.predict([], [None]) == []
    with pytest.raises(ValueError, match="session index of a pair must be"):
        chosen.predict([session], [None], [(1, 0)])
    with pytest.raises(ValueError, match="history index of a pair must be"):
        chosen.predict([session], [None], [(0, -1)])


def test_ode_answers_effort_fatigue_and_rest() -> None:
    ode = OdePredictor(55.0, 185.0)
    slow, fast, hard = flat((60, 2.6)), flat((60, 3.4)), flat((90, 3.4))
    history = PreviousWorkout(hard, np.full(540, 160.0), 1.0)
    rested = replace(history, days_since=10.0)
    a, b = ode.predict([slow, fast], [None])
    after, later = ode.predict([slow], [history, rested])
    assert b[-1] > a[-1] + 10.0
    assert after[-1] > later[-1] > a[-1] - 1e-9
    assert a[0] < 100.0 < a[-1]
    (climbing,) = ode.predict([Session(np.full(360, 2.6), 1.5 * np.arange(360))], [None])
    assert climbing[-1] > a[-1]


# The shipped weights.


def test_shipped_weights_stay_in_range_start_low_and_settle(shipped: FitRecPredictor) -> None:
    (heart_rate,) = shipped.predict([flat((60, 2.8))], [None])
    assert 40.0 <= heart_rate.min() <= heart_rate.max() <= 220.0
    assert 60.0 < heart_rate[0] < 115.0
    assert heart_rate[0] + 25.0 < heart_rate[60]
    assert np.abs(np.diff(heart_rate[120:])).max() < 1.5


def test_shipped_weights_rise_with_speed(shipped: FitRecPredictor) -> None:
    sessions = [flat((40, speed)) for speed in (2.2, 2.6, 3.0, 3.4, 3.8)]
    level = [heart_rate[60:].mean() for heart_rate in shipped.predict(sessions, [None])]
    assert (np.diff(level) > 0.5).all()


def test_shipped_weights_rise_with_speed_over_people(
    shipped: FitRecPredictor, workouts: list[Workout]
) -> None:
    """Every person's session is run again 10 % and 20 % faster, after the same history."""
    histories = [PreviousWorkout.of(workout, 2.0) for workout in workouts]
    pairs = [(index, index) for index in range(len(workouts))]
    level = []
    for factor in (1.0, 1.1, 1.2):
        sessions = [Session(w.speed_m_s * factor, w.altitude_m) for w in workouts]
        predicted = shipped.predict(sessions, histories, pairs)
        level.append(np.mean([heart_rate.mean() for heart_rate in predicted]))
    assert (np.diff(level) > 0.3).all()


def test_shipped_weights_rise_with_climb(shipped: FitRecPredictor) -> None:
    steps = np.arange(240)
    sessions = [
        Session(np.full(240, 2.8), 10.0 * climb * steps) for climb in (-0.05, 0.0, 0.05, 0.1)
    ]
    level = [heart_rate[60:].mean() for heart_rate in shipped.predict(sessions, [None])]
    assert (np.diff(level) > 0.0).all()


def test_shipped_weights_tell_the_zones_of_a_session_apart(shipped: FitRecPredictor) -> None:
    """A runner at VDOT 41: easy 2.6, marathon 3.1, threshold 3.4 m/s."""
    session = flat((7.5, 2.6), (30, 3.1), (15, 3.4), (7.5, 2.6))
    (alone,) = shipped.predict([session], [None])
    history = PreviousWorkout(session, alone, 2.0)
    for heart_rate in shipped.predict([session], [None, history]):
        easy, marathon = heart_rate[30:45].mean(), heart_rate[120:225].mean()
        threshold, cool_down = heart_rate[270:315].mean(), heart_rate[-6:].mean()
        assert easy + 4.0 < marathon < threshold - 2.0
        assert cool_down < threshold - 3.0


def test_shipped_weights_remember_a_hard_day(shipped: FitRecPredictor) -> None:
    """After a long fast session the heart beats faster, the more so the nearer it is."""
    session, hard, short = flat((60, 2.8)), flat((15, 2.6), (80, 3.3)), flat((9, 2.6))
    done = shipped.predict([hard, short], [None])
    histories = [
        PreviousWorkout(before, heart_rate, days)
        for before, heart_rate in zip((hard, short), done, strict=True)
        for days in (1.0, 3.0, 10.0)
    ]
    level = [heart_rate.mean() for heart_rate in shipped.predict([session], histories)]
    assert level[0] > level[1] > level[2]
    assert level[0] > level[3]


def test_shipped_weights_are_causal(shipped: FitRecPredictor) -> None:
    session = flat((20, 2.6), (20, 3.3))
    history = PreviousWorkout(session, np.linspace(90, 160, 240), 1.0)
    (whole,) = shipped.predict([session], [history])
    prefix = Session(session.speed_m_s[:130], session.altitude_m[:130])
    (cut,) = shipped.predict([prefix], [history])
    np.testing.assert_allclose(whole[:130], cut, rtol=1e-5)


def test_shipped_weights_know_nobody(shipped: FitRecPredictor) -> None:
    assert shipped.vocabulary.users == ("unknown",)
    _, _, card = load_model(SHIPPED_WEIGHTS)
    assert card["sha256"] == weights_hash()
    named = shipped.predict([flat((10, 2.5), user="anna")], [None])[0]
    nameless = shipped.predict([flat((10, 2.5))], [None])[0]
    np.testing.assert_array_equal(named, nameless)


# Files of weights.


@pytest.fixture
def saved(tmp_path: Path, model: FitRecNetwork) -> Path:
    path = tmp_path / "weights.safetensors"
    save_model(path, model, Vocabulary(), {"name": "a test"})
    return path


def test_weights_survive_the_round_trip(saved: Path, model: FitRecNetwork) -> None:
    loaded, vocabulary, card = load_model(saved)
    assert card["name"] == "a test"
    assert vocabulary.users == ("unknown",)
    assert loaded.config == model.config
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name])


@pytest.mark.parametrize("damage", ["flipped", "truncated", "empty"])
def test_damaged_weights_are_refused(saved: Path, damage: str) -> None:
    content = bytearray(saved.read_bytes())
    if damage == "flipped":
        content[-100] ^= 1
    else:
        content = content[: -5 if damage == "truncated" else 0]
    saved.write_bytes(bytes(content))
    with pytest.raises(ValueError, match="corrupted or does not belong"):
        load_predictor(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card.pop("sha256"), "lacks sha256"),
        (lambda card: card["network"].update(hidden=32), "does not fit the network"),
        (lambda card: card["network"].update(hidden=0), "hidden must be"),
        (lambda card: card["network"].update(width=3), "does not fit the network"),
        (lambda card: card["users"].append("anna"), "lists 2 users"),
    ],
)
def test_wrong_cards_are_refused(saved: Path, change: object, message: str) -> None:
    path = saved.with_suffix(".json")
    card = json.loads(path.read_text())
    change(card)  # type: ignore[operator]
    path.write_text(json.dumps(card))
    with pytest.raises(ValueError, match=message):
        load_predictor(saved)


def test_unreadable_or_missing_files_are_named(saved: Path) -> None:
    saved.with_suffix(".json").write_text("{")
    with pytest.raises(ValueError, match=r"weights\.json is not valid JSON"):
        load_predictor(saved)
    saved.with_suffix(".json").unlink()
    with pytest.raises(FileNotFoundError, match=r"weights\.json"):
        load_predictor(saved)
    with pytest.raises(ValueError, match=r"must be a \.safetensors file"):
        load_predictor(saved.with_suffix(".pt"))


@pytest.mark.parametrize(
    ("speed", "altitude", "message"),
    [
        ([2.0, np.nan], [0.0, 0.0], "speed_m_s of a session must be"),
        ([2.0, -1.0], [0.0, 0.0], "got -1 at sample 1"),
        ([2.0], [0.0, 0.0], "must have the length of speed_m_s"),
        ([], [], "non-empty"),
    ],
)
def test_bad_sessions_are_refused(speed: list[float], altitude: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Session(np.array(speed), np.array(altitude))


@pytest.mark.parametrize(
    ("heart_rate", "days", "message"),
    [
        ([100.0, 300.0], 1.0, "heart_rate_bpm of a previous workout"),
        ([100.0], 1.0, "length of its session"),
        ([100.0, 110.0], -1.0, "days_since of a previous workout"),
        ([100.0, 110.0], np.nan, "days_since of a previous workout"),
    ],
)
def test_bad_histories_are_refused(heart_rate: list[float], days: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PreviousWorkout(Session(np.ones(2), np.zeros(2)), np.array(heart_rate), days)


def test_missing_heart_rate_leaves_no_history(workouts: list[Workout]) -> None:
    blind = replace(workouts[0], valid=np.zeros(len(workouts[0]), dtype=bool))
    with pytest.raises(ValueError, match="no measured heart rate"):
        PreviousWorkout.of(blind, 1.0)


def test_collate_and_predictor_agree_on_units(
    workouts: list[Workout], predictor: FitRecPredictor
) -> None:
    (example,) = encode_workouts(workouts[:1])
    with torch.no_grad():
        output = predictor.model(collate([example], Vocabulary()))[0].numpy()
    (predicted,) = predictor.predict([Session.of(workouts[0])], [None])
    np.testing.assert_allclose(predicted, denormalise_heart_rate(output), rtol=1e-5)
