"""Registered environments: their ids, entry points and arguments."""

from __future__ import annotations

from typing import Any

from gymnasium.envs.registration import register

_ENTRY_POINT = "fitgym.envs.scalar:FitnessFatigueEnv"
_VECTOR_ENTRY_POINT = "fitgym.envs.vector:FitnessFatigueVectorEnv"

# Version 1: a heart that knows today's fitness. The completion bonus is the largest, rounded down,
# at which the best fixed plan by return is the best by final VDOT for every shipped runner.
_BODY: dict[str, Any] = {
    "individual": "club-runner",
    "adherence": "fitrec2",
    "shortfall_penalty": 0.02,
}
_COMPLETION_BONUS = {"acquisition": 0.3, "retention": 0.25}
# FitRec adherence: plans have consequences for what is done on later days.
_FITREC: dict[str, Any] = {
    "individual": "recreational-runner",
    "adherence": "fitrec",
    "completion_bonus": 1.0,
    "shortfall_penalty": 0.05,
}
# The protocol of Fang et al. 2022: the runner's log is replayed, and the reward counts the
# performance predicted for the plan, mu = 60 and rho = 2.
_REPLAY: dict[str, Any] = {
    "individual": "marathon-runner",
    "adherence": "replay",
    "completion_bonus": 60.0,
    "shortfall_penalty": 2.0,
    "utility": "planned",
}
_KINDS: dict[str, dict[str, Any]] = {
    "": _FITREC,
    "Continuous": {**_FITREC, "continuous": True},
    "Replay": _REPLAY,
}
_BODY_KINDS: dict[str, dict[str, Any]] = {"": _BODY, "Continuous": {**_BODY, "continuous": True}}


def register_environments() -> None:
    """Register every environment with Gymnasium, without loading any of them."""
    for stage in ("acquisition", "retention"):
        for kind, arguments in _KINDS.items():
            _register(f"fitgym/{stage.capitalize()}{kind}-v0", {"stage": stage, **arguments})
        for kind, arguments in _BODY_KINDS.items():
            bonus = {"completion_bonus": _COMPLETION_BONUS[stage]}
            _register(
                f"fitgym/{stage.capitalize()}{kind}-v1", {"stage": stage, **arguments, **bonus}
            )


def _register(env_id: str, arguments: dict[str, Any]) -> None:
    register(
        id=env_id,
        entry_point=_ENTRY_POINT,
        vector_entry_point=_VECTOR_ENTRY_POINT,
        kwargs=arguments,
    )
