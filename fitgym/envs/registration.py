"""Registered environments: their ids, entry points and arguments."""

from __future__ import annotations

from typing import Any

from gymnasium.envs.registration import register

_ENTRY_POINT = "fitgym.envs.scalar:FitnessFatigueEnv"
_VECTOR_ENTRY_POINT = "fitgym.envs.vector:FitnessFatigueVectorEnv"

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


def register_environments() -> None:
    """Register every environment with Gymnasium, without loading any of them."""
    for kind, arguments in _KINDS.items():
        for stage in ("acquisition", "retention"):
            register(
                id=f"fitgym/{stage.capitalize()}{kind}-v0",
                entry_point=_ENTRY_POINT,
                vector_entry_point=_VECTOR_ENTRY_POINT,
                kwargs={"stage": stage, **arguments},
            )
