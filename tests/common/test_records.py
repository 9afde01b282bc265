"""Records that are read hold what their annotations say, or the field is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from fitgym.common.records import check_fields


@dataclass(frozen=True)
class Inner:
    number: float = 1.0
    pairs: tuple[tuple[str, int], ...] = (("a", 1),)


@dataclass(frozen=True)
class Outer:
    name: str = "x"
    count: int = 1
    sure: bool = True
    inner: Inner = Inner()
    perhaps: Inner | None = None
    series: tuple[float | None, ...] = (1.0, None, 2)
    told: Mapping[str, Any] = field(default_factory=dict)
    by_name: Mapping[str, float] = field(default_factory=dict)


def test_sound_records_pass() -> None:
    check_fields(Outer())
    check_fields(Outer(perhaps=Inner(), told={"a": object()}, by_name={"a": 1, "b": 2.5}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": 1}, "^name must be a string, got 1$"),
        ({"count": 1.0}, r"^count must be a whole number, got 1\.0$"),
        ({"count": True}, "^count must be a whole number, got True$"),
        ({"sure": 1}, "^sure must be true or false, got 1$"),
        ({"inner": {"number": 1.0}}, "^inner must be a mapping"),
        ({"inner": Inner(number="1")}, r"^inner\.number must be a finite number"),
        ({"inner": Inner(number=float("nan"))}, r"^inner\.number must be a finite number"),
        ({"perhaps": Inner(number=1e13)}, r"^perhaps\.number must be "),
        ({"inner": Inner(pairs="ab")}, r"^inner\.pairs must be a list, got 'ab'$"),
        ({"inner": Inner(pairs=(("a",),))}, r"^inner\.pairs\[0\] must have 2 parts"),
        (
            {"inner": Inner(pairs=(("a", 1), ("b", "2")))},
            r"^inner\.pairs\[1\]\[1\] must be a whole",
        ),
        ({"series": (1.0, "2")}, r"^series\[1\] must be a finite number"),
        ({"told": []}, "^told must be a mapping"),
        ({"by_name": {"a": None}}, r"^by_name\['a'\] must be a finite number"),
        ({"by_name": {1: 1.0}}, "^by_name must be a mapping"),
        ({"name": ["x" * 500]}, "^name must be a string, got .{80}$"),
    ],
)
def test_the_field_that_is_wrong_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        check_fields(replace(Outer(), **changes))


def test_where_a_record_stands_is_told() -> None:
    with pytest.raises(TypeError, match=r"^state\.name must be a string"):
        check_fields(Outer(name=None), "state")  # type: ignore[arg-type]
