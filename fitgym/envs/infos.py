"""Infos: the same keys with the same types after every reset and step, NaN where there is nothing.

The names are those of an outcome's fields, but for the terms of the reward, which stand together.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence import Adherence
from fitgym.envs.records import OUTCOME

# What stands for the plan of a day that has not been.
NO_PLAN = -1

_NUMBERS = (
    "plan_trimp",
    "done_trimp",
    "completion",
    "base_level",
    "fitness",
    "fatigue",
    "performance",
)
_TERMS = ("performance", "completion", "shortfall")
_FIELDS = tuple(OUTCOME.names or ())
_MET = _FIELDS.index("met")
_TERM_PLACES = tuple((name, _FIELDS.index(f"{name}_term")) for name in _TERMS)


def info_numbers(model: type[Adherence]) -> tuple[str, ...]:
    """Return the names of the numbers that stand in an info as they are in an outcome."""
    motivation = ("motivation",) if model.has_motivation else ()
    heart_rate = ("mean_heart_rate", "internal_load") if model.has_heart_rate else ()
    return (*_NUMBERS, *motivation, *heart_rate)


def vector_rewards(outcomes: NDArray[np.void], days: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the terms of each reward, (N, 3): performance, completion and shortfall.

    Args:
        outcomes: Record array of ``OUTCOME`` (N,).
        days: (N,) days that the episodes have had; after a reset rewards are 0.
    """
    terms = np.stack([outcomes[f"{name}_term"] for name in _TERMS], axis=-1)
    return np.where(days[:, None] > 0, terms, 0.0)


def single_info(outcome: NDArray[np.void], numbers: tuple[str, ...]) -> dict[str, Any]:
    """Return the info of one environment, without plan and mask.

    Args:
        outcome: Record array of ``OUTCOME`` (1,).
        numbers: Those to show, see ``info_numbers``.
    """
    values = outcome.view(np.float64).tolist()
    # Both are as long as ``numbers``; asking zip to check it takes time in every step.
    info: dict[str, Any] = dict(zip(numbers, _pick(numbers)(values)))  # noqa: B905
    info["met"] = values[_MET] > 0.0
    info["reward_terms"] = {name: values[place] for name, place in _TERM_PLACES}
    return info


@cache
def _pick(numbers: tuple[str, ...]) -> Callable[[list[float]], tuple[float, ...]]:
    """Return what takes some fields from the numbers of an outcome."""
    return itemgetter(*map(_FIELDS.index, numbers))


def batch_infos(
    outcomes: NDArray[np.void],
    numbers: tuple[str, ...],
    present: NDArray[np.bool_],
    own: dict[str, NDArray[Any]],
) -> dict[str, Any]:
    """Return the infos of many environments as Gymnasium batches them: with a mask for each key.

    Args:
        outcomes: Record array of ``OUTCOME`` (N,), zero where there is no info; infos are views.
        numbers: Those to show, see ``info_numbers``.
        present: (N,) which environments have an info.
        own: (N, ...) more values of each environment, by key; zero where there is no info.
    """
    mask = present.copy()
    terms = {name: outcomes[f"{name}_term"] for name in _TERMS}
    infos: dict[str, Any] = {name: outcomes[name] for name in numbers}
    infos |= {"met": outcomes["met"] > 0.0, "reward_terms": _masked(terms, mask), **own}
    return _masked(infos, mask)


def _masked(values: dict[str, Any], mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the values and, under ``_key``, which environments have them."""
    return values | {f"_{name}": mask for name in values}
