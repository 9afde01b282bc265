"""What the predictor expects of each session for a range of bodies, once for all traits tried.

The network is asked for every session with bodies around the one believed in: thirteen VDOTs for
each of two maxima, and three resting heart rates. Between them mean heart rate and the logarithm of
the load are interpolated, so that a body can be tried in a microsecond. What the session before
changes is asked for with the body in the middle alone, and added to all; as in the table of
adherence, its heart rate is what is expected of it, and it was yesterday or three days ago.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitgym.logs.workout import GRID_STEP_S, Workout
from fitgym.model.internal_load import load_rates, offset_weight
from fitgym.model.plans import plan_segments, session_course
from fitgym.predictor.attributes import RANGES, Attributes
from fitgym.predictor.sessions import PreviousWorkout, Session
from fitgym.profile.days import PLANNED, RACE, Days
from fitgym.profile.hearts import believed_steps

Array = NDArray[np.float64]

# Logarithms of VDOT over the one believed in.
LOG_VDOTS = np.linspace(-0.36, 0.36, 13)
MAXIMUM_STEP_BPM = 12.0
RESTING_STEP_BPM = 10.0
# The first minutes rise from rest, which says little of the body.
FIRST_STEP = 18
SHORTEST_STEPS = 48
# What interpolation between bodies and sessions misses (seen on virtual people).
CURVE_ERROR_BPM = 0.6
# Of a person with more recorded runs, those of planned days, races and the newest are read (ours).
MOST_READ = 70
_OFFSET_STEP_BPM = 5.0


@dataclass(frozen=True, eq=False)
class Curves:
    """Mean heart rate and load of S sessions by body.

    Attributes:
        day: (S,) day of each.
        measured: (S,) mean heart rate from the fourth minute on, NaN where none was recorded.
        expected: (S, 13, 2) the same as expected, by ``LOG_VDOTS`` and maximum.
        maximum_bend: (S,) how far it lies above that line at the middle one of the maxima.
        resting_slope: (S, 2) by how much it rises with the resting heart rate, below and above
            the middle.
        offset_share: (S, 13, 2) how much of the heart's offset shows in it.
        error_sd: (S,) spread of the mean from fluctuation within the session.
        log_load: (S, 13, 2) logarithm of the load of what was done: measured where there is a
            recording (then equal for all VDOTs), else expected.
        load_resting_slope: (S, 2) by how much it rises with the resting heart rate, likewise.
        load_offset_slope: (S, 13, 2) by how much that of the whole plan rises with the offset, by
            which adherence stops (docs/model.md); 0 where the load is measured.
        centre: VDOT, maximum and resting heart rate that the bodies lie around.
    """

    day: NDArray[np.int64]
    measured: Array
    expected: Array
    maximum_bend: Array
    resting_slope: Array
    offset_share: Array
    error_sd: Array
    log_load: Array
    load_resting_slope: Array
    load_offset_slope: Array
    centre: tuple[float, float, float]


def sessions_to_read(days: Days) -> list[tuple[int, Workout | None]]:
    """Return day and recorded run, if any, of the sessions whose heart rate or load is needed."""
    planned, others = [], []
    for day in range(days.count):
        workout = days.workouts[days.recording[day]] if days.recording[day] >= 0 else None
        if workout is not None and not _readable(workout):
            workout = None
        if days.kind[day] == PLANNED and days.share[day] > 0.0:
            planned.append((day, workout))
        elif workout is not None:
            others.append((day, workout))
    others.sort(key=lambda pair: (days.kind[pair[0]] != RACE, -pair[0]))
    room = max(MOST_READ - sum(workout is not None for _, workout in planned), 10)
    return sorted(planned + others[:room], key=lambda pair: pair[0])


def read_curves(days: Days, *, vdot: float, maximum: float, resting: float, gender: str) -> Curves:
    """Ask the predictor about the sessions of a history.

    Args:
        days: The history; its plans are run at the paces of ``vdot``.
        vdot: VDOT around which bodies are tried.
        maximum: Maximum heart rate around which they are.
        resting: Resting heart rate around which they are.
        gender: Of the person.

    Raises:
        ImportError: If there is something to ask and the ``predictor`` extra is not installed.
    """
    read = sessions_to_read(days)
    count = len(read)
    maxima = maximum + MAXIMUM_STEP_BPM * np.array([-1.0, 1.0])
    resting_step = min(RESTING_STEP_BPM, max(maximum - 41.0 - resting, 1.0))
    shape = (count, LOG_VDOTS.size, maxima.size)
    measured = np.full(count, np.nan)
    expected, log_load, shares, load_offset = np.zeros((4, *shape))
    slopes, load_resting = np.zeros((2, count, 2))
    errors, bends = np.zeros((2, count))
    bodies = [(log, high, resting) for log in LOG_VDOTS for high in maxima]
    bodies += [(0.0, maximum, resting + sign * resting_step) for sign in (-1.0, 0.0, 1.0)]
    sessions = [_session(days, day, workout, vdot, gender) for day, workout in read]
    attributes = [
        Attributes(
            resting_bpm=low,
            maximum_bpm=float(np.clip(high, 125.0, RANGES["maximum_bpm"][1])),
            vdot=float(np.clip(vdot * np.exp(log), *RANGES["vdot"])),
        )
        for log, high, low in bodies
    ]
    answers = _ask(sessions, attributes)
    changes = _changes_after(
        days, read, sessions, Attributes(resting_bpm=resting, maximum_bpm=maximum, vdot=vdot)
    )
    female = gender == "female"
    unrecorded = {float(days.plan_trimp[day]) for day, workout in read if workout is None}
    plan_slopes = _offset_slopes(sorted(unrecorded), attributes, vdot, gender)
    for number, ((day, workout), alone) in enumerate(zip(read, answers, strict=True)):
        answer = alone + changes[number]
        steps = np.arange(answer.shape[1]) >= min(FIRST_STEP, answer.shape[1] // 2)
        high = np.array([body[1] for body in bodies])[:, None]
        low = np.array([body[2] for body in bodies])[:, None]
        if workout is not None:
            believed = believed_steps(workout)
            beats = np.interp(
                workout.time_s, workout.time_s[believed], workout.heart_rate_bpm[believed]
            )
            steps &= believed
            measured[number] = beats[steps].mean()
            rates = load_rates(np.broadcast_to(beats, answer.shape), low, high, female)
        else:
            rates = load_rates(answer, low, high, female)
            load_offset[number] = plan_slopes[float(days.plan_trimp[day])][:-3].reshape(shape[1:])
        loads = np.log(np.maximum(rates.sum(axis=1) * GRID_STEP_S / 60.0, 1e-6))
        means = answer[:, steps].mean(axis=1)
        expected[number] = means[:-3].reshape(shape[1:])
        bends[number] = means[-2] - expected[number, LOG_VDOTS.size // 2].mean()
        log_load[number] = loads[:-3].reshape(shape[1:])
        slopes[number] = np.diff(means[-3:]) / resting_step
        load_resting[number] = np.diff(loads[-3:]) / resting_step
        weights = offset_weight(answer[:, steps], low, high).mean(axis=1)
        shares[number] = weights[:-3].reshape(shape[1:])
        # Fluctuation of some 4 bpm that lasts over a minute and fades towards the maximum
        # (fitgym.virtual.recording).
        fluctuation = 4.0 * max(float(weights[-2]), 0.25)
        fluctuation *= np.sqrt(13.0 / max(int(steps.sum()), 13))
        errors[number] = np.hypot(fluctuation, CURVE_ERROR_BPM)
    return Curves(
        day=np.array([day for day, _ in read], dtype=np.int64),
        measured=measured,
        expected=expected,
        maximum_bend=bends,
        resting_slope=slopes,
        offset_share=shares,
        error_sd=errors,
        log_load=log_load,
        load_resting_slope=load_resting,
        load_offset_slope=load_offset,
        centre=(vdot, maximum, resting),
    )


def _offset_slopes(
    targets: Sequence[float], bodies: Sequence[Attributes], vdot: float, gender: str
) -> dict[float, Array]:
    """Return by how much the log of each plan's load rises with the offset, (bodies,)."""
    courses = [session_course(plan_segments(target), vdot) for target in targets]
    sessions = [
        Session(course.speed_m_s, np.zeros(course.zone.size), gender=gender) for course in courses
    ]
    resting = np.array([body.resting_bpm for body in bodies])[:, None]
    maximum = np.array([body.maximum_bpm for body in bodies])[:, None]
    slopes = {}
    for target, beats in zip(targets, _ask(sessions, bodies), strict=True):
        shift = _OFFSET_STEP_BPM * offset_weight(beats, resting, maximum)
        faster, slower = (
            load_rates(beats + sign * shift, resting, maximum, gender == "female").sum(axis=1)
            for sign in (1.0, -1.0)
        )
        slopes[target] = np.log(faster / slower) / (2.0 * _OFFSET_STEP_BPM)
    return slopes


