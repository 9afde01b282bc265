"""The tables that ship: complete, up to date, and equal to direct calls of the network."""

import numpy as np
import pytest

from fitgym.adherence.fitrec import shipped_table_requests
from fitgym.adherence.load_table import read_load_table, shipped_tables
from fitgym.people.individual import load_individual

REQUESTS = shipped_table_requests()


def test_every_table_that_is_asked_for_ships_and_no_other():
    assert {path.stem for path in shipped_tables().glob("*.npz")} == set(REQUESTS)


@pytest.mark.parametrize("key", REQUESTS)
def test_shipped_tables_hold_what_their_name_says(key):
    plans_trimp, vdot, _ = REQUESTS[key]
    table = read_load_table(shipped_tables() / f"{key}.npz")
    assert table.plans_trimp == plans_trimp
    assert table.vdot == vdot
    assert np.all((table.heart_rate_bpm > 40.0) & (table.heart_rate_bpm < 220.0))


def test_the_default_table_equals_step_by_step_calls(asked, assert_equals_direct_calls):
    pytest.importorskip("torch")
    from fitgym.predictor.fitrec.inference import load_predictor

    runner = load_individual("recreational-runner")
    request = (runner.plans_trimp, runner.physiology.vdot, runner.physiology.gender)
    (key,) = (key for key, value in REQUESTS.items() if value == request)
    table = read_load_table(shipped_tables() / f"{key}.npz")
    assert_equals_direct_calls(table, load_predictor(), *asked)
