"""How likely a history is for a person with given traits, compiled: the model read backwards.

Given traits and what was done, base level, fitness and fatigue follow without any chance; what is
left to chance is how far a plan was carried out (normal noise of tolerance, and motivation),
whether habit struck, how hard its sessions were, how fast a race was and how fast the heart beat.
The motivation is followed by a normal distribution whose mean and variance are exact after each
observation (assumed-density filter: Minka 2001); ``tests/profile`` holds it against the exact
filter on a grid.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fitgym.common.compilation import compiled, compiled_allocating
from fitgym.model.dynamics import accumulate, next_base_level, stimulus

Array = NDArray[np.float64]

# Final numbers of a person: base level, fitness and fatigue today, VDOT, motivation and its
# variance, base level at the start, and utilities.
FINALS = (
    "base_level",
    "fitness",
    "fatigue",
    "vdot",
    "motivation",
    "motivation_variance",
    "initial_base_level",
    "fitness_utility",
    "fatigue_utility",
)


class Evidence(NamedTuple):
    """What is known of a person, as the compiled likelihood reads it.

    Attributes:
        kind: (T,) what each day was, see ``fitgym.profile.days``.
        points: (T,) points done.
        share: (T,) share of the plan done.
        habit_units: (U,) equally likely habit sessions in units of their median, before the cut.
        habit_maximum: Largest habit session, points.
        habit_log_sd: Spread of the logarithm of habit sessions.
        session_of_day: (T,) index among the sessions that were read, -1 for none.
        measured: (S,) mean heart rate, NaN for none.
        expected: (S, V, 2) expected, by log VDOT and maximum.
        maximum_bend: (S,) of the expected ones above the line between the two maxima.
        resting_slope: (S, 2) below and above the centre.
        offset_share: (S, V, 2) how much of the heart's offset shows.
        error_sd: (S,)
        log_load: (S, V, 2) logarithm of loads.
        load_resting_slope: (S, 2)
        load_offset_slope: (S, V, 2) by how much they rise with the offset.
        log_vdots: (V,) nodes, even, over that of the centre.
        log_vdot_centre: Logarithm of the VDOT around which they are.
        maximum_centre: bpm
        maximum_step: bpm
        resting_centre: bpm
        race_day: (R,)
        race_log_vdot: (R,)
        race_chance: (R,)
        race_shortfall: What a race falls short of ability, log VDOT.
        race_sd: Spread of that.
        training_density: Density of a session's log VDOT that was no race.
        seen_maximum: Highest minute seen, 0 for none.
        constants: Parameters that all share, see ``Constants``.
    """

    kind: NDArray[np.int64]
    points: Array
    share: Array
    habit_units: Array
    habit_maximum: float
    habit_log_sd: float
    session_of_day: NDArray[np.int64]
    measured: Array
    expected: Array
    maximum_bend: Array
    resting_slope: Array
    offset_share: Array
    error_sd: Array
    log_load: Array
    load_resting_slope: Array
    load_offset_slope: Array
    log_vdots: Array
    log_vdot_centre: float
    maximum_centre: float
    maximum_step: float
    resting_centre: float
    race_day: NDArray[np.int64]
    race_log_vdot: Array
    race_chance: Array
    race_shortfall: float
    race_sd: float
    training_density: float
    seen_maximum: float
    constants: Array


# Order of the shared constants.
(
    TOLERATED,
    TOLERANCE_SD,
    BASE_EFFECT,
    FATIGUE_EFFECT,
    PERSISTENCE,
    SUCCESS,
    FAILURE,
    MOTIVATION_SD,
    START_SD,
    SESSION_BPM,
    FITNESS_DAYS,
    FATIGUE_DAYS,
    FITNESS_UTILITY,
    FATIGUE_UTILITY,
    REFERENCE_MARGIN,
) = range(15)

# What a sensor adds to the highest minute, and its spread (measured on virtual people whose
# maximum is known: docs/profile.md).
SEEN_EXCESS_BPM, SEEN_SD_BPM = 1.8, 1.0
# Probability of training by habit in the middle of the population.
TYPICAL_HABIT = 0.4
# What the curves miss in all sessions alike, bpm: set so that intervals of the offset came out on
# virtual people of another seed than those of docs/profile.md.
COMMON_ERROR_BPM = 1.2
# Gauss-Hermite nodes for whether habit strikes.
_NODES, _WEIGHTS = (part for part in np.polynomial.hermite_e.hermegauss(7))
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@compiled
def _normal_cdf(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@compiled
def _log_normal_cdf(x: float) -> float:
    if x > -30.0:
        return math.log(max(0.5 * math.erfc(-x / math.sqrt(2.0)), 1e-300))
    return -0.5 * x * x - math.log(-x) - 0.5 * math.log(2.0 * math.pi)


@compiled
def _hazard(x: float) -> float:
    """Return density over distribution function of a standard normal number at ``x``."""
    if x > -30.0:
        density = math.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
        return density / max(_normal_cdf(x), 1e-300)
    return -x


@compiled
def after_completion(
    mean: float, variance: float, margin: float, sd: float
) -> tuple[float, float, float]:
    """Return log likelihood, mean and variance of motivation after a completed plan.

    The plan is completed if ``margin + m + eps >= 0`` with ``eps`` of spread ``sd``.
    """
    total = math.sqrt(sd * sd + variance)
    place = (margin + mean) / total
    ratio = _hazard(place)
    gain = variance / total
    return (
        _log_normal_cdf(place),
        mean + gain * ratio,
        max(variance - gain * gain * ratio * (ratio + place), 1e-9),
    )


@compiled
def after_stop(
    mean: float, variance: float, margin: float, sd: float
) -> tuple[float, float, float]:
    """Return log likelihood, mean and variance after a stop where ``margin + m + eps = 0``."""
    total = sd * sd + variance
    error = margin + mean
    share = variance / total
    return (
        -0.5 * error * error / total - 0.5 * math.log(2.0 * math.pi * total),
        mean - share * error,
        max(variance * (1.0 - share), 1e-9),
    )


@compiled
def after_habit(
    mean: float, variance: float, log_odds: float, struck: bool
) -> tuple[float, float, float]:
    """Return log likelihood, mean and variance after a day on which habit struck or did not."""
    sd = math.sqrt(variance)
    total, first, second = 0.0, 0.0, 0.0
    for node in range(_NODES.size):
        value = mean + sd * _NODES[node]
        chance = 1.0 / (1.0 + math.exp(-log_odds - value))
        weight = _WEIGHTS[node] * (chance if struck else 1.0 - chance)
        total += weight
        first += weight * value
        second += weight * value * value
    after = first / total
    return math.log(total), after, max(second / total - after * after, 1e-9)


@compiled
def habitual_level(
    log_median: float, probability: float, base_decay: float, units: Any, log_maximum: float
) -> float:
    """Return the base level at which a habit keeps it, as ``runners.habitual_base_level`` does.

    Args:
        log_median: Logarithm of the median session.
        probability: ``q``.
        base_decay: ``delta``.
        units: (U,) logarithms of sessions over their median, rising.
        log_maximum: Logarithm of the largest session.
    """
    low = log_median
    high = min(log_median + units[units.size - 1], log_maximum)
    if high <= low:
        return math.exp(low)
    for _ in range(45):
        middle = 0.5 * (low + high)
        rise = 0.0
        for unit in range(units.size):
            excess = min(log_median + units[unit], log_maximum) - middle
            if excess > 0.0:
                rise += excess
        if probability * rise / units.size + math.log(base_decay) > 0.0:
            low = middle
        else:
            high = middle
    return math.exp(0.5 * (low + high))


@compiled
def _at_node(table: Any, session: int, node: int, across: float) -> float:
    """Return a table (S, V, 2) of a session at a node of log VDOT, between its two maxima."""
    low = table[session, node, 0]
    return float(low + across * (table[session, node, 1] - low))


@compiled
def _between(table: Any, session: int, place: float, side: float) -> float:
    """Return a table (S, V, 2) of a session between its nodes of log VDOT.

    Inside it is a cubic with the slopes of neighbouring nodes (Catmull and Rom 1974); in the outer
    cells and somewhat beyond it is a line.
    """
    last = table.shape[1] - 2
    cell = min(max(math.floor(place), 0), last)
    part = min(max(place - cell, -0.5), 1.5)
    across = 0.5 * (side + 1.0)
    low, high = _at_node(table, session, cell, across), _at_node(table, session, cell + 1, across)
    if cell == 0 or cell == last:
        return float(low + part * (high - low))
    before = 0.5 * (high - _at_node(table, session, cell - 1, across))
    after = 0.5 * (_at_node(table, session, cell + 2, across) - low)
    rest = high - low
    return float(
        low
        + part
        * (
            before
            + part * (3.0 * rest - 2.0 * before - after + part * (before + after - 2.0 * rest))
        )
    )


@compiled_allocating
def log_likelihoods(traits: Any, evidence: Any, finals: Any, result: Any) -> None:
    """Fill in the log likelihood of a history for each person tried, and where it leads to.

    Args:
        traits: (N, K) traits, in the order of ``prior.TRAITS``, with the reference completion as
            its standard normal quantile.
        evidence: ``Evidence``.
        finals: (N, len(FINALS)), filled in.
        result: (N,) filled in.
    """
    constants = evidence.constants
    days = evidence.kind.size
    units = evidence.habit_units
    log_maximum = math.log(evidence.habit_maximum)
    performances = np.empty(days)
    node_step = evidence.log_vdots[1] - evidence.log_vdots[0]
    for person in range(traits.shape[0]):
        trait = traits[person]
        log_median, log_odds = trait[1], trait[2]
        probability = 1.0 / (1.0 + math.exp(-log_odds))
        fitness_days = constants[FITNESS_DAYS] * math.exp(-trait[3])
        fatigue_days = constants[FATIGUE_DAYS] * math.exp(-trait[4])
        failure = constants[FAILURE] * math.exp(trait[7])
        fitness_exponent, fatigue_exponent, base_decay = trait[8], trait[9], trait[10]
        offset, resting, maximum = trait[12], trait[13], trait[14]
        start_level = habitual_level(log_median, probability, base_decay, units, log_maximum)
        fitness_kept = math.exp(-1.0 / fitness_days)
        fatigue_kept = math.exp(-1.0 / fatigue_days)
        fitness, fatigue = 0.0, 0.0
        for unit in range(units.size):
            relative = math.exp(min(log_median + units[unit], log_maximum)) / start_level
            fitness += relative**fitness_exponent
            fatigue += relative**fatigue_exponent
        scale = start_level * probability / units.size
        fitness *= scale / (1.0 - fitness_kept)
        fatigue *= scale / (1.0 - fatigue_kept)
        fitness_utility = constants[FITNESS_UTILITY] * math.exp(trait[5]) / start_level
        fatigue_utility = constants[FATIGUE_UTILITY] * math.exp(trait[6]) / start_level
        baseline = math.exp(trait[0]) - fitness_utility * fitness + fatigue_utility * fatigue
        log_reference = math.log(constants[TOLERATED] * start_level) + constants[TOLERANCE_SD] * (
            trait[11] - constants[REFERENCE_MARGIN]
        )
        side = (maximum - evidence.maximum_centre) / evidence.maximum_step
        above = 1 if resting > evidence.resting_centre else 0
        level, mean = start_level, 0.0
        variance = constants[START_SD] * constants[START_SD]
        total = 0.0
        for day in range(days):
            performance = max(baseline + fitness_utility * fitness - fatigue_utility * fatigue, 1.0)
            performances[day] = performance
            kind, points, share = evidence.kind[day], evidence.points[day], evidence.share[day]
            session = evidence.session_of_day[day]
            ahead = 0.0
            if kind == 2 and session >= 0:
                place = (
                    math.log(performance) - evidence.log_vdot_centre - evidence.log_vdots[0]
                ) / (node_step)
                log_load = _between(evidence.log_load, session, place, side)
                log_load += evidence.load_resting_slope[session, above] * (
                    resting - evidence.resting_centre
                )
                slope = _between(evidence.load_offset_slope, session, place, side)
                log_load += slope * offset
                spread = slope * constants[SESSION_BPM]
                sd = math.sqrt(constants[TOLERANCE_SD] ** 2 + spread * spread)
                tolerated = (
                    log_reference
                    + constants[BASE_EFFECT] * math.log(level / start_level)
                    - constants[FATIGUE_EFFECT]
                    * fatigue_utility
                    * fatigue
                    / max(baseline + fitness_utility * fitness, 1.0)
                )
                if share >= 1.0:
                    gained, mean, variance = after_completion(
                        mean, variance, tolerated - log_load, sd
                    )
                else:
                    gained, mean, variance = after_stop(mean, variance, tolerated - log_load, sd)
                total += gained
            elif kind <= 1:
                gained, mean, variance = after_habit(mean, variance, log_odds, kind == 1)
                total += gained
                if kind == 1:
                    spread = evidence.habit_log_sd
                    place = (math.log(max(points, 0.1)) - log_median) / spread
                    if points >= 0.97 * evidence.habit_maximum:
                        ceiling = (log_maximum - log_median) / spread
                        total += _log_normal_cdf(-ceiling)
                    else:
                        total += -0.5 * place * place - math.log(spread)
            if kind == 2 or kind == 4:
                ahead = constants[SUCCESS] if share >= 1.0 else -failure * (1.0 - share)
            mean = constants[PERSISTENCE] * mean + ahead
            variance = constants[PERSISTENCE] ** 2 * variance + constants[MOTIVATION_SD] ** 2
            fitness = accumulate(
                False,
                fitness,
                stimulus(points, level, 1.0, fitness_exponent),
                fitness_kept,
                start_level,
            )
            fatigue = accumulate(
                False,
                fatigue,
                stimulus(points, level, 1.0, fatigue_exponent),
                fatigue_kept,
                start_level,
            )
            level = next_base_level(level, points, base_decay)
        for race in range(evidence.race_day.size):
            place = (
                evidence.race_log_vdot[race]
                - math.log(performances[evidence.race_day[race]])
                + evidence.race_shortfall
            ) / evidence.race_sd
            raced = math.exp(-0.5 * place * place) / (evidence.race_sd * math.sqrt(2.0 * math.pi))
            chance = evidence.race_chance[race]
            # If what was taken for a race was none, habit struck that day.
            struck = 1.0 / (1.0 + math.exp(-trait[2])) / TYPICAL_HABIT
            total += math.log(chance * raced + (1.0 - chance) * evidence.training_density * struck)
        # An error common to all sessions is integrated out.
        information, weighted = 1.0 / COMMON_ERROR_BPM**2, 0.0
        for day in range(days):
            session = evidence.session_of_day[day]
            if session < 0 or not math.isfinite(evidence.measured[session]):
                continue
            place = (
                math.log(performances[day]) - evidence.log_vdot_centre - evidence.log_vdots[0]
            ) / node_step
            expected = _between(evidence.expected, session, place, side)
            expected += evidence.maximum_bend[session] * max(1.0 - side * side, 0.0)
            # The resting heart rate counts by what is left to the maximum.
            middle = evidence.log_vdots.size // 2
            usual = 0.5 * (
                evidence.expected[session, middle, 0] + evidence.expected[session, middle, 1]
            )
            room = (evidence.maximum_centre - expected) / max(evidence.maximum_centre - usual, 2.0)
            room = min(max(room, 0.0), 3.0)
            slope = room * evidence.resting_slope[session, above]
            expected += slope * (resting - evidence.resting_centre)
            shown = min(max(_between(evidence.offset_share, session, place, side), 0.0), 1.0)
            spread = shown * constants[SESSION_BPM]
            own = spread * spread + evidence.error_sd[session] ** 2
            error = evidence.measured[session] - expected - shown * offset
            total += -0.5 * error * error / own - 0.5 * math.log(own)
            information += 1.0 / own
            weighted += error / own
        total += 0.5 * weighted * weighted / information - 0.5 * math.log(information)
        if evidence.seen_maximum > 0.0:
            total += _log_normal_cdf(
                (maximum - evidence.seen_maximum + SEEN_EXCESS_BPM) / SEEN_SD_BPM
            )
        if maximum < resting + 40.0:
            total -= 1e3
        result[person] = total
        finals[person, 0] = level
        finals[person, 1] = fitness
        finals[person, 2] = fatigue
        finals[person, 3] = baseline + fitness_utility * fitness - fatigue_utility * fatigue
        finals[person, 4] = mean
        finals[person, 5] = variance
        finals[person, 6] = start_level
        finals[person, 7] = fitness_utility
        finals[person, 8] = fatigue_utility
