"""Plans of policies that the season's page cannot compute, for the noise of its seasons.

What a policy pushes follows from person, stage and noise, so its plans on each season that the page
offers are found once (``scripts/make_season_plans.py``) and ship.
"""

from __future__ import annotations

from importlib import resources

import numpy as np
from numpy.typing import NDArray

# Seasons that a visitor may choose: those that an environment plays when it is reset with them.
SEASONS = 100
DAYS = 90
# Of each policy, the agent that finds its plans.
PLANNED = {"belief": "belief", "ceiling": "dynamic-programming"}
STAGES = {"acquisition": "fitgym/Acquisition-v1", "retention": "fitgym/Retention-v1"}

_FILE = "plans.npz"


def plans_key(policy: str, stage: str, person: str) -> str:
    """Return the name under which plans are kept."""
    return f"{policy}.{stage}.{person}"


def read_plans() -> dict[str, NDArray[np.uint8]]:
    """Return the plans that ship, (SEASONS, DAYS) each, by ``plans_key``."""
    path = resources.files("fitgym_agents") / "season" / _FILE
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
