"""The tables that ship: complete, up to date, and equal to direct calls of the network."""

import shutil

import numpy as np
import pytest

from fitgym.adherence.fitrec import shipped_table_requests
from fitgym.adherence.fitrec2 import shipped_body_table_requests
from fitgym.adherence.load_table import read_shipped_table, shipped_tables
from fitgym.people.individual import load_individual

REQUESTS = shipped_table_requests()
BODY_REQUESTS = shipped_body_table_requests()


def test_every_table_that_is_asked_for_ships_and_no_other():
    assert {path.stem for path in shipped_tables().glob("*.npz")} == {
        *REQUESTS,
        *BODY_REQUESTS,
    }


@pytest.mark.parametrize("key", REQUESTS)
def test_shipped_tables_hold_what_their_name_says(key):
    plans_trimp, vdot, _ = REQUESTS[key]
    table = read_shipped_table(shipped_tables(), key)
    assert table.plans_trimp == plans_trimp
    assert table.vdot == vdot
    assert np.all((table.heart_rate_bpm > 40.0) & (table.heart_rate_bpm < 220.0))


def test_a_shipped_table_that_was_changed_is_refused(tmp_path):
    key = next(iter(REQUESTS))
    shutil.copy(shipped_tables() / "sha256.json", tmp_path)
    content = (shipped_tables() / f"{key}.npz").read_bytes()
    for changed in (content[:-1], content + b" ", b""):
        (tmp_path / f"{key}.npz").write_bytes(changed)
        with pytest.raises(ValueError, match=f"{key}.npz is damaged: its sha256 must be"):
            read_shipped_table(tmp_path, key)


def test_the_default_table_equals_step_by_step_calls(asked, assert_equals_direct_calls):
    pytest.importorskip("torch")
    from fitgym.predictor.fitrec.inference import load_predictor

    runner = load_individual("recreational-runner")
    request = (runner.plans_trimp, runner.physiology.vdot, runner.physiology.gender)
    (key,) = (key for key, value in REQUESTS.items() if value == request)
    table = read_shipped_table(shipped_tables(), key)
    assert_equals_direct_calls(table, load_predictor(), *asked)
