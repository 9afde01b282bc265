"""One day under an adherence model in Python: the step that the compiled one cannot take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence import CustomAdherence, Response, Situation
from fitgym.common.validation import require_number


def respond(
    adherence: Any, state: NDArray[np.void], plan_trimp: float, generator: np.random.Generator
) -> Response:
    """Return what the person does today, checked.

    Args:
        adherence: The person's ``CustomAdherence``.
        state: Record of ``STATE``.
        plan_trimp: ``a_t``, 0 for no plan.
        generator: The episode's random numbers.

    Raises:
        ValueError: If the intensity is out of range.
        TypeError: If it is not a number.
    """
    model: CustomAdherence = adherence
    response = model.respond(
        Situation(
            day=int(state["day"]),
            plan_trimp=plan_trimp,
            intensity=float(state["intensity"]),
            base_level=float(state["base_level"]),
            fitness=float(state["fitness"]),
            fatigue=float(state["fatigue"]),
            generator=generator,
        )
    )
    intensity = require_number(
        "the adherence's intensity", response.intensity, 0, model.largest_session_trimp
    )
    return Response(intensity, bool(response.met) and plan_trimp > 0.0)
