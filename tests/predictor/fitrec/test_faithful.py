"""The authors' scaling and split, on a small file in their format that the tests write."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from fitgym.predictor.fitrec.faithful import (
    FaithfulVocabulary,
    chronological_split,
    collate_faithful,
    derived_speed_km_h,
    index_workouts,
    load_examples,
    scale,
    unscale,
)
from fitgym.predictor.fitrec.network import FitRecConfig, FitRecNetwork

POINTS = 500
DAY = 86_400
COUNTS = {1: 10, 2: 23, 3: 9, 4: 1}


def make_entry(user: int, number: int, day: int) -> dict[str, object]:
    times = [1_300_000_000 + day * DAY + 4 * i + i % 2 for i in range(POINTS)]
    return {
        "userId": user,
        "id": number,
        "gender": "female" if user == 2 else "male",
        "sport": "run",
        "longitude": [0.0] * POINTS,
        "latitude": [1.2e-4 * i for i in range(POINTS)],
        "altitude": [100.0 + day + 0.1 * i for i in range(POINTS)],
        "timestamp": times,
        "heart_rate": [100 + day] * POINTS,
        "url": "",
    }


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    entries = [
        make_entry(user, 100 * user + day, day) for user, n in COUNTS.items() for day in range(n)
    ]
    np.random.default_rng(0).shuffle(entries)
    path = tmp_path_factory.mktemp("authors") / "endomondoHR_proper.json"
    path.write_text("".join(f"{entry!r}\n" for entry in entries))
    return path


@pytest.fixture(scope="module")
def entries(path):
    return index_workouts(path)


@pytest.mark.parametrize(
    ("name", "mean", "deviation"),
    [
        ("altitude", 165.374, 342.966),
        ("distance", 0.0523007, 0.0598091),
        ("time", 2749.508, 112_163),
        ("derived_speed", 17.8059, 12.5696),
        ("heart_rate", 138.7079, 23.6099),
    ],
)
def test_scaling_is_five_times_the_z_score(name, mean, deviation):
    values = np.array([mean, mean + deviation, mean - 2 * deviation])
    np.testing.assert_allclose(scale(name, values), [0.0, 5.0, -10.0], atol=1e-9)
    np.testing.assert_allclose(unscale(name, scale(name, values)), values)


def test_unknown_name_of_a_scale_is_an_error():
    with pytest.raises(ValueError, match="name must be one of 'distance'"):
        scale("cadence", np.zeros(2))


def test_index_orders_each_persons_workouts_in_time(path, entries):
    assert len(entries) == sum(COUNTS.values())
    for user, count in COUNTS.items():
        mine = [entry for entry in entries if entry.user == str(user)]
        assert [entry.start_s for entry in mine] == [1_300_000_000 + DAY * d for d in range(count)]
        assert mine[0].previous_offset is None
        assert [e.previous_offset for e in mine[1:]] == [e.offset for e in mine[:-1]]


def test_split_is_80_10_10_inside_each_person_with_ten_workouts(entries):
    split = chronological_split(entries)
    parts = {"training": (8, 18), "validation": (1, 2), "test": (1, 3)}
    for name, expected in parts.items():
        part = getattr(split, name)
        assert tuple(sum(e.user == user for e in part) for user in "12") == expected
        assert not any(entry.user in "34" for entry in part)
    for user in "12":
        latest = max(e.start_s for e in split.training if e.user == user)
        middle = [e.start_s for e in split.validation if e.user == user]
        earliest = min(e.start_s for e in split.test if e.user == user)
        assert latest < min(middle) <= max(middle) < earliest


def test_derived_speed_is_distance_over_time(path, entries):
    (example,) = load_examples(path, entries[:1])
    # 1.2e-4 degrees of the meridian are 13.34 m, alternately in 5 and in 3 seconds.
    step_km = 1.2e-4 * math.pi / 180 * 6371.0088
    expected = [0.0, *(step_km / (5 if i % 2 else 3) * 3600 for i in range(1, POINTS))]
    np.testing.assert_allclose(derived_speed_km_h(example.record), expected, rtol=1e-6)


def test_batch_holds_the_authors_channels_and_the_previous_workout(path, entries):
    mine = [entry for entry in entries if entry.user == "1"][:2]
    vocabulary = FaithfulVocabulary.of(entries)
    assert vocabulary.sizes == (4, 1, 2)
    batch = collate_faithful(list(load_examples(path, mine)), vocabulary)
    assert batch.channels.shape == (2, POINTS, 3)
    step_km = 1.2e-4 * math.pi / 180 * 6371.0088
    total_s = 4 * (POINTS - 1) + 1
    second = batch.channels[1].numpy()
    np.testing.assert_allclose(second[1:, 0], 5 * (step_km - 0.0523007) / 0.0598091, rtol=1e-5)
    np.testing.assert_allclose(second[0, 1], 5 * (101 - 165.374) / 342.966, rtol=1e-6)
    np.testing.assert_allclose(second[:, 2], 5 * (total_s - 2749.508) / 112_163, rtol=1e-5)
    assert batch.target.unique(dim=1).tolist() == [[100.0], [101.0]]
    assert batch.previous_length.tolist() == [0, POINTS]
    torch.testing.assert_close(batch.previous_channels[1, :, :3], batch.channels[0])
    np.testing.assert_allclose(batch.previous_channels[1, :, 3], math.log(2.0) / 2, rtol=1e-6)
    np.testing.assert_allclose(
        batch.previous_target[1, :, 0], 5 * (100 - 138.7079) / 23.6099, rtol=1e-6
    )
    assert batch.attributes.tolist() == [[0, 0, 1], [0, 0, 1]]


def test_speed_may_be_the_target(path, entries):
    examples = list(load_examples(path, entries[:2]))
    batch = collate_faithful(examples, FaithfulVocabulary.of(entries), target="derived_speed")
    np.testing.assert_allclose(batch.target[0], derived_speed_km_h(examples[0].record), rtol=1e-6)
    with pytest.raises(ValueError, match="target must be one of"):
        collate_faithful(examples, FaithfulVocabulary.of(entries), target="power")


def test_the_faithful_network_takes_the_batch(path, entries):
    vocabulary = FaithfulVocabulary.of(entries)
    network = FitRecNetwork(FitRecConfig.faithful(vocabulary.sizes)).eval()
    batch = collate_faithful(list(load_examples(path, entries[:3])), vocabulary)
    output = network(batch)
    assert output.shape == batch.target.shape
    (output - batch.target).square().mean().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in network.parameters())


def test_strangers_to_the_vocabulary_are_errors(path, entries):
    vocabulary = FaithfulVocabulary.of([entry for entry in entries if entry.user != "2"])
    stranger = [entry for entry in entries if entry.user == "2"][:1]
    with pytest.raises(ValueError, match="outside the vocabulary"):
        collate_faithful(list(load_examples(path, stranger)), vocabulary)