def _readable(workout: Workout) -> bool:
    believed = believed_steps(workout)
    late = believed[FIRST_STEP:]
    return len(workout) >= SHORTEST_STEPS and bool(late.size) and bool(late.mean() >= 0.5)


def _session(days: Days, day: int, workout: Workout | None, vdot: float, gender: str) -> Session:
    if workout is not None:
        return Session(
            workout.speed_m_s, workout.altitude_m, has_altitude=workout.has_altitude, gender=gender
        )
    course = session_course(plan_segments(float(days.plan_trimp[day])), vdot)
    ends = np.cumsum(course.points)
    steps = int(np.searchsorted(ends, days.share[day] * ends[-1] - 1e-9)) + 1
    steps = max(min(steps, course.zone.size), 2)
    return Session(course.speed_m_s[:steps], np.zeros(steps), gender=gender)


def _changes_after(
    days: Days,
    read: Sequence[tuple[int, Workout | None]],
    sessions: Sequence[Session],
    body: Attributes,
) -> list[Array]:
    """Return by how much (T,) the last session changes what is expected of each session, bpm."""
    if not sessions:
        return []
    from fitgym.predictor.fitrec2.inference import load_body_predictor
    from fitgym.predictor.threads import one_thread

    trained = np.flatnonzero((days.points > 0.0) & (days.minutes > 0.0))
    with one_thread():
        predictor = load_body_predictor()
        places: dict[int, int] = {}
        befores: list[Session] = []
        last: list[tuple[int, float] | None] = []
        for day, _ in read:
            earlier = trained[trained < day]
            if not earlier.size:
                last.append(None)
                continue
            before = int(earlier[-1])
            if before not in places:
                places[before] = len(befores)
                befores.append(_session_done(days, before, body.vdot or 0.0, sessions[0].gender))
            last.append((places[before], 1.0 if day - before == 1 else 3.0))
        expected = predictor.predict(befores, [None], [body])
        histories: list[PreviousWorkout | None] = [None]
        triples = []
        for number, pair in enumerate(last):
            triples.append((number, 0, 0))
            if pair is not None:
                place, since = pair
                histories.append(PreviousWorkout(befores[place], expected[place], since))
                triples.append((number, len(histories) - 1, 0))
        answers = iter(predictor.predict(list(sessions), histories, [body], triples))
    changes = []
    for pair in last:
        alone = next(answers)
        changes.append(next(answers) - alone if pair is not None else np.zeros_like(alone))
    return changes


