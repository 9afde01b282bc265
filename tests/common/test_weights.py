"""Weights beside a card: what is read is what was written, or an error that names the file."""

import hashlib
import json

import numpy as np
import pytest

from fitgym.common.weights import read_card, read_card_and_tensors, write_card_and_tensors

save = pytest.importorskip("safetensors.numpy").save
TENSORS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([1, 2])}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "deep" / "w.safetensors"
    write_card_and_tensors(path, {"note": "test", "inf": float("inf")}, TENSORS)
    return path


def restamp(path, content):
    """Write tensors anew under a card that has the right hash."""
    path.write_bytes(content)
    card = json.loads(path.with_suffix(".json").read_text())
    card["sha256"] = hashlib.sha256(content).hexdigest()
    path.with_suffix(".json").write_text(json.dumps(card))


def test_a_round_trip(saved):
    card, tensors = read_card_and_tensors(saved, ["note"])
    assert (card["note"], card["inf"], card["weights"]) == ("test", None, 8)
    assert card["sha256"] == hashlib.sha256(saved.read_bytes()).hexdigest()
    assert read_card(saved) == card
    assert set(tensors) == set(TENSORS)
    for name, tensor in TENSORS.items():
        np.testing.assert_array_equal(tensors[name], tensor)
    assert sorted(path.name for path in saved.parent.iterdir()) == ["w.json", "w.safetensors"]


def test_tensors_that_are_not_the_cards_are_refused(saved):
    saved.write_bytes(saved.read_bytes()[:-1] + b"\x07")
    with pytest.raises(ValueError, match=r"w\.safetensors is corrupted or does not belong to w\."):
        read_card_and_tensors(saved)


@pytest.mark.parametrize("content", [b"", b"\x00" * 8, b"\xff" * 40, b"not tensors at all"])
def test_damage_under_the_right_hash_is_named(saved, content):
    restamp(saved, content)
    with pytest.raises(ValueError, match=r"w\.safetensors holds no readable tensors"):
        read_card_and_tensors(saved)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(saved, value):
    broken = {**TENSORS, "c": np.array([0.0, value])}
    with pytest.raises(ValueError, match="weights: the tensor 'c' is not finite"):
        write_card_and_tensors(saved, {}, broken)
    assert set(read_card_and_tensors(saved)[1]) == set(TENSORS)
    restamp(saved, save(broken))
    with pytest.raises(ValueError, match=r"w\.safetensors: the tensor 'c' is not finite"):
        read_card_and_tensors(saved)


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("[]", r"w\.json holds no object"),
        ("{}", r"w\.json lacks note, sha256"),
        ("{", r"w\.json is not valid JSON"),
        ('{"note": NaN}', r"w\.json is not valid JSON"),
    ],
)
def test_a_card_that_is_none_is_refused(saved, card, message):
    saved.with_suffix(".json").write_text(card)
    for read in (read_card, read_card_and_tensors):
        with pytest.raises(ValueError, match=message):
            read(saved, ["note"])


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must be a \.safetensors file, got '.*w\.pt'"):
        write_card_and_tensors(tmp_path / "w.pt", {}, TENSORS)
    with pytest.raises(ValueError, match=r"must be a \.safetensors file"):
        read_card_and_tensors(tmp_path / "w.pt")
