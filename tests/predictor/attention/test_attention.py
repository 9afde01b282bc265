"""FitRec-Attn against a slow reference written from the paper's equations, and its training."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from fitgym.logs.workout import Workout
from fitgym.predictor.attention.data import make_windows
from fitgym.predictor.attention.evaluation import (
    baseline_forecasts,
    evaluate_attention,
)
from fitgym.predictor.attention.inference import feature_names, forecast_heart_rate
from fitgym.predictor.attention.network import AttentionConfig, AttentionWindows, FitRecAttention
from fitgym.predictor.attention.training import (
    AttentionTrainingConfig,
    mean_workout_error,
    predict_windows,
    robust_loss,
    train_attention,
    user_balanced_weights,
)
from fitgym.predictor.attention.weights import (
    load_attention,
    save_attention,
    without_users,
)
from fitgym.predictor.channels import normalise_heart_rate, session_channels
from fitgym.predictor.datasets import Vocabulary, encode_workouts

SMALL = AttentionConfig(attributes=(4, 4, 3), hidden=6, context=3, embedding=2)
PAPER = AttentionConfig(attributes=(4, 4, 3), residual=False, planned=True)


def random_windows(config: AttentionConfig, size: int = 3, seed: int = 0) -> AttentionWindows:
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    rows = [torch.randint(n, (size, 1), generator=draw) for n in config.attributes]
    return AttentionWindows(
        channels=normal(size, config.window, config.channels),
        previous_channels=normal(size, config.window, config.channels + 1),
        previous_target=normal(size, config.window, 1),
        has_previous=torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64)[:size],
        attributes=torch.cat(rows, dim=1),
        seen=normal(size, config.window - 1),
    )


def make_network(config: AttentionConfig, seed: int = 0) -> FitRecAttention:
    torch.manual_seed(seed)
    network = FitRecAttention(config).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=0.5)
    return network


def lstm_step(x, h, c, weight_x, weight_h, bias):
    """Hochreiter and Schmidhuber's cell, gates in torch's order: in, forget, cell, out."""
    width = len(h)
    gates = weight_x @ x + weight_h @ h + bias
    inner, forget, cell, out = (gates[i * width : (i + 1) * width] for i in range(4))
    c = torch.sigmoid(forget) * c + torch.sigmoid(inner) * torch.tanh(cell)
    return torch.sigmoid(out) * torch.tanh(c), c


def softmax(scores):
    exponentials = torch.stack([torch.exp(score) for score in scores])
    return exponentials / exponentials.sum()


def reference(network: FitRecAttention, windows: AttentionWindows, row: int):
    """The equations of the paper for one window, in plain loops over plain vectors."""
    config = network.config
    parameters = dict(network.named_parameters())
    steps, hidden = config.window, config.hidden
    zero = torch.zeros(hidden, dtype=torch.float64)

    def cell(name: str, suffix: str, x, h, c):
        return lstm_step(
            x,
            h,
            c,
            parameters[f"{name}.weight_ih{suffix}"],
            parameters[f"{name}.weight_hh{suffix}"],
            parameters[f"{name}.bias_ih{suffix}"] + parameters[f"{name}.bias_hh{suffix}"],
        )

    x = windows.channels[row].clone()
    if not config.planned:
        x[-1] = x[-2]
    embedded = [
        parameters[f"embeddings.{i}.weight"][windows.attributes[row, i]]
        for i in range(len(config.attributes))
    ]
    h1 = c1 = h2 = c2 = zero
    inputs = []
    for t in range(steps):
        h1, c1 = cell("context_lstm", "_l0", windows.previous_channels[row, t], h1, c1)
        h2, c2 = cell("target_lstm", "_l0", windows.previous_target[row, t], h2, c2)
        e = parameters["context_projection.weight"] @ torch.cat([h1, h2])
        e = torch.nn.functional.selu(e + parameters["context_projection.bias"])
        if windows.has_previous[row] == 0:
            e = torch.zeros_like(e)
        inputs.append(torch.cat([x[t], e, *embedded]))
    u = torch.stack(inputs)

    def score(name: str, state, item):
        inner = parameters[f"{name}.affine.weight"] @ torch.cat([state, item])
        return parameters[f"{name}.direction.weight"][0] @ (
            inner + parameters[f"{name}.affine.bias"]
        )

    h = c = zero
    states, alphas = [], []
    for t in range(steps):
        alpha = softmax([score("feature_score", h, u[:, k]) for k in range(config.features)])
        h, c = cell("encoder", "", alpha * u[t], h, c)
        states.append(h)
        alphas.append(alpha)
    seen = windows.seen[row]
    if config.residual:
        seen = (seen - seen[-1]) / 0.1
    d = s = zero
    betas = []
    for t in range(1, steps):
        beta = softmax([score("moment_score", d, state) for state in states])
        context = sum(weight * state for weight, state in zip(beta, states, strict=True))
        d, s = cell("decoder", "", torch.cat([seen[t - 1 : t], context]), d, s)
        betas.append(beta)
    y = parameters["output.weight"][0] @ torch.cat([d, context]) + parameters["output.bias"][0]
    if config.residual:
        y = windows.seen[row, -1] + 0.1 * y
    return y, torch.stack(alphas), torch.stack(betas)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("planned", [False, True])
def test_equals_the_loops_of_the_paper(residual, planned):
    config = AttentionConfig((4, 4, 3), hidden=6, context=3, residual=residual, planned=planned)
    network, windows = make_network(config), random_windows(config)
    output = network(windows)
    for row in range(3):
        y, alpha, beta = reference(network, windows, row)
        torch.testing.assert_close(output.prediction[row], y)
        torch.testing.assert_close(output.feature_weights[row], alpha)
        torch.testing.assert_close(output.moment_weights[row], beta)


def test_gradients_equal_those_of_the_loops():
    network, windows = make_network(SMALL), random_windows(SMALL)
    (network(windows).prediction ** 2).sum().backward()
    found = {name: p.grad.clone() for name, p in network.named_parameters()}
    network.zero_grad()
    sum(reference(network, windows, row)[0] ** 2 for row in range(3)).backward()
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad, msg=lambda m, n=name: f"{n}: {m}")


def test_gradients_equal_finite_differences():
    config = AttentionConfig((2, 2, 2), channels=2, window=4, hidden=2, context=1, embedding=1)
    network, windows = make_network(config), random_windows(config, size=2)
    names, parameters = zip(*network.named_parameters(), strict=True)

    def loss(*values: torch.Tensor) -> torch.Tensor:
        named = dict(zip(names, values, strict=True))
        return torch.func.functional_call(network, named, (windows,)).prediction.sum()

    assert torch.autograd.gradcheck(loss, parameters)


def test_layer_sizes_of_the_paper():
    network = FitRecAttention(PAPER)
    features = 5 + 32 + 3 * 5
    assert PAPER.features == features
    lstm = {"context_lstm": 6, "target_lstm": 1, "encoder": features, "decoder": 65}
    expected = sum(4 * 64 * (width + 64 + 2) for width in lstm.values())
    expected += 5 * (4 + 4 + 3) + (128 + 1) * 32
    expected += (64 + 10 + 1) * 64 + 64 + (64 + 64 + 1) * 64 + 64 + 128 + 1
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


@settings(max_examples=examples(20), deadline=None)
@given(seed=st.integers(0, 2**31), size=st.integers(1, 3))
def test_attention_weights_sum_to_one(seed, size):
    output = make_network(SMALL, seed)(random_windows(SMALL, size, seed))
    assert output.feature_weights.shape == (size, 10, SMALL.features)
    assert output.moment_weights.shape == (size, 9, 10)
    for weights in (output.feature_weights, output.moment_weights):
        assert (weights >= 0).all()
        torch.testing.assert_close(weights.sum(dim=2), torch.ones_like(weights[:, :, 0]))


def test_affine_scores_do_not_depend_on_the_state():
    # The paper's scores are affine, so the state's share cancels in the softmax.
    output = make_network(SMALL)(random_windows(SMALL))
    for weights in (output.feature_weights, output.moment_weights):
        torch.testing.assert_close(weights, weights[:, :1].expand_as(weights))


def test_without_a_plan_the_last_step_is_not_looked_at():
    windows = random_windows(SMALL)
    network = make_network(SMALL)
    before = network(windows).prediction
    windows.channels[:, -1] += 1.0
    torch.testing.assert_close(network(windows).prediction, before)
    windows.channels[:, -2] += 1.0
    assert not torch.allclose(network(windows).prediction, before)


def test_attributes_are_hidden_only_in_training():
    config = AttentionConfig(attributes=(4, 4, 3), attribute_dropout=0.5)
    network = FitRecAttention(config).double()
    rows = torch.full((400, 3), 1)
    assert torch.equal(network.eval().embed(rows)[0], network.embed(rows)[399])
    unknown = torch.cat([table.weight[0] for table in network.embeddings])
    hidden = torch.isclose(network.train().embed(rows)[:, :5], unknown[:5]).all(dim=1)
    assert 120 < hidden.sum() < 280


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden": 0}, "hidden must be an integer of at least 1, got 0"),
        ({"window": 2}, "window must be an integer of at least 3, got 2"),
        ({"attributes": (0,)}, "attributes must be an integer of at least 1, got 0"),
        ({"attribute_dropout": 1.5}, "attribute_dropout must be"),
    ],
)
def test_wrong_shapes_are_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        AttentionConfig(**arguments)


def make_workout(number: int, user: str, steps: int = 60, day: float = 0.0, seed: int = 0):
    """A run at varying speed whose heart rate follows it slowly, read with noise."""
    rng = np.random.default_rng([number, seed])
    speed = 3.0 + np.repeat(rng.uniform(-1.5, 1.5, steps // 12 + 1), 12)[:steps]
    heart_rate = np.empty(steps)
    level = 110.0
    for t in range(steps):
        level += 0.15 * (60.0 + 28.0 * speed[t] - level)
        heart_rate[t] = level
    return Workout(
        identifier=f"w{number}",
        user=user,
        sport="run",
        gender="unknown",
        day=day,
        time_s=10.0 * np.arange(steps),
        heart_rate_bpm=heart_rate + rng.normal(0, 5.0, steps),
        valid=np.ones(steps, dtype=bool),
        speed_m_s=speed,
        altitude_m=np.zeros(steps),
        has_altitude=False,
    )


def with_gap(workout: Workout, step: int) -> Workout:
    valid = workout.valid.copy()
    valid[step] = False
    fields = {name: getattr(workout, name) for name in Workout.__dataclass_fields__}
    return Workout(**(fields | {"valid": valid}))


def test_windows_hold_the_workouts_steps():
    first = make_workout(1, "ann", steps=20, day=0.0)
    second = with_gap(make_workout(2, "ann", steps=30, day=3.0), 12)
    other = make_workout(3, "bob", steps=5)
    examples = encode_workouts([second, other, first])
    windows = make_windows(examples, Vocabulary.of([first]))
    # 11 windows of the first, 3 before and 8 after the second's gap, none of the short one.
    assert len(windows) == 11 + 3 + 8
    indices = windows.of_examples(examples[:1])
    batch, last = windows.batch(indices)
    starts = [0, 1, 2, *range(13, 21)]
    heart_rate = normalise_heart_rate(second.heart_rate_bpm)
    channels = session_channels(second.speed_m_s, second.altitude_m, second.has_altitude)
    before = session_channels(first.speed_m_s, first.altitude_m, first.has_altitude)
    for row, start in enumerate(starts):
        steps = np.arange(start, start + 10)
        np.testing.assert_array_equal(batch.channels[row], channels[steps])
        np.testing.assert_array_equal(batch.seen[row], heart_rate[steps[:-1]])
        assert last[row] == heart_rate[steps[-1]]
        # The earlier workout was shorter, so its last step is held.
        held = np.minimum(steps, 19)
        np.testing.assert_array_equal(batch.previous_channels[row, :, :-1], before[held])
        np.testing.assert_allclose(batch.previous_channels[row, :, -1], math.log(4.0) / 2, 1e-6)
        np.testing.assert_array_equal(
            batch.previous_target[row, :, 0], normalise_heart_rate(first.heart_rate_bpm)[held]
        )
    assert batch.has_previous.tolist() == [1.0] * 11
    assert batch.attributes.tolist() == [[1, 1, 0]] * 11
    earlier, _ = windows.batch(windows.of_examples(examples[2:]))
    assert earlier.has_previous.tolist() == [0.0] * 11


def test_no_window_is_an_error():
    examples = encode_workouts([make_workout(1, "ann", steps=9)])
    with pytest.raises(ValueError, match="none of the 1 workouts has 10 measured steps"):
        make_windows(examples, Vocabulary())


def test_baselines_on_a_straight_line():
    workout = make_workout(1, "ann", steps=30)
    fields = {name: getattr(workout, name) for name in Workout.__dataclass_fields__}
    line = Workout(**(fields | {"heart_rate_bpm": 100.0 + 2.0 * np.arange(30)}))
    examples = encode_workouts([line])
    windows = make_windows(examples, Vocabulary())
    indices = windows.of_examples(examples)
    actual = windows.heart_rates(indices)[:, -1] * 25.0
    forecasts = baseline_forecasts(windows, indices)
    torch.testing.assert_close(forecasts["last value"], actual - 2.0)
    torch.testing.assert_close(forecasts["linear extrapolation"], actual)
    assert mean_workout_error(windows, indices, forecasts["last value"]) == pytest.approx(2.0)


def test_loss_is_quadratic_and_then_linear():
    unit = 1.0 / 25.0
    error = torch.tensor([0.5 * unit, 3.0 * unit])
    zero = torch.zeros(2)
    # Huber: e^2 / 2 up to the threshold d, d (e - d / 2) beyond; divided by d.
    expected = (0.5 * 0.5**2 + (3.0 - 0.5)) / 2 * unit
    assert robust_loss(error, zero, 1.0).item() == pytest.approx(expected)
    assert robust_loss(error, zero, math.inf).item() == pytest.approx((error**2).mean().item())


def test_a_person_weighs_the_root_of_his_windows():
    workouts = [make_workout(1, "ann", steps=25), make_workout(2, "bob", steps=73)]
    examples = encode_workouts(workouts)
    windows = make_windows(examples, Vocabulary.of(workouts))
    indices = windows.of_examples(examples)
    weights = user_balanced_weights(windows, indices)
    ann = windows.workout[indices] == 0
    assert weights[ann].sum().item() == pytest.approx(math.sqrt(16))
    assert weights[~ann].sum().item() == pytest.approx(math.sqrt(64))


QUICK = AttentionTrainingConfig(epochs=3, windows_per_epoch=1600, batch_size=32)


@pytest.fixture(scope="module")
def data():
    workouts = [make_workout(n, f"u{n % 4}", day=float(n)) for n in range(8)]
    examples = encode_workouts(workouts)
    windows = make_windows(examples, Vocabulary.of(workouts))
    return windows, windows.of_examples(examples[:6]), windows.of_examples(examples[6:])


def new_network() -> FitRecAttention:
    torch.manual_seed(0)
    return FitRecAttention(AttentionConfig(attributes=(5, 4, 3), hidden=16, context=4))


@pytest.fixture(scope="module")
def trained(data):
    network = new_network()
    return network, train_attention(network, *data, QUICK)


def test_training_beats_both_baselines_where_noise_is_to_be_averaged(data, trained):
    windows, _, test = data
    network, records = trained
    assert [record.epoch for record in records] == [0, 1, 2]
    error = mean_workout_error(windows, test, predict_windows(network, windows, test))
    assert error == pytest.approx(min(record.validation for record in records), rel=1e-6)
    for forecast in baseline_forecasts(windows, test).values():
        assert error < 0.9 * mean_workout_error(windows, test, forecast)


def test_resumed_training_ends_with_the_same_weights(data, trained, tmp_path, monkeypatch):
    checkpoint = tmp_path / "checkpoint.safetensors"
    with monkeypatch.context() as patch:
        from fitgym.predictor.attention import training as attention_training

        predict = attention_training.predict_windows
        calls = []

        def interrupted(*arguments):
            calls.append(1)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return predict(*arguments)

        patch.setattr(attention_training, "predict_windows", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train_attention(new_network(), *data, QUICK, checkpoint=checkpoint)
    resumed = new_network()
    records = train_attention(resumed, *data, QUICK, checkpoint=checkpoint)
    network, expected = trained
    assert records == expected
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_training_leaves_the_global_generator_alone(data):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    network = new_network()
    torch.manual_seed(5)
    train_attention(network, *data, AttentionTrainingConfig(1, 1, 64, 64))
    assert torch.equal(torch.rand(3), expected)


def test_stops_when_validation_no_longer_improves(data):
    # A step this small changes nothing, so no epoch is better than the first.
    config = AttentionTrainingConfig(
        epochs=50, patience=2, windows_per_epoch=64, batch_size=64, learning_rate=1e-30
    )
    assert len(train_attention(new_network(), *data, config)) == 3


def test_foreign_or_broken_checkpoints_are_errors(data, tmp_path):
    checkpoint = tmp_path / "checkpoint.safetensors"
    config = AttentionTrainingConfig(1, 1, 64, 64)
    train_attention(new_network(), *data, config, checkpoint=checkpoint)
    other = AttentionTrainingConfig(2, 1, 64, 64)
    with pytest.raises(ValueError, match="run with other settings"):
        train_attention(new_network(), *data, other, checkpoint=checkpoint)
    checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        train_attention(new_network(), *data, config, checkpoint=checkpoint)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs must be"),
        ({"batch_size": 64, "windows_per_epoch": 63}, "windows_per_epoch must be .* at least 64"),
        ({"learning_rate": 0.0}, "learning_rate must be"),
        ({"linear_beyond_bpm": -1.0}, "linear_beyond_bpm must be"),
    ],
)
def test_wrong_training_settings_are_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        AttentionTrainingConfig(**arguments)


def test_evaluation_covers_everybody_once_and_later_workouts(tmp_path):
    workouts = [make_workout(n, f"u{n % 7}", steps=20, day=float(n)) for n in range(35)]
    examples = encode_workouts(workouts)
    network = AttentionConfig(hidden=4, context=2, embedding=1)
    configs = [AttentionTrainingConfig(1, 1, 64, 64, seed=seed) for seed in (0, 1)]
    report = evaluate_attention(examples, network, configs, folder=tmp_path)
    # Eleven windows a workout; each of the seven people has five workouts, the last one later.
    assert report["a"]["windows"] == 7 * 11
    assert report["b"]["windows"] == 35 * 11
    assert report["b"]["people_tested"] == 7
    for protocol in report.values():
        methods = protocol["methods"]
        assert set(methods) == {"FitRec-Attn", "last value", "linear extrapolation"}
        assert len(methods["FitRec-Attn"]["seeds"]) == 2
        gain = methods["last value"]["pooled_mae"] - methods["FitRec-Attn"]["pooled_mae"]
        assert methods["last value"]["attention_gain"] == pytest.approx(gain)
    resumed = evaluate_attention(examples, network, configs, folder=tmp_path)
    assert resumed == report


def test_weights_round_trip_and_hold_nobody(tmp_path, trained):
    path = tmp_path / "attention.safetensors"
    with pytest.raises(ValueError, match="must know no people"):
        save_attention(path, trained[0], {})
    stranger = without_users(trained[0])
    save_attention(path, stranger, {"note": "test"})
    loaded, card = load_attention(path)
    assert card["note"] == "test"
    assert card["weights"] == sum(p.numel() for p in loaded.parameters())
    windows = random_windows(loaded.config)
    torch.testing.assert_close(
        loaded.double()(windows).prediction, stranger.double()(windows).prediction
    )


def test_corrupted_weights_are_errors(tmp_path, trained):
    path = tmp_path / "attention.safetensors"
    save_attention(path, without_users(trained[0]), {})
    content, card_path = path.read_bytes(), path.with_suffix(".json")
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ValueError, match="corrupted or does not belong"):
        load_attention(path)
    path.write_bytes(content)
    card = json.loads(card_path.read_text())
    card["network"]["hidden"] = 8
    card_path.write_text(json.dumps(card))
    with pytest.raises(ValueError, match="does not fit the network"):
        load_attention(path)
    card_path.write_text("{}")
    with pytest.raises(ValueError, match=r"attention\.json lacks"):
        load_attention(path)
    with pytest.raises(ValueError, match=r"must be a \.safetensors file"):
        load_attention(tmp_path / "weights.bin")


def test_forecasts_equal_those_of_the_windows_and_reach_beyond_the_end():
    first = make_workout(1, "ann", steps=30)
    second = with_gap(make_workout(2, "ann", steps=50, day=2.0), 20)
    model = without_users(new_network())
    forecast = forecast_heart_rate(model, second, first)
    examples = encode_workouts([first, second])
    windows = make_windows(examples, Vocabulary())
    indices = windows.of_examples(examples[1:])
    # Steps 9 to 20 have nine measured steps before them, and so have 30 to 50, past the end.
    np.testing.assert_array_equal(forecast.time_s / 10, [*range(9, 21), *range(30, 51)])
    compared = np.isin(forecast.time_s / 10, [20, 50], invert=True)
    np.testing.assert_allclose(
        forecast.heart_rate_bpm[compared],
        140.0 + predict_windows(model, windows, indices).numpy(),
        rtol=1e-5,
    )
    assert forecast.feature_weights.shape == (33, len(feature_names(model.config)))
    for weights in (forecast.feature_weights, forecast.moment_weights):
        np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-5)


def test_a_forecast_uses_nothing_of_its_own_or_a_later_moment():
    workout = make_workout(1, "ann", steps=40)
    fields = {name: getattr(workout, name) for name in Workout.__dataclass_fields__}
    for name in ("time_s", "heart_rate_bpm", "valid", "speed_m_s", "altitude_m"):
        fields[name] = fields[name][:25]
    model = without_users(new_network())
    whole = forecast_heart_rate(model, workout)
    prefix = forecast_heart_rate(model, Workout(**fields))
    np.testing.assert_array_equal(prefix.time_s, whole.time_s[: len(prefix.time_s)])
    np.testing.assert_allclose(
        prefix.heart_rate_bpm, whole.heart_rate_bpm[: len(prefix.time_s)], rtol=1e-6
    )


def test_forecasts_need_nine_measured_steps_and_an_earlier_workout():
    model = without_users(new_network())
    short = make_workout(1, "ann", steps=8, day=1.0)
    with pytest.raises(ValueError, match="must have 9 measured steps"):
        forecast_heart_rate(model, short)
    workout = make_workout(2, "ann", day=1.0)
    for previous in (make_workout(3, "bob"), make_workout(4, "ann", day=2.0)):
        with pytest.raises(ValueError, match="previous must be an earlier workout of 'ann'"):
            forecast_heart_rate(model, workout, previous)


def test_shipped_weights_forecast_people_they_have_not_seen():
    model, card = load_attention()
    methods = card["held_out"]["methods"]
    for baseline in ("last value", "linear extrapolation"):
        for error in ("pooled_mae", "workout_mae", "pooled_rmse"):
            assert methods["FitRec-Attn"][error] < methods[baseline][error]
    fields = {name: getattr(make_workout(1, "ann"), name) for name in Workout.__dataclass_fields__}

    def mean_change(slope_bpm: float) -> float:
        """Forecast change from the last value on a heart rate of constant slope per step."""
        heart_rate = 140.0 + slope_bpm * (np.arange(60) - 30)
        line = Workout(**(fields | {"heart_rate_bpm": heart_rate}))
        return float(np.mean(forecast_heart_rate(model, line).heart_rate_bpm - heart_rate[8:]))

    assert abs(mean_change(0.0)) < 1.0
    assert mean_change(-2.0) < mean_change(0.0) < mean_change(2.0)
