"""The second edition: what it starts from, batching, histories, training and files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fitgym.model.daniels import speed_at_oxygen_cost
from fitgym.predictor.attributes import Attributes, reference_values
from fitgym.predictor.correction import VarianceComponents
from fitgym.predictor.exertion import expected_share, lagged_uptake
from fitgym.predictor.fitrec2.data import collate, encode_bodies, stranger
from fitgym.predictor.fitrec2.inference import BodyPredictor
from fitgym.predictor.fitrec2.network import Fitrec2Config, Fitrec2Network
from fitgym.predictor.fitrec2.network import expected_share as torch_share
from fitgym.predictor.fitrec2.people import Body, VirtualPeopleConfig, heart_rate, simulate_people
from fitgym.predictor.fitrec2.recipe import Fitrec2Recipe, read_recipe
from fitgym.predictor.fitrec2.training import Fitrec2Training, hide, rmse, train
from fitgym.predictor.fitrec2.weights import load_weights, save_weights
from fitgym.predictor.sessions import PreviousWorkout, Session

CONFIG = VirtualPeopleConfig(people=6, workouts=3, longest_steps=60, seed=2)
COMPONENTS = VarianceComponents(np.eye(4), np.eye(4), np.eye(4), 9.0)


@pytest.fixture(scope="module")
def network() -> Fitrec2Network:
    """Return an untrained network whose every weight matters."""
    torch.manual_seed(0)
    model = Fitrec2Network(Fitrec2Config(hidden=8))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def session(rng: np.random.Generator, steps: int, sport: str = "run") -> Session:
    altitude = np.cumsum(rng.normal(0.0, 1.0, steps))
    return Session(rng.uniform(1.0, 4.0, steps), altitude, sport=sport)


def test_an_untrained_network_predicts_the_expected_heart_rate() -> None:
    rng = np.random.default_rng(0)
    run = session(rng, 50)
    body = Attributes(resting_bpm=50.0, maximum_bpm=190.0, vdot=52.0)
    predictor = BodyPredictor(Fitrec2Network(Fitrec2Config()), COMPONENTS)
    (predicted,) = predictor.predict([run], [None], [body])
    share = expected_share(lagged_uptake("run", run.speed_m_s, run.altitude_m), 52.0)
    # The ceiling of a told maximum bends once more where the share nears one.
    easy = share < 0.85
    np.testing.assert_allclose(predicted[easy], (50.0 + 140.0 * share)[easy], atol=0.05)
    assert predicted.max() <= 190.0


def test_both_formulas_of_the_expected_share_agree() -> None:
    rng = np.random.default_rng(1)
    uptake = np.abs(rng.normal(25.0, 15.0, (3, 40)))
    rows = np.stack([Attributes(vdot=v).row() for v in (25.0, 45.0, 80.0)])
    references = reference_values(rows)
    ours = expected_share(uptake, references[:, 2:3])
    theirs = torch_share(torch.from_numpy(uptake), torch.from_numpy(references)).numpy()
    np.testing.assert_allclose(theirs, ours, atol=1e-6)


def test_answers_do_not_depend_on_what_else_is_asked(network: Fitrec2Network) -> None:
    rng = np.random.default_rng(2)
    sessions = [session(rng, steps) for steps in (30, 45, 30)]
    histories = [None, PreviousWorkout(sessions[1], np.linspace(80.0, 160.0, 45), 2.0)]
    bodies = [Attributes(), Attributes(55.0, 188.0, 47.0, 35.0)]
    predictor = BodyPredictor(network, COMPONENTS)
    every = predictor.predict(sessions, histories, bodies)
    order = [(s, h, b) for s in range(3) for h in range(2) for b in range(2)]
    chosen = [11, 0, 6, 6]
    again = predictor.predict(sessions, histories, bodies, [order[i] for i in chosen])
    for index, answer in zip(chosen, again, strict=True):
        np.testing.assert_allclose(answer, every[index], atol=1e-3)
        s, h, b = order[index]
        (alone,) = predictor.predict([sessions[s]], [histories[h]], [bodies[b]])
        np.testing.assert_allclose(alone, every[index], atol=1e-3)
    assert np.abs(every[0] - every[1]).max() > 0.1
    assert np.abs(every[0] - every[2]).max() > 0.1
    with pytest.raises(ValueError, match="body index"):
        predictor.predict(sessions, histories, bodies, [(0, 0, 2)])


def test_a_prefix_is_predicted_as_in_the_whole(network: Fitrec2Network) -> None:
    rng = np.random.default_rng(3)
    whole = session(rng, 60)
    prefix = Session(whole.speed_m_s[:25], whole.altitude_m[:25])
    history = PreviousWorkout(session(rng, 35), np.full(35, 140.0), 1.0)
    predictor = BodyPredictor(network, COMPONENTS)
    full, part = predictor.predict(
        [whole, prefix], [history], [Attributes(vdot=50.0)], [(0, 0, 0), (1, 0, 0)]
    )
    np.testing.assert_allclose(part, full[:25], atol=1e-3)


def test_inference_agrees_with_the_batches_of_training(network: Fitrec2Network) -> None:
    workouts, told = simulate_people(CONFIG)
    examples = encode_bodies(workouts, told)
    with torch.inference_mode():
        output = network(collate(examples, np.stack([e.attributes for e in examples]))).numpy()
    predictor = BodyPredictor(network, COMPONENTS)
    for example, row in zip(examples, output, strict=True):
        previous = example.example.previous
        history = None
        if previous is not None:
            beats = previous.target.astype(float) * 25.0 + 140.0
            days = example.example.days_since
            history = PreviousWorkout(Session.of(previous.workout), beats, days)
        body = told[example.workout.identifier]
        (answer,) = predictor.predict([Session.of(example.workout)], [history], [body])
        np.testing.assert_allclose(answer, row[: len(example)] * 25.0 + 140.0, atol=0.02)


def test_a_stranger_has_neither_history_nor_attributes() -> None:
    workouts, told = simulate_people(CONFIG)
    alone = stranger(encode_bodies(workouts, told)[2])
    assert np.isnan(alone.attributes).all()
    assert alone.example.previous is None


def test_hiding_hides_and_never_invents() -> None:
    rng = np.random.default_rng(4)
    rows = np.arange(600.0).reshape(100, 6)
    hidden, strangers = hide(rows, rng)
    known = ~np.isnan(hidden)
    np.testing.assert_array_equal(hidden[known], rows[known])
    assert np.isnan(hidden[strangers][:, 4:]).all()
    assert not np.isnan(hidden[~strangers][:, 4:]).any()
    assert 0.3 < known[:, :4].mean() < 0.7


def test_training_learns_and_resumes_to_the_bit(tmp_path: Path) -> None:
    examples = encode_bodies(*simulate_people(CONFIG))
    config = Fitrec2Training(epochs=3, batch_size=8, learning_rate=0.003)

    def fresh() -> Fitrec2Network:
        torch.manual_seed(1)
        return Fitrec2Network(Fitrec2Config(hidden=4))

    whole = fresh()
    records = train(whole, examples, config, validation=examples)
    assert records[-1].validation < rmse(fresh(), examples)

    class Interrupted(Exception):
        pass

    def breaks_off(count: list[int]) -> None:
        count[0] += 1
        if count[0] == 2:
            raise Interrupted

    path = tmp_path / "checkpoint.safetensors"
    from fitgym.predictor.fitrec2 import training

    original, count = training.save_checkpoint, [0]

    def saving(*arguments: object) -> None:
        original(*arguments)  # type: ignore[arg-type]
        breaks_off(count)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "save_checkpoint", saving)
        with pytest.raises(Interrupted):
            train(fresh(), examples, config, checkpoint=path)
    resumed = fresh()
    train(resumed, examples, config, checkpoint=path)
    for mine, theirs in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    with pytest.raises(ValueError, match="other settings"):
        train(fresh(), examples, replace(config, seed=1), checkpoint=path)


def test_weights_and_components_survive_files(network: Fitrec2Network, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(path, network, COMPONENTS, {"name": "test"})
    loaded, components, card = load_weights(path)
    for mine, theirs in zip(network.parameters(), loaded.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    np.testing.assert_array_equal(components.person, COMPONENTS.person)
    assert card["name"] == "test"
    damaged = path.read_bytes()[:-4] + b"oops"
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="corrupted"):
        load_weights(path)


def test_virtual_hearts_follow_the_reserve_and_keep_their_maximum() -> None:
    rng = np.random.default_rng(5)
    body = replace(
        Body.draw(rng),
        resting_bpm=60.0,
        maximum_bpm=165.0,
        level=dict.fromkeys(("run", "bike", "walk", "other"), 0.0),
        slope=dict.fromkeys(("run", "bike", "walk", "other"), 1.0),
    )
    other = replace(body, maximum_bpm=205.0)
    speed = np.full(120, speed_at_oxygen_cost(0.7 * 50.0) / 60.0)
    flat = np.zeros(120)
    low, high = (heart_rate(b, "run", speed, flat, 50.0, flat) for b in (body, other))
    np.testing.assert_allclose((high - 60.0) / (low - 60.0), 145.0 / 105.0, rtol=1e-6)
    fast = np.full(120, speed_at_oxygen_cost(1.2 * 50.0) / 60.0)
    raised = heart_rate(body, "run", fast, flat, 50.0, np.full(120, 0.2))
    assert 160.0 < raised.max() <= 165.0


def test_virtual_people_are_the_same_every_time_and_told_about_themselves() -> None:
    workouts, told = simulate_people(CONFIG)
    again, _ = simulate_people(replace(CONFIG, people=3))
    for mine, theirs in zip(workouts, again, strict=False):
        np.testing.assert_array_equal(mine.heart_rate_bpm, theirs.heart_rate_bpm)
    first = told[workouts[0].identifier]
    assert first.seen_maximum_bpm is None
    assert None not in (first.resting_bpm, first.maximum_bpm, first.vdot, first.age)
    assert told[workouts[1].identifier].seen_maximum_bpm is not None


def test_the_shipped_recipe_is_read_and_wrong_ones_are_refused(tmp_path: Path) -> None:
    assert isinstance(read_recipe(), Fitrec2Recipe)
    path = tmp_path / "recipe.json"
    path.write_text('{"fine_tuning": {"epochs": 0}}')
    with pytest.raises(ValueError, match="epochs"):
        read_recipe(path)
