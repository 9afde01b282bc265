"""Reading actions: which plan each asks for, which is pushed, and how many points that has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_integer
from fitgym.envs.kernel import look_up_targets

# What is pushed where an action is refused.
REFUSED = -1


def pushed_plans(action_mask: NDArray[np.int8], forbidden: str) -> NDArray[np.int64]:
    """Return the plan that each action pushes, ``REFUSED`` for actions that raise an error.

    With ``forbidden="nearest"`` a forbidden plan becomes the hardest allowed one that is easier,
    no plan included, or the easiest allowed one if there is none.

    Args:
        action_mask: (actions,) 1 for the actions that may be taken, 0 for the others.
        forbidden: ``"error"`` or ``"nearest"``.
    """
    actions = np.arange(action_mask.size)
    if forbidden == "error":
        return np.where(action_mask, actions, REFUSED)
    allowed = np.flatnonzero(action_mask)
    not_harder = np.searchsorted(allowed, actions, side="right")
    return allowed[np.maximum(not_harder - 1, 0)]


def read_action(
    action: Any, pushed: Sequence[int], targets_trimp: Sequence[float]
) -> tuple[int, float]:
    """Return the plan that an action pushes, and its points, 0 for no plan.

    Args:
        action: What was given to ``step``.
        pushed: The plan that each action pushes, see ``pushed_plans``.
        targets_trimp: Points of each plan, 0 first.

    Raises:
        ValueError: If the action is not an allowed one.
        TypeError: If it has the wrong type.
    """
    plan = pushed[require_integer("action", action, 0, len(pushed) - 1)]
    if plan == REFUSED:
        raise ValueError(
            f"action must be one of {_allowed(pushed)}, got {action}: the plan is forbidden"
        )
    return plan, targets_trimp[plan]


def read_continuous_action(action: Any, targets_trimp: Sequence[float]) -> float:
    """Return the points that an action asks for, 0 for no plan.

    Args:
        action: What was given to ``step``: an array (1,) in [-1, 1].
        targets_trimp: Points of each plan, 0 first.

    Raises:
        ValueError: If the action is something else.
    """
    value = np.asarray(action)
    if value.shape != (1,) or value.dtype.kind not in "fiu" or not -1.0 <= value[0] <= 1.0:
        raise ValueError(f"action must be an array of shape (1,) in [-1, 1], got {action!r}")
    return float(_interpolated(float(value[0]), targets_trimp))


def read_actions(
    actions: Any,
    chosen: NDArray[np.bool_],
    pushed: NDArray[np.int64],
    targets_trimp: NDArray[np.float64],
    plans: NDArray[np.int64],
    plans_trimp: NDArray[np.float64],
) -> None:
    """Write the plan and the points that each chosen action pushes; see ``read_action``.

    Args:
        actions: (N,) one action for each environment.
        chosen: (N,) whose actions are read; those of the others are not checked either.
        pushed: The plan that each action pushes.
        targets_trimp: Points of each plan, 0 first.
        plans: (N,) filled in for the chosen.
        plans_trimp: (N,) filled in for the chosen.

    Raises:
        ValueError: If an action is not an allowed one, or the shape is wrong.
        TypeError: If they have the wrong type.
    """
    values = _checked(actions, (chosen.size,), "iu", "integers")
    wrong = look_up_targets(
        np.asarray(values, np.int64), chosen, pushed, targets_trimp, plans, plans_trimp
    )
    if wrong >= 0:
        allowed = _allowed(pushed.tolist())
        raise ValueError(f"actions[{wrong}] must be one of {allowed}, got {values[wrong]}")


def read_continuous_actions(
    actions: Any,
    chosen: NDArray[np.bool_],
    targets_trimp: NDArray[np.float64],
    plans_trimp: NDArray[np.float64],
) -> None:
    """Write the points that each chosen action asks for; see ``read_actions``.

    Args:
        actions: (N, 1) one action for each environment, in [-1, 1].
        chosen: (N,) whose actions are read; those of the others are not checked either.
        targets_trimp: Points of each plan, 0 first.
        plans_trimp: (N,) filled in for the chosen.

    Raises:
        ValueError: If an action is out of range, or the shape is wrong.
        TypeError: If they have the wrong type.
    """
    values = _checked(actions, (chosen.size, 1), "fiu", "numbers")
    numbers = values[:, 0].astype(np.float64)
    wrong = chosen & ~(np.abs(numbers) <= 1.0)
    if wrong.any():
        first = int(wrong.argmax())
        raise ValueError(f"actions[{first}] must be in [-1, 1], got {values[first]}")
    plans_trimp[chosen] = _interpolated(numbers[chosen], targets_trimp)


def _checked(actions: Any, shape: tuple[int, ...], kinds: str, allowed: str) -> NDArray[Any]:
    """Return actions as an array of the shape and of one of the kinds of numbers."""
    values = np.asarray(actions)
    if values.dtype.kind not in kinds:
        raise TypeError(f"actions must be {allowed}, got an array of {values.dtype}")
    if values.shape != shape:
        raise ValueError(f"actions must have shape {shape}, got {values.shape}")
    return values


def _allowed(pushed: Sequence[int]) -> list[int]:
    return [action for action, plan in enumerate(pushed) if plan != REFUSED]


def _interpolated(action: Any, targets_trimp: Sequence[float] | NDArray[np.float64]) -> Any:
    """Return the points that an action in [-1, 1], or an array of them, asks for.

    Below half the easiest plan there is no plan.
    """
    target = 0.5 * (action + 1.0) * targets_trimp[-1]
    return target * (target >= 0.5 * targets_trimp[1])
