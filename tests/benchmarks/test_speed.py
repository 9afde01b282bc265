"""The speed benchmark: costs taken in turns, medians of ratios, memory, and a whole report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from steady_learner import Steady

from fitgym.cli.main import main
from fitgym_benchmarks.speed import overhead, speed, timing
from fitgym_benchmarks.speed import training as training_speed
from fitgym_benchmarks.speed.report import as_markdown, write_speed_report
from fitgym_benchmarks.speed.speed import (
    Measurements,
    Sizes,
    bytes_per_environment,
    measure,
    speed_pairs,
)
from fitgym_benchmarks.speed.timing import (
    Comparison,
    Pair,
    compare,
    peak_bytes,
    seconds_per_unit,
    take_turns,
)

SMALL = Sizes(
    least_seconds=0.0,
    workers=1,
    few=2,
    many=100,
    crowds=(200, 300),
    plans=1,
    training_steps=20,
    runs=(1, 2),
)


@pytest.fixture
def spend(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let time pass on a clock that nothing else moves."""
    now = 0.0

    def pass_by(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr("time.perf_counter", lambda: now)
    return pass_by


def test_a_comparison_times_in_turns_and_takes_medians(spend: Callable[[float], None]) -> None:
    order: list[str] = []
    durations = {"own": iter([9.0, 1.0, 2.0, 3.0]), "yardstick": iter([9.0, 4.0, 4.0, 9.0])}

    @contextmanager
    def prepare(name: str, units: int) -> Iterator[timing.Work]:
        def work() -> int:
            spend(next(durations[name]))
            order.append(name)
            return units

        yield work
        order.append(f"{name} closed")

    pair = Pair(
        name="x",
        yardstick="y",
        prepare=lambda: prepare("own", 10),
        prepare_yardstick=lambda: prepare("yardstick", 1),
        target=30.0,
    )
    ticks: list[None] = []
    result = compare(pair, 3, 0.0, lambda: ticks.append(None))
    assert order == ["own", "yardstick"] * 4 + ["yardstick closed", "own closed"]
    assert len(ticks) == 8
    # The first pair warms up. Per unit: 0.1, 0.2, 0.3 against 4, 4, 9, so 40, 20 and 30.
    assert result.cost == pytest.approx(0.2)
    assert result.yardstick_cost == pytest.approx(4.0)
    assert result.ratio == pytest.approx(30.0)
    assert result.lowest_ratio == pytest.approx(20.0)


def test_the_ratio_is_the_median_of_ratios_and_not_the_ratio_of_medians() -> None:
    result = Comparison.of("x", "y", [1.0, 2.0, 4.0], [3.0, 1.0, 8.0])
    assert result.yardstick_cost / result.cost == 1.5
    assert (result.ratio, result.lowest_ratio) == (2.0, 0.5)


@pytest.mark.parametrize(("target", "met"), [(None, None), (2.0, True), (2.1, False)])
def test_a_target_is_met_from_the_very_ratio_on(target: float | None, met: bool | None) -> None:
    assert Comparison.of("x", "y", [1.0], [2.0], target).met is met


def test_a_turn_goes_on_until_it_is_long_enough(spend: Callable[[float], None]) -> None:
    def work() -> int:
        spend(0.5)
        return 10

    assert seconds_per_unit(work, 1.2) == pytest.approx(1.5 / 30)
    assert seconds_per_unit(work, 0.0) == pytest.approx(0.5 / 10)


def test_turns_go_round_and_the_first_round_does_not_count() -> None:
    counter = iter(range(9))
    timers = [lambda: float(next(counter))] * 3
    assert take_turns(timers, 2, lambda: None) == [[3, 6], [4, 7], [5, 8]]


def test_peak_memory_counts_what_was_let_go_again_and_not_what_was_there_before() -> None:
    before = np.ones(10**6)

    def work() -> np.ndarray:
        first = before[: 5 * 10**5] + 1.0  # 4 MB
        del first
        return before[: 10**5] + 1.0  # 0.8 MB

    assert peak_bytes(work) == pytest.approx(4e6, rel=0.01)
    assert peak_bytes(lambda: None) < 1e4


def test_memory_of_an_environment_leaves_out_what_is_shared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Environments:
        def __init__(self, env_id: str, num_envs: int) -> None:
            self.shared = np.ones(10**6)
            self.own = np.ones((num_envs, 1000))

        def get_attr(self, name: str) -> tuple[int, ...]:
            return (3,)

        def reset(self, seed: int) -> None: ...

        def step(self, actions: np.ndarray) -> None: ...

        def close(self) -> None: ...

    monkeypatch.setattr("gymnasium.make_vec", Environments)
    assert bytes_per_environment("x", 50) == pytest.approx(8000, rel=0.01)


def test_an_environment_takes_more_memory_than_its_state() -> None:
    from fitgym.envs.records import OUTCOME, STATE

    taken = bytes_per_environment("fitgym/AcquisitionReplay-v0", 300)
    assert STATE.itemsize + OUTCOME.itemsize < taken < 10_000


def test_every_pair_is_measured_and_reported(tmp_path: Path) -> None:
    measurements = measure(["environments"], 1, SMALL)
    pairs = speed_pairs(SMALL)
    found = [(c.name, c.yardstick, c.target) for c in measurements.environments]
    assert found == [(pair.name, pair.yardstick, pair.target) for pair in pairs]
    assert len(measurements.memory) == 2
    assert not measurements.training
    page = write_speed_report(measurements, tmp_path, 1, "the command")
    content = json.loads((tmp_path / "speed.json").read_text())
    assert {"command", "machine", "versions", "date", "repeats"} < set(content)
    text = page.read_text()
    for comparison in (*measurements.environments, *measurements.memory):
        assert comparison.cost > 0.0
        assert vars(comparison) in content["environments"] + content["memory"]
        assert f"| {comparison.name} |" in text
        assert f"| {comparison.yardstick} |" in text


def test_the_targets_are_those_promised() -> None:
    targets = {(pair.name, pair.yardstick): pair.target for pair in speed_pairs(Sizes())}

    def of(name: str, yardstick: str) -> float | None:
        (target,) = (t for (n, y), t in targets.items() if n.startswith(name) and yardstick in y)
        return target

    assert of("transition", "network") == 500
    assert of("fitgym/Acquisition-v0", "CartPole-v1") == 0.5
    assert of("64 x", "SyncVectorEnv") == 20
    assert of("1,024 x", "SyncVectorEnv") == 50
    assert of("1,024 x fitgym/Acquisition-v0", "CartPoleVectorEnv") == 0.5
    assert of("fitgym/Acquisition-v1", "CartPole-v1") == 0.8
    assert of("1,024 x fitgym/Acquisition-v1", "CartPoleVectorEnv") == 0.45
    assert of("65,536 x", "1,024 of the same") == 0.8


def test_the_report_shows_targets_and_rates() -> None:
    text = as_markdown(
        Measurements(
            environments=[
                Comparison.of("a", "b", [2e-6], [1e-6], 0.8),
                Comparison.of("c", "d", [2.0], [5e-3], None),
            ],
            training=[Comparison.of("ppo", "defaults", [1e-4], [1e-3])],
        ),
        repeats=7,
        command="fitgym benchmark speed",
    )
    assert "| a | b | 2 us | 1 us | 0.50 | 0.50 | >= 0.8 | no |" in text
    assert "| c | d | 2.00 s | 5.00 ms | 0.00 | 0.00 |  |  |" in text
    assert "| ppo | defaults | 10,000 | 1,000 | 10.00 | 10.00 |" in text
    assert "## Memory" not in text


def test_every_built_in_learner_is_measured() -> None:
    found = training_speed.learners()
    assert {"ppo", "a2c", "dqn", "recurrent-ppo"} <= set(found)
    assert not {"fixed", "random", "coach", "belief", "dynamic-programming"} & set(found)


def test_learning_is_timed_from_the_first_report_on(spend: Callable[[float], None]) -> None:
    class Slow(Steady):
        def learn(self, total_timesteps, *, progress=None):
            spend(100.0)  # Processes start.
            progress(0)
            spend(1.0)
            progress(4)
            spend(3.0)
            progress(10)
            spend(2.0)  # The last update.
            return self

    assert training_speed.learning_seconds(Slow(), 10) == pytest.approx(5.0 / 6.0)


def test_a_learner_that_does_not_report_is_an_error() -> None:
    class Silent(Steady):
        def learn(self, total_timesteps, *, progress=None):
            return self

    with pytest.raises(RuntimeError, match="steady reported its progress less than twice in 10"):
        training_speed.learning_seconds(Silent(), 10)


def test_learners_take_turns_with_one_yardstick(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["steady_learner:Steady", "ppo"]
    monkeypatch.setattr(speed, "learners", lambda: names)
    monkeypatch.setattr(speed, "Sizes", lambda: SMALL)
    arguments = ["--repeats", "1", "--only", "training", "--out", str(tmp_path)]
    assert main(["benchmark", "speed", *arguments]) == 0
    content = json.loads((tmp_path / "speed.json").read_text())
    assert [comparison["name"] for comparison in content["training"]] == names
    assert len({comparison["yardstick_cost"] for comparison in content["training"]}) == 1
    assert content["environments"] == []
    assert content["command"] == "fitgym benchmark speed --repeats 1 --only training"
    assert "## Training" in capsys.readouterr().out


def test_a3c_is_compared_with_those_it_is_to_be_faster_than(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps_of = {}

    def learning_seconds(agent: Any, steps: int) -> float:
        steps_of[agent.name] = steps
        return {"A3C hybrid": 1e-5, "RecurrentPPO": 2e-4, "A2C": 1.5e-5}[agent.name]

    monkeypatch.setattr(training_speed, "learning_seconds", learning_seconds)
    comparisons = training_speed.compare_learners(
        ["a2c", "a3c", "recurrent-ppo"],
        "fitgym/Acquisition-v0",
        steps=100,
        repeats=1,
        tick=lambda: None,
    )
    against_recurrent, against_a2c = comparisons[3:]
    assert (against_recurrent.yardstick, against_recurrent.target) == ("recurrent-ppo", 10.0)
    assert against_recurrent.ratio == pytest.approx(20.0)
    assert against_recurrent.met
    assert (against_a2c.yardstick, against_a2c.target) == ("a2c", 2.0)
    assert against_a2c.ratio == pytest.approx(1.5)
    assert not against_a2c.met
    assert steps_of["A2C"] == steps_of["RecurrentPPO"] == 100 < steps_of["A3C hybrid"]


def test_a_sweep_is_measured_on_every_installed_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overhead, "is_installed", lambda name: False)
    measurements = measure(["runs"], 1, SMALL)
    (run,), (episode,) = measurements.runs, measurements.memory
    assert run.name == "a run beyond its evaluation, local"
    assert run.yardstick_cost == 0.2
    # Six arrays of 90 days of 8 bytes each, and a performance more.
    assert episode.yardstick_cost == pytest.approx(8 * (6 * 90 + 1), rel=0.01)
    assert not measurements.environments
    text = as_markdown(measurements, 1, "the command")
    assert f"| {run.name} |" in text
    assert f"| {episode.name} |" in text
    monkeypatch.setattr(overhead, "is_installed", lambda name: True)
    assert len(overhead.backends(3)) == 3


def test_the_cost_of_a_run_is_what_further_runs_take_beyond_their_evaluation(
    spend: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overhead, "_sweep", lambda count, backend: spend(30.0 + 0.5 * count))
    monkeypatch.setattr(overhead, "evaluate", lambda *words, **more: spend(0.1))
    ticks: list[None] = []
    found = overhead.compare_overhead(5, 25, "x", overhead.Local(1), lambda: ticks.append(None))
    assert found.cost == pytest.approx(0.4)
    assert found.ratio == pytest.approx(0.5)
    assert not found.met
    assert len(ticks) == 2


def test_no_repeats_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "speed", "--repeats", "0"]) == 2
    assert "--repeats must be" in capsys.readouterr().err
