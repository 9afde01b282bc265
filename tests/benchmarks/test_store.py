"""What is stored comes back unchanged, and a run that has not finished is not there."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from fitgym_agents.files import load_agent
from fitgym_benchmarks.runs import execute
from fitgym_benchmarks.store import ResultStore


def test_a_result_comes_back_as_it_was(results, tmp_path) -> None:
    store = ResultStore(tmp_path)
    for result in results:
        store.put(result)
    for result in results:
        found = store.get(result.run)
        for field in fields(result):
            if field.name != "evaluation":
                assert getattr(found, field.name) == getattr(result, field.name)
        for field in fields(result.evaluation):
            before = getattr(result.evaluation, field.name)
            after = getattr(found.evaluation, field.name)
            assert type(after) is type(before)
            np.testing.assert_array_equal(after, before)


def test_a_run_that_has_not_finished_is_not_found(results, tmp_path) -> None:
    store = ResultStore(tmp_path)
    run = results[0].run
    assert store.get(run) is None
    store.put(results[0])
    # What a run leaves that was killed while it wrote: everything but the last file.
    (tmp_path / run.key / "result.json").unlink()
    assert store.get(run) is None
    store.discard(run)
    assert list(tmp_path.iterdir()) == []
    store.discard(run)


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
