"""Gymnasium environments for personalised exercise recommendation.

Importing the package registers every environment and loads nothing heavy: the compiled kernel,
the figures and the predictor come with the first environment or command that needs them.
"""

from gymnasium.envs.registration import register

__version__ = "0.1.0"

_ENTRY_POINT = "fitgym.envs.scalar:FitnessFatigueEnv"
_VECTOR_ENTRY_POINT = "fitgym.envs.vector:FitnessFatigueVectorEnv"

# FitRec adherence: what is asked has consequences.
_FITREC = {
    "individual": "recreational-runner",
    "adherence": "fitrec",
    "completion_bonus": 1.0,
    "shortfall_penalty": 0.05,
}
for _stage in ("acquisition", "retention"):
    register(
        id=f"fitgym/{_stage.capitalize()}-v0",
        entry_point=_ENTRY_POINT,
        vector_entry_point=_VECTOR_ENTRY_POINT,
        kwargs={"stage": _stage, **_FITREC},
    )
    register(
        id=f"fitgym/{_stage.capitalize()}Continuous-v0",
        entry_point=_ENTRY_POINT,
        vector_entry_point=_VECTOR_ENTRY_POINT,
        kwargs={"stage": _stage, **_FITREC, "continuous": True},
    )

# The protocol of Fang et al. 2022: the runner's log is replayed, and the reward counts the
# performance predicted for the plan, mu = 60 and rho = 2.
_REPLAY = {
    "individual": "marathon-runner",
    "adherence": "replay",
    "completion_bonus": 60.0,
    "shortfall_penalty": 2.0,
    "utility": "planned",
}

register(
    id="fitgym/AcquisitionReplay-v0",
    entry_point=_ENTRY_POINT,
    vector_entry_point=_VECTOR_ENTRY_POINT,
    kwargs={"stage": "acquisition", **_REPLAY},
)
register(
    id="fitgym/RetentionReplay-v0",
    entry_point=_ENTRY_POINT,
    vector_entry_point=_VECTOR_ENTRY_POINT,
    kwargs={"stage": "retention", **_REPLAY},
)
