from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fitgym.logs.workout import Workout
from fitgym.predictor.datasets import Vocabulary, collate, encode_workouts
from fitgym.predictor.fitrec.network import (
    HIGHEST_BPM,
    LOWEST_BPM,
    Batch,
    FitRecConfig,
    FitRecNetwork,
    align_context,
)

Array = NDArray[np.float64]


def sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def slow_lstm(weights: dict[str, Array], name: str, layer: int, inputs: Array) -> Array:
    """Run an LSTM as its equations say, one step after the other."""
    w, u = weights[f"{name}.weight_ih_l{layer}"], weights[f"{name}.weight_hh_l{layer}"]
    b = weights[f"{name}.bias_ih_l{layer}"] + weights[f"{name}.bias_hh_l{layer}"]
    hidden, cell, outputs = np.zeros(u.shape[1]), np.zeros(u.shape[1]), []
    for x in inputs:
        i, f, g, o = np.split(w @ x + u @ hidden + b, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
        hidden = sigmoid(o) * np.tanh(cell)
        outputs.append(hidden)
    return np.array(outputs)


def selu(x: Array) -> Array:
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    return scale * np.where(x > 0.0, x, alpha * np.expm1(x))


def slow_fitrec(model: FitRecNetwork, batch: Batch, row: int) -> Array:
    """Predict one workout by the equations of Ni et al. (2019), without torch."""
    weights = {name: tensor.double().numpy() for name, tensor in model.state_dict().items()}
    length = int(batch.previous_length[row])
    steps = batch.channels.shape[1]
    context = np.zeros((steps, model.config.hidden))
    if length:
        z = batch.previous_channels[row, :length].double().numpy()
        y = batch.previous_target[row, :length].double().numpy()
        h = [slow_lstm(weights, "context_lstm", 0, z), slow_lstm(weights, "target_lstm", 0, y)]
        e = selu(
            np.concatenate(h, axis=1) @ weights["context_projection.weight"].T
            + weights["context_projection.bias"]
        )
        for t in range(steps):
            context[t] = e[min(t, length - 1)]
    static = np.concatenate(
        [
            weights[f"embeddings.{i}.weight"][int(index)]
            for i, index in enumerate(batch.attributes[row])
        ]
    )
    x = batch.channels[row].double().numpy()
    u = np.concatenate([x, context, np.tile(static, (steps, 1))], axis=1)
    hidden = slow_lstm(weights, "trunk_lstm", 1, slow_lstm(weights, "trunk_lstm", 0, u))
    raw = hidden @ weights["output.weight"][0] + weights["output.bias"][0]
    if model.config.output == "selu":
        return selu(raw)
    return (40.0 + 180.0 * sigmoid(raw) - 140.0) / 25.0


@pytest.mark.parametrize("output", ["bounded", "selu"])
def test_equals_a_slow_implementation_of_the_equations(
    workouts: list[Workout], model: FitRecNetwork, output: str
) -> None:
    network = FitRecNetwork(replace(model.config, output=output)).eval()
    network.load_state_dict(model.state_dict())
    examples = encode_workouts(workouts)[:6]
    batch = collate(examples, Vocabulary())
    with torch.no_grad():
        predicted = network(batch).numpy()
    for row, example in enumerate(examples):
        expected = slow_fitrec(network, batch, row)[: len(example)]
        np.testing.assert_allclose(predicted[row, : len(example)], expected, atol=2e-5)


def test_layer_sizes_of_the_faithful_variant() -> None:
    """About 113 thousand weights: three channels, the days since, user, sport and gender."""
    model = FitRecNetwork(FitRecConfig.faithful((1, 1, 1)))
    sizes = {
        name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()
    }

    def lstm(inputs: int) -> int:
        return 4 * 64 * (inputs + 64 + 2)

    assert sizes == {
        "embeddings": 15,
        "context_lstm": lstm(4),
        "target_lstm": lstm(1),
        "context_projection": 64 * 129,
        "trunk_lstm": lstm(3 + 64 + 15) + lstm(64),
        "trunk_dropout": 0,
        "output": 65,
    }
    # Keras has one bias per gate where torch has two.
    keras = sum(sizes.values()) - 4 * 4 * 64 - 15
    assert keras == 113_537


def test_number_of_weights_of_ours() -> None:
    model = FitRecNetwork(FitRecConfig())
    weights = sum(p.numel() for p in model.parameters())
    assert weights == 116_353 + 5 * (1 + 5 + 3)


def test_embeddings_begin_small() -> None:
    torch.manual_seed(0)
    model = FitRecNetwork(FitRecConfig.faithful((500, 10, 3)))
    assert model.get_parameter("embeddings.0.weight").std().item() == pytest.approx(0.01, rel=0.1)


def test_a_prefix_is_predicted_as_in_the_whole(
    workouts: list[Workout], model: FitRecNetwork
) -> None:
    batch = collate(encode_workouts(workouts), Vocabulary())
    with torch.no_grad():
        whole = model(batch)
        prefix = model(replace(batch, channels=batch.channels[:, :17]))
    torch.testing.assert_close(whole[:, :17], prefix, atol=1e-6, rtol=0)


def test_output_stays_in_bounds_whatever_comes_in(model: FitRecNetwork) -> None:
    batch = Batch(
        channels=1e3 * torch.randn(4, 30, 5),
        previous_channels=1e3 * torch.randn(4, 20, 9),
        previous_target=1e3 * torch.randn(4, 20, 1),
        previous_length=torch.tensor([0, 1, 10, 20]),
        attributes=torch.zeros(4, 3, dtype=torch.long),
        target=torch.zeros(4, 30),
        weight=torch.ones(4, 30),
    )
    with torch.no_grad():
        bpm = 140.0 + 25.0 * model(batch)
    assert LOWEST_BPM - 1e-3 <= bpm.min().item() <= bpm.max().item() <= HIGHEST_BPM + 1e-3


def test_context_holds_its_last_value_and_is_zero_without_history() -> None:
    encoded = torch.arange(12.0).reshape(2, 3, 2) + 1.0
    aligned = align_context(encoded, torch.tensor([2, 0]), 4)
    expected = torch.tensor([[1.0, 2.0], [3.0, 4.0], [3.0, 4.0], [3.0, 4.0]])
    torch.testing.assert_close(aligned[0], expected)
    assert not aligned[1].any()


def test_padding_does_not_change_a_prediction(
    workouts: list[Workout], model: FitRecNetwork
) -> None:
    examples = encode_workouts(workouts)
    with torch.no_grad():
        together = model(collate(examples, Vocabulary()))
        for row, example in enumerate(examples[:5]):
            alone = model(collate([example], Vocabulary()))[0]
            torch.testing.assert_close(together[row, : len(example)], alone, atol=1e-5, rtol=0)


def test_gradients_reach_every_weight(workouts: list[Workout], model: FitRecNetwork) -> None:
    network = FitRecNetwork(model.config)
    network.load_state_dict(model.state_dict())
    batch = collate(encode_workouts(workouts), Vocabulary())
    ((network(batch) - batch.target) ** 2 * batch.weight).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_attributes_are_hidden_in_training_only() -> None:
    torch.manual_seed(0)
    model = FitRecNetwork(FitRecConfig(attributes=(2, 4, 3), attribute_dropout=0.15))
    rows = torch.ones(20_000, 3, dtype=torch.long)
    unknown = model.get_parameter("embeddings.0.weight")[0]
    hidden = (model.train().embed(rows)[:, :5] == unknown).all(dim=1).double().mean().item()
    assert hidden == pytest.approx(0.15, abs=0.01)
    assert not (model.eval().embed(rows)[:, :5] == unknown).all(dim=1).any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden": 0}, "hidden must be an integer of at least 1"),
        ({"dropout": 1.0}, r"dropout must be .*\[0, 1\)"),
        ({"output": "relu"}, "output must be one of 'bounded', 'selu'"),
        ({"attributes": (0, 1, 1)}, "attributes must be"),
    ],
)
def test_bad_shapes_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FitRecConfig(**changes)  # type: ignore[arg-type]
