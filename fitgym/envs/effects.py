"""How a push acts on a person beyond what it asks for: uptake, habituation and burden.

A service's message is not always followed. On a day with a plan the person takes it up with
probability ``u exp(-h d_t)`` and else does what a day without a plan brings, where the dosage
``d_{t+1} = 0.95 d_t + 1{plan given}`` counts the pushes of the last weeks (the variable and its
0.95 are those of Liao, Greenewald, Klasnja, Murphy 2020, Personalized HeartSteps, Proceedings of
the ACM on Interactive, Mobile, Wearable and Ubiquitous Technologies 4:18). Every push also costs
``burden`` of motivation. By default every plan is taken up and costs nothing.

The presets let a simulated trial return a published effect (``scripts/effect_trials.py``):

- ``"heartsteps"``: a suggestion raised the steps of the next half hour by 14 % on average over a
  micro-randomised trial of six weeks, by 66 % at its start (Klasnja et al. 2019, Annals of
  Behavioral Medicine 53:573).
- ``"pearl"``: a nudge a day raised daily steps over those of the control group by 296 after one
  month and 210 after two, of 5,618 at baseline, 5.3 and 3.7 % (Lee et al. 2025, arXiv 2508.10060).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from fitgym.common.compilation import compiled
from fitgym.model.noise import UPTAKE, uniform

DOSAGE_KEPT = 0.95


@dataclass(frozen=True, kw_only=True)
class Effect:
    """How a push acts beyond what it asks for.

    Attributes:
        uptake: Probability that a push is taken up by whoever had none before, in [0, 1].
        habituation: By how much the log of that probability falls with each recent push, >= 0.
        burden: Motivation that a push costs, >= 0.
    """

    uptake: float = 1.0
    habituation: float = 0.0
    burden: float = 0.0


EFFECTS = {
    "heartsteps": Effect(uptake=0.82, habituation=0.286),
    "pearl": Effect(uptake=0.092, habituation=0.051),
}


@compiled
def plan_taken_up(state: Any, person: Any, plan_trimp: float) -> float:
    """Return the plan that a push leads to: ``plan_trimp``, or 0 where the person ignores it.

    Args:
        state: Record of ``STATE``.
        person: Record of ``PERSON``.
        plan_trimp: ``a_t``, 0 for no plan.
    """
    if plan_trimp == 0.0 or (person.uptake == 1.0 and person.habituation == 0.0):
        return plan_trimp
    likely = person.uptake * math.exp(-person.habituation * state.dosage)
    return plan_trimp if uniform(state.key, state.day, UPTAKE) < likely else 0.0


@compiled
def leave_traces(state: Any, person: Any, plan_trimp: float) -> None:
    """Count a push in the dosage and take its burden from the motivation.

    Args:
        state: Record of ``STATE``, changed in place.
        person: Record of ``PERSON``.
        plan_trimp: ``a_t``, 0 for no plan.
    """
    state.dosage *= DOSAGE_KEPT
    if plan_trimp > 0.0:
        state.dosage += 1.0
        state.motivation -= person.burden
