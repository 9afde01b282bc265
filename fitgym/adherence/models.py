"""The adherence models that ship: by name, and what each makes of a plan inside compiled code.

A compiled model is its class and response in a file of its own, its two lines here, and its
expected reward in ``fitgym.planning.one_step``. ``certain`` is the simplest example.
"""

from __future__ import annotations

import importlib
from typing import Any

from fitgym.adherence.base import Adherence
from fitgym.adherence.certain import CertainAdherence, plan_carried_out
from fitgym.adherence.custom import CustomAdherence
from fitgym.adherence.fitrec import FitRecAdherence
from fitgym.adherence.fitrec2 import Fitrec2Adherence
from fitgym.adherence.fitrec2_step import FITREC2, plan_tolerated_by_body
from fitgym.adherence.fitrec_step import FITREC, plan_tolerated
from fitgym.adherence.replay import REPLAY, ReplayAdherence, session_replayed
from fitgym.common.compilation import compiled
from fitgym.people.individual import Individual

MODELS: dict[str, type[Adherence]] = {
    "fitrec": FitRecAdherence,
    "fitrec2": Fitrec2Adherence,
    "replay": ReplayAdherence,
    "certain": CertainAdherence,
}


@compiled
def respond(
    state: Any, person: Any, plan_trimp: float, code: int, tables: Any
) -> tuple[float, bool]:
    """Return the points that a person does today, and whether a plan was given and met.

    Args:
        state: Record of ``STATE``; what the model remembers of the day changes.
        person: Record of ``PERSON``.
        plan_trimp: ``a_t``, 0 for no plan.
        code: Code of the model.
        tables: ``fitgym.adherence.base.Tables`` of the model.
    """
    if code == FITREC2:
        return plan_tolerated_by_body(state, person, plan_trimp, tables)
    if code == FITREC:
        return plan_tolerated(state, person, plan_trimp, tables)
    if code == REPLAY:
        return session_replayed(state, plan_trimp, tables)
    return plan_carried_out(plan_trimp)


def adherence_class(name: str) -> type[Adherence]:
    """Return the class of the adherence model called ``name``.

    Args:
        name: One of ``MODELS``, or the import path ``package.module:Class`` of a subclass of
            ``CustomAdherence``.

    Raises:
        ValueError: If there is no such model.
        TypeError: If the import path leads to something else than an adherence class.
    """
    if isinstance(name, str) and name in MODELS:
        return MODELS[name]
    module, _, attribute = name.partition(":") if isinstance(name, str) else ("", "", "")
    if not module or not attribute:
        raise ValueError(
            f"adherence must be one of {', '.join(map(repr, MODELS))} or an import path "
            f"'package.module:Class', got {name!r}"
        )
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"adherence {name!r} cannot be imported: {error}") from error
    if not (isinstance(found, type) and issubclass(found, CustomAdherence)):
        raise TypeError(f"adherence {name!r} must be a subclass of CustomAdherence, got {found!r}")
    return found


def make_adherence(
    name: str, individual: Individual, predictor: str | None = None, log_part: str = "all"
) -> Adherence:
    """Return the adherence model called ``name`` for ``individual``.

    Args:
        name: As in ``adherence_class``.
        individual: The person.
        predictor: Which predictor of heart rate FitRec adherence uses; None for the model's own.
        log_part: Which part of the log replay takes its windows from.

    Raises:
        ValueError: If there is no such model, or it does not suit the individual.
        TypeError: If the import path leads to something else than an adherence class.
    """
    model: Any = adherence_class(name)
    options = {"predictor": predictor, "log_part": log_part}
    made: Adherence = model(
        individual,
        **{option: options[option] for option in model.options if options[option] is not None},
    )
    return made
