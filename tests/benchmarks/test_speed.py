"""Comparisons of speed are medians of pairs taken in turns."""

from __future__ import annotations

import pytest

from benchmarks import speed


def test_a_comparison_times_in_turns_and_takes_medians(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 0.0
    order = []
    durations = {"own": iter([9.0, 1.0, 2.0, 3.0]), "yardstick": iter([9.0, 4.0, 4.0, 9.0])}

    def work(name: str, units: int) -> int:
        nonlocal clock
        clock += next(durations[name])
        order.append(name)
        return units

    monkeypatch.setattr("time.perf_counter", lambda: clock)
    result = speed.compare("x", lambda: work("own", 10), lambda: work("yardstick", 1), repeats=3)
    assert order == ["own", "yardstick"] * 4
    # The first pair warms up. Per unit: 0.1, 0.2, 0.3 against 4, 4, 9.
    assert result.seconds == pytest.approx(0.2)
    assert result.yardstick_seconds == pytest.approx(4.0)
    assert result.ratio == pytest.approx(30.0)
    assert result.lowest_ratio == pytest.approx(20.0)
