"""Steps under adherence models in Python, which the compiled step cannot call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence import CustomAdherence, Response, Situation
from fitgym.common.validation import require_number
from fitgym.envs import kernel


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


def step_batch_in_python(
    states: NDArray[np.void],
    outcomes: NDArray[np.void],
    people: NDArray[np.void],
    chosen: NDArray[np.bool_],
    plans_trimp: NDArray[np.float64],
    models: Sequence[Any],
    generators: Sequence[np.random.Generator],
    ended: NDArray[np.bool_],
) -> None:
    """Take a step in each chosen environment, one after the other; see ``kernel.step_batch``.

    Args:
        states: Record array of ``STATE`` (N,), changed in place.
        outcomes: Record array of ``OUTCOME`` (N,), filled in.
        people: Record array of ``PERSON``: one shared by all, or one each.
        chosen: (N,) which of them.
        plans_trimp: (N,) ``a_t``, 0 for no plan.
        models: ``CustomAdherence`` of each environment.
        generators: Random numbers of each environment's episode.
        ended: (N,) filled in with whether the episode is over.

    Raises:
        ValueError: If an intensity is out of range; then no environment has taken the step.
    """
    indices = np.flatnonzero(chosen).tolist()
    plans = plans_trimp.tolist()
    responses = [
        respond(models[index], states[index], plans[index], generators[index]) for index in indices
    ]
    for index, response in zip(indices, responses, strict=True):
        ended[index] = kernel.step_with_response(
            states, outcomes, people, index, plans[index], response.intensity, response.met
        )
