"""Fitness-fatigue dynamics: the only copy of every equation, as compiled pure functions.

Intensities and stocks are in TRIMP points, performance in VDOT (ml/kg/min), time in sessions or
days (whatever one step of the caller is). Sources: Fang, Lee and Wang 2022, arXiv 2204.00961
(the two stages, base level, concave and convex responses); Roels 2020, Management Science 66(4)
(stocks relative to a base level); Banister and Calvert 1976 (fitness and fatigue). The printed
equations of the first are not available to us: where its text leaves a form open, the form here
is ours, and ``docs/model.md`` says which.
"""

from __future__ import annotations

import math

from fitgym.common.compilation import compiled

# Ours: keeps relative intensities finite after any rest; the smallest session of the marathon log
# is 1.8 points.
MINIMUM_BASE_LEVEL = 1.0


@compiled
def next_base_level(base_level: float, intensity: float, base_decay: float) -> float:
    """Return the base level of the next session, ``B_t = delta max(B_{t-1}, x_{t-1})``.

    Never below ``MINIMUM_BASE_LEVEL``. The two-argument operator is not legible in the text of
    Fang et al.; the maximum is ours, since it keeps ``B > 0``.

    Args:
        base_level: ``B_{t-1}``, in points.
        intensity: ``x_{t-1}``, in points.
        base_decay: ``delta`` in (0, 1].
    """
    return max(base_decay * max(base_level, intensity), MINIMUM_BASE_LEVEL)


@compiled
def stimulus(intensity: float, base_level: float, base_scaling: float, exponent: float) -> float:
    """Return the response to one session, ``B^sigma (x / B)^gamma``.

    Args:
        intensity: ``x_t >= 0``, in points.
        base_level: ``B_t > 0``, in points.
        base_scaling: ``sigma`` in [0, 1]; 0 is the paper's reading.
        exponent: ``gamma_F <= 1`` for fitness (concave), ``gamma_G >= 1`` for fatigue (convex).
    """
    if intensity == 0.0:
        return 0.0
    # As B^(sigma - gamma) x^gamma in logarithms: those of B and x are shared by all stimuli of a
    # day, where each power would take its own.
    return math.exp(
        (base_scaling - exponent) * math.log(base_level) + exponent * math.log(intensity)
    )


@compiled
def stimulus_unit(initial_base_level: float, base_scaling: float) -> float:
    """Return ``u = B_0^sigma``, the stimulus of one session at the initial base level."""
    return float(initial_base_level**base_scaling)


@compiled
def kept_share(decay_rate: float) -> float:
    """Return the share of a stock that one step leaves, ``e^-alpha`` or ``e^-beta``.

    Args:
        decay_rate: ``alpha`` or ``beta``, per step.
    """
    return math.exp(-decay_rate)


@compiled
def acquire(stock: float, response: float, kept: float) -> float:
    """Return a stock after one step of the acquisition stage, ``e^-alpha F + f`` (additive).

    Args:
        stock: ``F_{t-1}`` or ``G_{t-1}``.
        response: The session's stimulus ``f_t`` or ``g_t``.
        kept: ``e^-alpha`` or ``e^-beta`` (see ``kept_share``).
    """
    return kept * stock + response


@compiled
def retain(stock: float, response: float, kept: float, unit: float) -> float:
    """Return a stock after one step of the retention stage (multiplicative).

    ``u + F_t = (u + F_{t-1})^(e^-alpha) (u + f_t)^(1 - e^-alpha)``: a geometric mean, ours. It
    never exceeds the larger of stock and stimulus, and constant training settles at ``F = f``.

    Args:
        stock: ``F_{t-1}`` or ``G_{t-1}``.
        response: The session's stimulus ``f_t`` or ``g_t``.
        kept: ``e^-alpha`` or ``e^-beta`` (see ``kept_share``).
        unit: ``u``, one unit of stimulus (see ``stimulus_unit``).
    """
    # In logarithms of ratios to u, which stay accurate for stocks far smaller than u.
    return unit * math.expm1(
        kept * math.log1p(stock / unit) + (1.0 - kept) * math.log1p(response / unit)
    )


@compiled
def accumulate(retention: bool, stock: float, response: float, kept: float, unit: float) -> float:
    """Return a stock after one step of the stage asked for.

    Args:
        retention: True for the retention stage, False for the acquisition stage.
        stock: ``F_{t-1}`` or ``G_{t-1}``.
        response: The session's stimulus ``f_t`` or ``g_t``.
        kept: ``e^-alpha`` or ``e^-beta`` (see ``kept_share``).
        unit: ``u``, used by the retention stage only.
    """
    if retention:
        return retain(stock, response, kept, unit)
    return acquire(stock, response, kept)


@compiled
def performance(
    fitness: float, fatigue: float, baseline: float, fitness_utility: float, fatigue_utility: float
) -> float:
    """Return ``p = p_0 + k_F F - k_G G``, in VDOT.

    Args:
        fitness: ``F``.
        fatigue: ``G``.
        baseline: ``p_0``, the performance without training.
        fitness_utility: ``k_F > 0``, VDOT per unit of fitness.
        fatigue_utility: ``k_G > 0``, VDOT per unit of fatigue.
    """
    return baseline + fitness_utility * fitness - fatigue_utility * fatigue
