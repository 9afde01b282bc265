"""The same person from another day on: what moves when ``B_0`` becomes today's base level.

Acquisition does not know ``B_0`` but by its start, since a stimulus is relative to the base level
of its day. Tolerance does: ``ln C_t = ln(5.19 B_0) + s_C (margin) + zeta ln(B_t / B_0) + ...``, so
the reference completion must take up what ``B_0`` gives away.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from fitgym.people.individual import Motivation

_NORMAL = NormalDist()


def completion_from(motivation: Motivation, before: float, now: float) -> float:
    """Return the reference completion of a person whose ``B_0`` is moved to another base level.

    Args:
        motivation: The person's tolerance with ``B_0 = before``.
        before: The base level that tolerance was anchored at.
        now: The base level that it is to be anchored at.

    Returns:
        The completion with which the same load is tolerated in every state, within [0.001, 0.999].
    """
    quantile = _NORMAL.inv_cdf(motivation.reference_completion)
    quantile += (
        (1.0 - motivation.base_level_effect) * math.log(before / now) / (motivation.tolerance_sd)
    )
    return min(max(_NORMAL.cdf(quantile), 0.001), 0.999)
