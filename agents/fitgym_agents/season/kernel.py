"""The compiled functions that the season's page calls, and the WebAssembly made of them.

``scripts/make_season_kernel.py`` turns what numba makes of these functions into
``kernel.wasm``. Nothing of an equation is written twice: they call the functions of the
environments.
"""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Any

from fitgym.common.code_cache import compiled_sources
from fitgym.envs import kernel
from fitgym.envs.context import complete
from fitgym.envs.cost import add_day
from fitgym.model.strain import ACUTE_DAYS, CHRONIC_DAYS

# Folders of the package whose compiled modules an environment's day calls.
_FOLDERS = ("adherence", "envs", "model")
_FILE = "kernel.wasm"


def begin(states: Any, outcomes: Any, people: Any, chosen: Any, starts: Any, keys: Any) -> None:
    """Start an episode; see ``fitgym.envs.kernel.begin_batch``."""
    kernel.begin_batch(states, outcomes, people, chosen, starts, keys)


def step(
    states: Any,
    outcomes: Any,
    people: Any,
    chosen: Any,
    plans_trimp: Any,
    adherence: int,
    tables: Any,
    ended: Any,
) -> None:
    """Move on by a day; see ``fitgym.envs.kernel.step_batch``."""
    kernel.step_batch(states, outcomes, people, chosen, plans_trimp, adherence, tables, ended)


def observe(states: Any, outcomes: Any, contexts: Any, days: int, observations: Any) -> None:
    """Write the observation ``"person"``; see ``fitgym.envs.context.complete``."""
    kernel.observe_batch(states, days, kernel.STATE_OBSERVATION, observations)
    complete(observations, outcomes, contexts)


def charge(weeks: Any, states: Any, chosen: Any, ratios: Any) -> None:
    """Write the acute:chronic ratio after a day; see ``fitgym.envs.cost``."""
    add_day(weeks, states, chosen, ratios, ACUTE_DAYS, CHRONIC_DAYS, 0.0)


EXPORTED = (begin, step, observe, charge)


def kernel_sources_hash() -> str:
    """Return a hash of the sources of every compiled function that a day may call."""
    digest = hashlib.sha256()
    for path, source in compiled_sources().items():
        if path.parent.name in _FOLDERS:
            digest.update(f"{path.parent.name}/{path.name} {len(source)} ".encode() + source)
    return digest.hexdigest()


def read_kernel() -> bytes:
    """Return the WebAssembly that ships."""
    return (resources.files("fitgym_agents") / "season" / _FILE).read_bytes()
