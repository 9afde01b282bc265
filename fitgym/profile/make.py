"""From a history to a profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from fitgym.adherence.fitrec2 import TOLERATED_PER_POINT
from fitgym.calibration.sessions import plan_grid
from fitgym.common.validation import require_choice, require_number
from fitgym.logs.history import History
from fitgym.logs.training_log import LoggedSession
from fitgym.logs.workout import GENDERS
from fitgym.model.daniels import VDOT_RANGE
from fitgym.people.anchor import completion_from
from fitgym.people.individual import (
    DEFAULT_PLANS_TRIMP,
    Habit,
    Individual,
    Motivation,
    Physiology,
    StageParameters,
    nearest_name,
)
from fitgym.people.runners import (
    FATIGUE_EFFECT,
    TOLERANCE_SD,
    VDOT_ERROR_SD,
    Response,
    stage_at_habits,
)
from fitgym.profile.course import replay
from fitgym.profile.curves import read_curves
from fitgym.profile.days import (
    HABIT,
    PLANNED,
    Days,
    all_sessions,
    days_of,
    estimated_sessions,
    recorded_runs,
)
from fitgym.profile.efforts import estimate_vdot, race_chances
from fitgym.profile.habits import weekday_habits
from fitgym.profile.heart_check import HeartCheck, check_heart
from fitgym.profile.hearts import SeenMaximum, seen_maximum
from fitgym.profile.plans import PushedPlans
from fitgym.profile.posterior import (
    Posterior,
    evidence_of,
    habit_spread,
    prior_draws,
    sample_posterior,
)
from fitgym.profile.prior import Given, population_prior
from fitgym.profile.profile import (
    HistorySummary,
    Profile,
    ProfileEstimate,
    TodaysState,
)
from fitgym.profile.tolerance import raised, reached_load

Array = NDArray[np.float64]

# A number is identified when its spread is at most this share of the population's, and borrowed
# when hardly narrower than that (ours).
IDENTIFIED, BORROWED = 0.5, 0.85
# How far points read from speeds, and from mean paces, are off (docs/profile.md): log spread.
_POINTS_ERROR_RECORDED, _POINTS_ERROR_LOGGED = 0.016, 0.04
# VDOT that somebody tells, for instance of a race: log spread (ours).
_GIVEN_VDOT_SD = 0.03
# A second reading is due when the VDOT that set the zones was off by more than this (ours).
_SAME_VDOT = 0.015
# From this many sessions on the grid of plans is that of one's own sessions, as in calibration;
# fewer give a ragged histogram (ours). A plan's course is known up to 200 points.
_OWN_GRID_SESSIONS, _LARGEST_PLAN_TRIMP, _SMALLEST_STEP_TRIMP = 100, 200.0, 1.5
_USUAL_MAXIMUM_BPM = 180.0


def profile_from(
    history: History,
    *,
    today: date | None = None,
    plans: PushedPlans | None = None,
    given: Given | None = None,
    name: str = "me",
    seed: int = 0,
) -> Profile:
    """Return the profile of whoever has this history.

    Args:
        history: Sessions and recordings of one person.
        today: The day whose morning the state is of; None for the day after the last session.
        plans: What a service pushed, where that is known.
        given: What the person tells of the body; None for nothing.
        name: How to call the person.
        seed: Seed of the draws.

    Raises:
        ValueError: If no session can be used, or an argument is out of range.
        ImportError: If heart rates must be predicted and the ``predictor`` extra is not installed.
    """
    given = _checked(given or Given(), history)
    estimated = estimated_sessions(history)
    sessions = tuple(sorted((*all_sessions(history), *estimated), key=lambda one: one.date))
    timed = [one for one in sessions if one.minutes > 0.0]
    if not timed:
        raise ValueError(
            "the history has no run with distance and time: give a log or recordings with at "
            "least one; fitgym read PATH tells how a file is read"
        )
    day = today or timed[-1].date + timedelta(days=1)
    workouts = recorded_runs(history)
    seen = seen_maximum(workouts, history.sessions)
    zones, known = _vdot_of_zones(history, plans, given, day)
    posterior, prior, days = _read(sessions, workouts, day, zones, known, plans, given, seen, seed)
    if not known:
        found = posterior.mean(posterior.final("vdot"))
        if abs(np.log(found / zones)) > _SAME_VDOT:
            zones = float(np.clip(found, *_PHYSIOLOGY_VDOT))
            posterior, prior, days = _read(
                sessions, workouts, day, zones, known, plans, given, seen, seed
            )
    individual, state, start = _individual(posterior, days, zones, plans, given, name, day)
    estimates = _estimates(posterior, prior, days, seen, given, known)
    rise = 1.0
    if not days.plans_known:
        individual, estimates, rise = _raised(individual, estimates, timed, day)
    return Profile(
        individual=individual,
        state=state,
        estimates=estimates,
        summary=_summary(history, days, seen, estimates, rise, day),
        weekdays=weekday_habits(days.dates, days.points.tolist()),
        first_day=days.first.isoformat(),
        points=tuple(days.points.tolist()),
        plans_trimp=tuple(days.plan_trimp.tolist()),
        start=start,
        heart=_heart(history, day),
        given={name: value for name, value in asdict(given).items() if value is not None},
    )


_PHYSIOLOGY_VDOT = (15.0, 90.0)
_HIGHEST_COMPLETION = 0.999


def _raised(
    individual: Individual,
    estimates: tuple[ProfileEstimate, ...],
    sessions: list[LoggedSession],
    today: date,
) -> tuple[Individual, tuple[ProfileEstimate, ...], float]:
    """Return individual and estimates with the tolerance that sessions show, and its rise."""
    told = next(one for one in estimates if one.name == "tolerance")
    reached = reached_load(sessions, today, individual.physiology)
    value, low, high = raised(told.value, told.low, told.high, reached)
    if value == told.value:
        return individual, estimates, 1.0
    source = "the load reached in half of the last eight weeks"
    new = replace(told, value=value, low=low, high=high, source=source)
    motivation = individual.motivation
    quantile = ndtri(motivation.reference_completion)
    quantile += np.log(value / told.value) / motivation.tolerance_sd
    completion = min(_normal_cdf(quantile), _HIGHEST_COMPLETION)
    motivation = replace(motivation, reference_completion=completion)
    estimates = tuple(new if one.name == "tolerance" else one for one in estimates)
    return replace(individual, motivation=motivation), estimates, value / told.value


def _checked(given: Given, history: History) -> Given:
    """Return what is told, after checking it, with the gender that recordings tell."""
    require_choice("gender", given.gender, GENDERS)
    if given.resting is not None:
        require_number("resting", given.resting, 30.0, 110.0)
    if given.maximum is not None:
        require_number("maximum", given.maximum, 120.0, 230.0)
        if given.resting is not None and given.maximum < given.resting + 40.0:
            raise ValueError(
                f"maximum must be at least 40 bpm above resting ({given.resting:g}), got "
                f"{given.maximum:g}"
            )
    if given.age is not None:
        require_number("age", given.age, 10.0, 100.0)
    if given.vdot is not None:
        require_number("vdot", given.vdot, max(VDOT_RANGE[0], 15.0), 90.0)
    genders = Counter(one.gender for one in history.workouts if one.gender != "unknown")
    if given.gender == "unknown" and genders:
        return Given(**{**asdict(given), "gender": genders.most_common(1)[0][0]})
    return given


def _vdot_of_zones(
    history: History, plans: PushedPlans | None, given: Given, today: date
) -> tuple[float, bool]:
    """Return the VDOT that sets the zones, and whether it is told."""
    if plans is not None:
        return plans.vdot, True
    if given.vdot is not None:
        return given.vdot, True
    return float(np.clip(_estimated(history, today)[0], *_PHYSIOLOGY_VDOT)), False


def _estimated(history: History, today: date, *, raced: bool = True) -> tuple[float, float]:
    """Return VDOT and its log spread from sessions alone."""
    sessions = [one for one in all_sessions(history) if one.date < today and one.minutes > 0.0]
    if not sessions:
        return 41.0, 0.2
    distance = np.array([one.distance_m for one in sessions])
    minutes = np.array([one.minutes for one in sessions])
    ago = np.array([float((today - one.date).days) for one in sessions])
    chances = race_chances(distance, minutes, float(np.ptp(ago)))
    found = estimate_vdot(distance, minutes, ago, chances if raced else np.zeros_like(chances))
    return found.vdot, found.log_sd


def _read(
    sessions: Any,
    workouts: Any,
    today: date,
    zones: float,
    known: bool,
    plans: PushedPlans | None,
    given: Given,
    seen: SeenMaximum,
    seed: int,
) -> tuple[Posterior, Posterior, Days]:
    """Return what the history leaves possible, what was possible before, and its days."""
    days = days_of(sessions, workouts, today=today, vdot=zones, plans=plans)
    if plans is not None:
        # A service's belief errs as the population's do.
        centre, spread = zones, VDOT_ERROR_SD
    elif known:
        centre, spread = zones, _GIVEN_VDOT_SD
    else:
        # Races enter by the likelihood, so the prior must not know them, too.
        centre, spread = _estimated(History(tuple(sessions), ()), today, raced=False)
    prior = population_prior(zones, VDOT_ERROR_SD, given)
    prior = prior.with_trait("log_vdot", *_log_vdot(centre, spread))
    maximum = given.maximum or seen.bpm or _USUAL_MAXIMUM_BPM
    resting = float(prior.centre_of("resting_heart_rate"))
    curves = read_curves(
        days,
        vdot=zones,
        maximum=float(np.clip(maximum, resting + 70.0, 218.0)),
        resting=resting,
        gender=given.gender,
    )
    evidence = evidence_of(days, curves, seen.bpm)
    recorded = bool((days.recording >= 0).sum() >= 0.5 * (days.points > 0.0).sum())
    posterior = sample_posterior(
        prior,
        evidence,
        points_error=_POINTS_ERROR_RECORDED if recorded else _POINTS_ERROR_LOGGED,
        seed=seed,
    )
    return posterior, prior_draws(prior, evidence, seed=seed), days


def _log_vdot(centre: float, spread: float) -> tuple[str, float, float]:
    kind = "cut" if spread == VDOT_ERROR_SD else "normal"
    return kind, float(np.log(centre)), spread


def _individual(
    posterior: Posterior,
    days: Days,
    zones: float,
    plans: PushedPlans | None,
    given: Given,
    name: str,
    today: date,
) -> tuple[Individual, TodaysState, StageParameters]:
    """Return the individual whose season begins today, the state, and the stage at the start."""

    def trait(key: str) -> float:
        return posterior.mean(posterior.trait(key))

    def final(key: str) -> float:
        return posterior.mean(posterior.final(key))

    response = Response()
    decay = {
        "fitness_decay": float(np.exp(trait("fitness_decay_log_factor"))) / response.fitness_days,
        "fatigue_decay": float(np.exp(trait("fatigue_decay_log_factor"))) / response.fatigue_days,
    }
    log_sd, largest = habit_spread(days)
    odds = trait("habit_log_odds")
    median = float(np.exp(trait("habit_log_median")))
    habit = Habit(
        probability=float(np.clip(1.0 / (1.0 + np.exp(-odds)), 0.001, 0.999)),
        median_trimp=float(np.clip(median, 0.1, 2000.0)),
        log_sd=log_sd,
        maximum_trimp=largest,
    )
    level_before = final("initial_base_level")
    own = Response(
        fitness_days=1.0 / decay["fitness_decay"],
        fatigue_days=1.0 / decay["fatigue_decay"],
        fitness_exponent=trait("fitness_exponent"),
        fatigue_exponent=trait("fatigue_exponent"),
        base_decay=trait("base_decay"),
        fitness_factor=float(np.exp(trait("fitness_utility_log_factor"))),
        fatigue_factor=float(np.exp(trait("fatigue_utility_log_factor"))),
    )
    vdot_before = float(np.exp(trait("log_vdot")))
    started = stage_at_habits("acquisition", vdot_before, habit, own, level_before)
    course = replay(started, days.points)
    # The mean of VDOT today is what the history says of it; the stocks follow from mean traits.
    vdot = float(np.clip(final("vdot"), 12.0, 90.0))
    level = float(np.clip(final("base_level"), 1.0, 2000.0))
    fitness, fatigue = float(course.fitness[-1]), float(course.fatigue[-1])
    baseline = vdot - started.fitness_utility * fitness + started.fatigue_utility * fatigue
    stage = {
        **started.to_dict(),
        "baseline_performance": float(np.clip(baseline, 0.0, 100.0)),
        "initial_base_level": level,
        "initial_fitness": fitness,
        "initial_fatigue": fatigue,
    }
    acquisition = StageParameters(**stage)
    start = StageParameters(
        **{**started.to_dict(), "baseline_performance": acquisition.baseline_performance}
    )
    usual = Motivation()
    # Tolerance is anchored at the base level of the first day, an individual's at today's.
    reference = posterior.mean(ndtri(posterior.trait("reference_completion")))
    anchored = Motivation(reference_completion=_normal_cdf(reference), tolerance_sd=TOLERANCE_SD)
    mean = final("motivation")
    variance = final("motivation_variance")
    variance += posterior.mean(np.square(posterior.final("motivation") - mean))
    sd = float(np.sqrt(variance))
    resting, maximum = trait("resting_heart_rate"), trait("maximum_heart_rate")
    resting = float(np.clip(round(resting), 30.0, 110.0))
    own_points = days.points[days.points > 0.0]
    individual = Individual(
        name=nearest_name(name),
        source=(
            f"profile of {own_points.size} training days from {days.first} to "
            f"{today - timedelta(days=1)} (fitgym.profile)"
        ),
        acquisition=acquisition,
        retention=stage_at_habits("retention", vdot, habit, own, level),
        physiology=Physiology(
            vdot=round(float(np.clip(zones, *_PHYSIOLOGY_VDOT)), 1),
            resting_heart_rate=resting,
            maximum_heart_rate=float(np.clip(round(maximum), max(resting + 40.0, 120.0), 230.0)),
            gender=given.gender,
            heart_rate_offset=float(np.clip(trait("heart_rate_offset"), -40.0, 40.0)),
        ),
        motivation=Motivation(
            reference_completion=completion_from(anchored, level_before, level),
            failure_effect=usual.failure_effect * float(np.exp(trait("failure_effect_log_factor"))),
            fatigue_effect=FATIGUE_EFFECT,
            tolerance_sd=TOLERANCE_SD,
            initial_motivation_sd=float(np.hypot(sd, mean)),
        ),
        habit=habit,
        plans_trimp=_grid(days, plans),
    )
    trained = np.flatnonzero(days.points > 0.0)
    last = int(trained[-1])
    state = TodaysState(
        date=today.isoformat(),
        base_level=level,
        fitness=fitness,
        fatigue=fatigue,
        vdot=vdot,
        motivation=mean,
        motivation_sd=sd,
        days_since=days.count - last,
        last_trimp=float(days.points[last]),
        last_plan_trimp=float(days.plan_trimp[last]),
    )
    return individual, state, start


def _normal_cdf(x: float) -> float:
    from statistics import NormalDist

    return NormalDist().cdf(float(x))


def _grid(days: Days, plans: PushedPlans | None) -> tuple[float, ...]:
    """Return the plans: a service's own, those of one's own sessions, or the usual ones."""
    if plans is not None:
        return tuple(plans.grid_trimp)
    own = days.points[days.points > 0.0]
    if own.size >= _OWN_GRID_SESSIONS:
        try:
            grid = plan_grid(own)
        except ValueError:
            return DEFAULT_PLANS_TRIMP
        if grid[-1] <= _LARGEST_PLAN_TRIMP and grid[1] - grid[0] >= _SMALLEST_STEP_TRIMP:
            return grid
    return DEFAULT_PLANS_TRIMP


# Name, label, unit, and how the number comes from draws.
_Values = Callable[[Posterior], Array]


def tolerance_today(draws: Posterior) -> Array:
    """Return the load (N,) that is tolerated today without fatigue, motivation and chance."""
    usual = Motivation()
    before, now = draws.final("initial_base_level"), draws.final("base_level")
    margin = ndtri(draws.trait("reference_completion")) - ndtri(0.55)
    return np.asarray(
        TOLERATED_PER_POINT
        * before
        * (now / before) ** usual.base_level_effect
        * np.exp(TOLERANCE_SD * margin)
    )


def _factor(name: str, scale: float, sign: float = 1.0) -> _Values:
    return lambda draws: scale * np.exp(sign * draws.trait(name))


def _plain(name: str) -> _Values:
    return lambda draws: draws.trait(name)


def _final(name: str) -> _Values:
    return lambda draws: draws.final(name)


def _motivation(draws: Posterior) -> Array:
    generator = np.random.default_rng(0)
    noise = generator.standard_normal(draws.weights.size)
    return draws.final("motivation") + np.sqrt(draws.final("motivation_variance")) * noise


QUANTITIES: tuple[tuple[str, str, str, _Values], ...] = (
    ("vdot", "running performance today (VDOT)", "ml/kg/min", _final("vdot")),
    ("resting_heart_rate", "resting heart rate", "bpm", _plain("resting_heart_rate")),
    ("maximum_heart_rate", "maximum heart rate", "bpm", _plain("maximum_heart_rate")),
    (
        "heart_rate_offset",
        "heart beats faster in exercise than is usual by",
        "bpm",
        _plain("heart_rate_offset"),
    ),
    (
        "habit_probability",
        "trains without a plan on this share of the days",
        "",
        lambda draws: 1.0 / (1.0 + np.exp(-draws.trait("habit_log_odds"))),
    ),
    ("habit_median", "usual session without a plan", "points", _factor("habit_log_median", 1.0)),
    ("tolerance", "load tolerated on an average day", "TRIMPexp", tolerance_today),
    (
        "failure_effect",
        "motivation lost by a plan not done at all",
        "",
        _factor("failure_effect_log_factor", 0.15),
    ),
    (
        "fitness_days",
        "fitness falls to 1/e in",
        "days",
        _factor("fitness_decay_log_factor", 42.0, -1.0),
    ),
    (
        "fatigue_days",
        "fatigue falls to 1/e in",
        "days",
        _factor("fatigue_decay_log_factor", 7.0, -1.0),
    ),
    (
        "fitness_response",
        "response of fitness (1 is the population's middle)",
        "",
        _factor("fitness_utility_log_factor", 1.0),
    ),
    (
        "fatigue_response",
        "response of fatigue (1 is the population's middle)",
        "",
        _factor("fatigue_utility_log_factor", 1.0),
    ),
    ("fitness_exponent", "exponent of fitness (gamma_F)", "", _plain("fitness_exponent")),
    ("fatigue_exponent", "exponent of fatigue (gamma_G)", "", _plain("fatigue_exponent")),
    ("base_decay", "kept of the base level each day (delta)", "", _plain("base_decay")),
    ("base_level", "base level today", "points", _final("base_level")),
    ("fitness", "fitness today", "points", _final("fitness")),
    ("fatigue", "fatigue today", "points", _final("fatigue")),
    ("motivation", "motivation today", "", _motivation),
)
_STATES = ("base_level", "fitness", "fatigue", "motivation")


def _estimates(
    posterior: Posterior,
    prior: Posterior,
    days: Days,
    seen: SeenMaximum,
    given: Given,
    known: bool,
) -> tuple[ProfileEstimate, ...]:
    """Return every number with its interval and verdict."""
    told = {"resting_heart_rate": given.resting, "maximum_heart_rate": given.maximum}
    found = []
    for name, label, unit, values in QUANTITIES:
        draws = values(posterior)
        low, high = posterior.interval(draws)
        if told.get(name) is not None:
            verdict = "given"
        elif name in _STATES:
            verdict = "state"
        else:
            before = values(prior)
            ratio = (high - low) / max(np.subtract(*prior.interval(before)[::-1]), 1e-12)
            verdict = "borrowed" if ratio > BORROWED else "partly identified"
            verdict = "identified" if ratio <= IDENTIFIED else verdict
            if name == "tolerance" and not (days.kind == PLANNED).any():
                # Load per point of the base level stays the population's until plans are begun.
                verdict = "borrowed" if verdict == "borrowed" else "partly identified"
        found.append(
            ProfileEstimate(
                name=name,
                label=label,
                value=posterior.mean(draws),
                low=low,
                high=high,
                unit=unit,
                verdict=verdict,
                source=_source(name, verdict, days, seen, known),
            )
        )
    return tuple(found)


def _source(name: str, verdict: str, days: Days, seen: SeenMaximum, known: bool) -> str:
    """Return what a number rests on."""
    recorded = sum(1 for number in days.recording if number >= 0)
    planned = int((days.kind == PLANNED).sum())
    if verdict == "given":
        return "told"
    if verdict == "borrowed":
        return "the population of version 1; this history hardly tells"
    if name == "vdot":
        parts = [f"{days.race_day.size} efforts taken for races"]
        if recorded:
            parts.append("heart rate at known speeds")
        if known:
            parts.append("the VDOT told")
        return ", ".join(parts)
    if name == "maximum_heart_rate" and seen.logged:
        return f"{seen.bpm:.0f} bpm by the maxima of {seen.logged} sessions of the log, and races"
    if name == "maximum_heart_rate" and seen.bpm is not None:
        return f"highest minute {seen.bpm:.0f} bpm in {seen.workouts} recordings, and races"
    if name in ("resting_heart_rate", "heart_rate_offset"):
        return f"heart rate of {recorded} recordings"
    if name.startswith("habit"):
        return f"{int((days.kind == HABIT).sum())} sessions without a plan in {days.count} days"
    if name == "tolerance":
        return f"{planned} plans begun" if planned else "base level of the sessions really done"
    if name in ("motivation", "failure_effect"):
        return f"{planned} plans begun, and days without one" if planned else "days without a plan"
    return f"points of {int((days.points > 0.0).sum())} training days, replayed"


def _summary(
    history: History,
    days: Days,
    seen: SeenMaximum,
    estimates: tuple[ProfileEstimate, ...],
    rise: float,
    today: date,
) -> HistorySummary:
    sessions = [one for one in all_sessions(history) if one.minutes > 0.0 and one.date < today]
    pace = np.median([one.minutes / (one.distance_m / 1000.0) for one in sessions])
    reasons = Counter(one.reason for one in history.report.left_out)
    borrowed = [one.label for one in estimates if one.verdict == "borrowed"]
    notes = []
    if borrowed:
        notes.append(
            "Borrowed from the population, since this history hardly tells: "
            + "; ".join(borrowed)
            + "."
        )
    if seen.logged:
        notes.append(
            "No recording with heart rate: of the heart only the maxima in the log are used. "
            "Recordings of a watch would tell more."
        )
    elif not seen.workouts:
        notes.append(
            "No recording with heart rate: heart rates, and what they say of fitness, are the "
            "population's. Recordings of a watch would tell."
        )
    estimated = sum(
        0 < (today - one.date).days <= days.count for one in estimated_sessions(history)
    )
    if estimated:
        notes.append(
            f"{estimated} session(s) without a distance or time that can be read are no rest: they "
            "count at the usual pace, or as a usual session."
        )
    if not days.plans_known:
        notes.append(
            "No plans are known, so tolerance follows from the base level of the sessions really "
            "done, and motivation from how often there was one."
        )
    if rise > 1.0:
        notes.append(
            "In half of the last eight weeks a session was done that asks for more than the base "
            f"level says is tolerated: tolerance is raised by {100.0 * (rise - 1.0):.0f} %."
        )
    if not days.race_day.size:
        notes.append(
            "No race or best effort was found: an all-out run over 3 to 10 km would tell the VDOT."
        )
    return HistorySummary(
        sessions=len(sessions),
        recordings=len(recorded_runs(history)),
        with_heart_rate=seen.workouts,
        used_sessions=int(sum((one.date - days.first).days >= 0 for one in sessions)),
        first=sessions[0].date.isoformat(),
        last=sessions[-1].date.isoformat(),
        total_km=float(sum(one.distance_m for one in sessions) / 1000.0),
        median_pace_min_per_km=float(pace),
        races=int(days.race_day.size),
        understood=tuple(history.report.understood),
        left_out=tuple(reasons.items()),
        rejected=seen.rejected,
        borrowed=tuple(notes),
    )


def _heart(history: History, today: date) -> HeartCheck | None:
    origin = date(1970, 1, 1)
    used = [one for one in history.workouts if one.day < (today - origin).days]
    return check_heart(used)