def _session_done(days: Days, day: int, vdot: float, gender: str) -> Session:
    """Return what was run on a day, from its recording or at the paces of its points."""
    if days.recording[day] >= 0:
        return _session(days, day, days.workouts[days.recording[day]], vdot, gender)
    if days.kind[day] == PLANNED:
        return _session(days, day, None, vdot, gender)
    course = session_course(plan_segments(float(np.clip(days.points[day], 0.5, 200.0))), vdot)
    return Session(course.speed_m_s, np.zeros(course.zone.size), gender=gender)


def _ask(sessions: Sequence[Session], bodies: Sequence[Attributes]) -> list[Array]:
    """Return the heart rates (bodies, T) of each session; equal sessions are asked for once."""
    if not sessions:
        return []
    from fitgym.predictor.fitrec2.inference import load_body_predictor
    from fitgym.predictor.threads import one_thread

    names = [(one.speed_m_s.tobytes(), one.altitude_m.tobytes()) for one in sessions]
    distinct = dict(zip(names, sessions, strict=True))
    with one_thread():
        found = load_body_predictor().predict(list(distinct.values()), [None], bodies)
    size = len(bodies)
    by_name = {
        name: np.stack(found[number * size : (number + 1) * size])
        for number, name in enumerate(distinct)
    }
    return [by_name[name] for name in names]
