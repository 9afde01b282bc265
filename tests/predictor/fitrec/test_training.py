from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fitgym.logs.workout import Workout
from fitgym.predictor.datasets import Example, Vocabulary, collate, encode_workouts
from fitgym.predictor.fitrec import training as module
from fitgym.predictor.fitrec.network import FitRecConfig, FitRecNetwork
from fitgym.predictor.fitrec.production import read_evaluation
from fitgym.predictor.fitrec.recipe import (
    Recipe,
    fine_tune,
    fit_user,
    pretrain,
    read_recipe,
    without_users,
)
from fitgym.predictor.fitrec.training import TrainingConfig, evaluate, row_or_history, train
from fitgym.predictor.simulator.workouts import SimulatorConfig

CONFIG = TrainingConfig(epochs=4, patience=4, batch_size=8)
TINY = Recipe(
    simulator=SimulatorConfig(people=6, workouts=2, longest_steps=40),
    pretraining=TrainingConfig(epochs=1, patience=1),
    fine_tuning=TrainingConfig(epochs=1, patience=1),
    rehearsal=4,
)


def network() -> FitRecNetwork:
    torch.manual_seed(1)
    return FitRecNetwork(FitRecConfig(attributes=Vocabulary().sizes, hidden=16))


def parts(workouts: list[Workout]) -> tuple[list[Example], list[Example]]:
    examples = encode_workouts(workouts)
    return examples[:24], examples[24:]


def test_training_learns(workouts: list[Workout]) -> None:
    model = network()
    training, validation = parts(workouts)
    before = evaluate(model, Vocabulary(), validation)
    records = train(model, Vocabulary(), training, validation, replace(CONFIG, epochs=12))
    after = evaluate(model, Vocabulary(), validation)
    assert after < 0.8 * before
    assert after == pytest.approx(min(record.validation for record in records))


def test_an_interrupted_training_ends_with_the_same_bits(
    workouts: list[Workout], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, validation = parts(workouts)
    whole = network()
    train(whole, Vocabulary(), training, validation, CONFIG)

    class PowerCut(Exception):
        pass

    epochs = module._run_epoch

    def cut(*arguments: object) -> float:
        if arguments[-1] == 2:
            raise PowerCut
        return epochs(*arguments)  # type: ignore[arg-type]

    path = tmp_path / "checkpoint.safetensors"
    monkeypatch.setattr(module, "_run_epoch", cut)
    with pytest.raises(PowerCut):
        train(network(), Vocabulary(), training, validation, CONFIG, checkpoint=path)
    monkeypatch.setattr(module, "_run_epoch", epochs)
    torch.manual_seed(99)
    resumed = network()
    records = train(resumed, Vocabulary(), training, validation, CONFIG, checkpoint=path)
    assert len(records) == 4
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_a_checkpoint_of_another_run_is_refused(workouts: list[Workout], tmp_path: Path) -> None:
    training, validation = parts(workouts)
    path = tmp_path / "checkpoint.safetensors"
    config = replace(CONFIG, epochs=1)
    train(network(), Vocabulary(), training, validation, config, checkpoint=path)
    with pytest.raises(ValueError, match="run with other settings or recordings"):
        train(
            network(), Vocabulary(), training, validation, replace(config, seed=1), checkpoint=path
        )
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        train(network(), Vocabulary(), training, validation, config, checkpoint=path)


def test_training_stops_when_validation_stops_improving(workouts: list[Workout]) -> None:
    training, validation = parts(workouts)
    config = TrainingConfig(epochs=50, patience=2, batch_size=8, learning_rate=1e-12)
    records = train(network(), Vocabulary(), training, validation, config)
    assert len(records) < 50


def test_rows_or_histories_are_hidden_never_both(workouts: list[Workout]) -> None:
    examples = encode_workouts(workouts)
    batch = collate(examples, Vocabulary.of(workouts))
    torch.manual_seed(0)
    hidden = row_or_history(batch, 0.5)
    stranger = hidden.attributes[:, 0] == 0
    assert 0 < stranger.sum() < len(examples)
    assert torch.equal(hidden.previous_length[stranger], batch.previous_length[stranger])
    assert not hidden.previous_length[~stranger].any()
    assert torch.equal(hidden.attributes[~stranger], batch.attributes[~stranger])
    assert torch.equal(hidden.attributes[:, 1:], batch.attributes[:, 1:])


def test_frozen_parts_stay_as_they_are(workouts: list[Workout]) -> None:
    training, validation = parts(workouts)
    model, before = network(), network().state_dict()
    config = replace(CONFIG, epochs=2, history_factor=0.0)
    train(model, Vocabulary(), training, validation, config)
    for name, tensor in model.state_dict().items():
        frozen = name.startswith(("context", "target"))
        assert torch.equal(tensor, before[name]) == frozen or name.startswith("embeddings"), name


def test_training_leaves_the_global_generator_alone(workouts: list[Workout]) -> None:
    training, validation = parts(workouts)
    model = network()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(model, Vocabulary(), training, validation, replace(CONFIG, epochs=1))
    assert torch.equal(torch.rand(3), expected)


def test_recipe_end_to_end(workouts: list[Workout]) -> None:
    model, vocabulary, _ = pretrain(TINY)
    assert len(vocabulary.users) == 4
    training, validation = parts(workouts)
    tuned, known, records = fine_tune(model, training, validation, TINY)
    assert len(records) == 1
    assert set(known.users) == {"unknown"} | {example.workout.user for example in training}
    # The pre-trained network is left as it was.
    again, _, _ = pretrain(TINY)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name
    shipped, nobody = without_users(tuned)
    assert nobody.users == ("unknown",)
    assert shipped.get_parameter("embeddings.0.weight").shape == (1, 5)


def test_fitting_a_user_changes_only_his_row(workouts: list[Workout], model: FitRecNetwork) -> None:
    own = [e for e in encode_workouts(workouts) if e.workout.user == workouts[0].user]
    personal, vocabulary = fit_user(model, Vocabulary(), own, steps=30)
    assert vocabulary.users == ("unknown", workouts[0].user)
    assert evaluate(personal, vocabulary, own) < evaluate(model, Vocabulary(), own)
    for name, tensor in model.state_dict().items():
        if name == "embeddings.0.weight":
            assert torch.equal(personal.state_dict()[name][:1], tensor)
        else:
            assert torch.equal(personal.state_dict()[name], tensor)
    with pytest.raises(ValueError, match="one person without a row"):
        fit_user(personal, vocabulary, own)
    with pytest.raises(ValueError, match="one person without a row"):
        fit_user(model, Vocabulary(), encode_workouts(workouts))


def test_recipes_are_read_and_unknown_fields_refused(tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text('{"pretraining": {"epochs": 3}, "seed": 2}')
    recipe = read_recipe(path)
    assert (recipe.pretraining.epochs, recipe.seed) == (3, 2)
    for content in ('{"epochs": 3}', '{"pretraining": {"epoch": 3}}', "{", '{"seed": -1}', "[]"):
        path.write_text(content)
        with pytest.raises(ValueError, match=r"recipe\.json is not a recipe"):
            read_recipe(path)


@pytest.mark.parametrize("content", ["{}", "[]", '{"seen": {}}'])
def test_only_reports_of_evaluations_go_into_a_card(tmp_path: Path, content: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"report\.json is not a report of an evaluation"):
        read_evaluation(path)


@pytest.mark.parametrize(
    "changes", [{"epochs": 0}, {"learning_rate": 0.0}, {"smoothing": 1.0}, {"clip_norm": -1.0}]
)
def test_bad_settings_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        TrainingConfig(**changes)  # type: ignore[arg-type]
