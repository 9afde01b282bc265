"""What is stored comes back unchanged, and a run that has not finished is not there."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from fitgym_agents.files import load_agent
from fitgym_benchmarks.runs import execute
from fitgym_benchmarks.store import ResultStore


def assert_same(before, after) -> None:
    for field in fields(before):
        one, other = getattr(before, field.name), getattr(after, field.name)
        assert type(one) is type(other)
        np.testing.assert_array_equal(one, other)


def test_a_result_comes_back_as_it_was(make_run, tmp_path) -> None:
    store = ResultStore(tmp_path)
    for run in (make_run(agent="random"), make_run(agent="steady_learner:Steady", steps=4)):
        result = execute(run, store.agent_folder(run), lambda steps: None)
        store.put(result)
        found = store.get(run)
        for field in fields(result):
            if field.name not in ("evaluation", "drawn"):
                assert getattr(found, field.name) == getattr(result, field.name)
        assert_same(result.evaluation, found.evaluation)
        if run.steps:
            assert_same(result.drawn, found.drawn)
        else:
            assert result.drawn is found.drawn is None


def test_a_run_that_has_not_finished_is_not_found(results, tmp_path) -> None:
    store = ResultStore(tmp_path)
    run = results[0].run
    assert store.get(run) is None
    store.put(results[0])
    # What a run leaves that was killed while it wrote: everything but the last file.
    (tmp_path / run.key / "result.json").unlink()
    assert store.get(run) is None


@pytest.mark.parametrize("name", ["result.json", "evaluation.npz"])
@pytest.mark.parametrize("content", [b"", b"{}", b"PK\x03\x04 nonsense"])
def test_a_damaged_result_is_named(results, tmp_path, name, content) -> None:
    store = ResultStore(tmp_path)
    run = results[0].run
    store.put(results[0])
    (tmp_path / run.key / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{run.key} is damaged"):
        store.get(run)


def test_the_trained_agent_is_kept_beside_the_result(make_run, tmp_path) -> None:
    store = ResultStore(tmp_path)
    run = make_run(agent="steady_learner:Steady", steps=4)
    execute(run, store.agent_folder(run), lambda steps: None)
    assert load_agent(tmp_path / run.key / "agent").plan == 2
