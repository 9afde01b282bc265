"""Adherence: what an individual really does when a plan is pushed."""

from __future__ import annotations

import importlib

from fitgym.adherence.base import Adherence, CustomAdherence, Response, Situation
from fitgym.adherence.certain import Certain
from fitgym.adherence.fitrec import FitRec
from fitgym.adherence.replay import Replay
from fitgym.people.individual import Individual

__all__ = [
    "Adherence",
    "Certain",
    "CustomAdherence",
    "FitRec",
    "Replay",
    "Response",
    "Situation",
    "make_adherence",
]


def make_adherence(
    name: str, individual: Individual, predictor: str = "fitrec", log_part: str = "all"
) -> Adherence:
    """Return the adherence model called ``name`` for ``individual``.

    Args:
        name: ``"fitrec"``, ``"replay"``, ``"certain"``, or the import path
            ``package.module:Class`` of a subclass of ``CustomAdherence``.
        individual: The person.
        predictor: Which predictor of heart rate FitRec adherence uses.
        log_part: Which part of the log replay takes its windows from.

    Raises:
        ValueError: If there is no such model, or it does not suit the individual.
        TypeError: If the import path leads to something else than an adherence class.
    """
    if name == "fitrec":
        return FitRec(individual, predictor)
    if name == "certain":
        return Certain(individual)
    if name == "replay":
        return Replay(individual, log_part)
    module, _, attribute = name.partition(":") if isinstance(name, str) else ("", "", "")
    if not module or not attribute:
        raise ValueError(
            "adherence must be 'fitrec', 'replay', 'certain' or an import path "
            f"'package.module:Class', got {name!r}"
        )
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"adherence {name!r} cannot be imported: {error}") from error
    if not (isinstance(found, type) and issubclass(found, CustomAdherence)):
        raise TypeError(f"adherence {name!r} must be a subclass of CustomAdherence, got {found!r}")
    return found(individual)
