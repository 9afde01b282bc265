"""Today's plan, what every other plan would bring, and the weeks to come under expected adherence.

A plan is chosen among those that keep the constraints, by its expected return over the rest of the
season. The weeks to come are one path: each day the same choice at the expected stocks, with the
belief moved on by what is to be expected. Along it the cap of the acute:chronic ratio holds both if
everything is carried out and as is expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.fitrec2_step import fill_curve, with_offset
from fitgym.adherence.fitrec_step import remember
from fitgym.adherence.response import recorded_history
from fitgym.coach.constraints import ratio_with, within_cap
from fitgym.coach.person import MOTIVATIONS, Morning
from fitgym.coach.policies import Rating, rate
from fitgym.coach.program import SeasonProgram
from fitgym.common.validation import require_choice
from fitgym.envs import kernel
from fitgym.envs.records import OUTCOME
from fitgym.model.daniels import zone_speeds
from fitgym.model.plans import Segment, plan_segments
from fitgym.profile.efforts import RACE_SD

Array = NDArray[np.float64]

# The outlook reaches so far, and to a race if that is within sixteen weeks (ours).
OUTLOOK_DAYS, FARTHEST_OUTLOOK_DAYS = 28, 112
# A normal number lies within so many standard deviations with probability 0.95.
_SPREADS = 1.96
# Worths that differ by less are told as equal, in the unit of the goal a day (ours).
_CLOSE = 0.005
# Shorter parts of a session are not told (ours).
_SHORTEST_PART_MINUTES = 0.75
# Why a plan is not allowed, and the option that says so.
_INJURED, _NOT_FREE = "you are injured", "the day is not free"
_LONG = "longer than the longest session"
_HARD = "hard, too soon after a hard day"
_STEEP = "above the cap of the acute:chronic ratio"
_UNLIKELY = "less likely to be completed than is asked for"
_OPTIONS = {
    _INJURED: "--injured",
    _NOT_FREE: "--free, --busy",
    _LONG: "--longest",
    _HARD: "--hard-gap 0",
    _STEEP: "--acwr none",
    _UNLIKELY: "--least-chance 0",
}
ZONE_NAMES = ("easy", "marathon pace", "threshold pace", "interval pace", "repetition pace")


@dataclass(frozen=True)
class Candidate:
    """What a plan of today would bring.

    Attributes:
        plan: 0 for none, 1 to 10.
        trimp: Points that it asks for.
        minutes: How long it lasts.
        forbidden: Which constraint forbids it; empty if none does.
        worth: Expected return over the rest of the season, in the goal's unit; of a race the VDOT
            on its morning, with the best plans from tomorrow on.
        chance: Of completing it.
        expected_trimp: Points to be expected.
        heart_rate: Mean heart rate to be expected, bpm; 0 without a plan.
        heart_rate_low: Lower end of its 95 % range.
        heart_rate_high: Upper end.
        vdot: VDOT to be expected next morning.
        fatigue: Fatigue next morning, in VDOT.
        ratio: Acute:chronic ratio if it is carried out.
    """

    plan: int
    trimp: float
    minutes: float
    forbidden: str
    worth: float
    chance: float
    expected_trimp: float
    heart_rate: float
    heart_rate_low: float
    heart_rate_high: float
    vdot: float
    fatigue: float
    ratio: float


@dataclass(frozen=True)
class Step:
    """A part of today's session.

    Attributes:
        zone: How it is run.
        minutes: How long.
        speed_m_s: Speed.
        heart_rate: To be expected on average, bpm.
        heart_rate_low: Lower end of the 95 % range.
        heart_rate_high: Upper end.
    """

    zone: str
    minutes: float
    speed_m_s: float
    heart_rate: float
    heart_rate_low: float
    heart_rate_high: float


@dataclass(frozen=True)
class OutlookDay:
    """A day to come.

    Attributes:
        date: ISO.
        plan: 0 for none, 1 to 10.
        trimp: Points asked for.
        minutes: How long the plan lasts.
        chance: Of completing it, as far as can be told today.
        expected_trimp: Points to be expected, habit included.
        vdot: VDOT to be expected next morning.
        fatigue: Fatigue next morning, in VDOT.
        ratio: Acute:chronic ratio if all plans are carried out.
        expected_ratio: As is expected.
        free: Whether a plan may be on the day; if not, no session of one's own is expected, either.
        injured: Whether it is not free because of an injury.
        hard: Whether the plan is hard.
    """

    date: str
    plan: int
    trimp: float
    minutes: float
    chance: float
    expected_trimp: float
    vdot: float
    fatigue: float
    ratio: float
    expected_ratio: float
    free: bool
    injured: bool
    hard: bool


@dataclass(frozen=True)
class Advice:
    """The answer for one day.

    Attributes:
        name: Who.
        date: The day, ISO.
        policy: Who chose.
        goal: What counts.
        unit: What worths are counted in.
        days_left: Days of the season from this one on.
        plan: Today's, 0 for none.
        reasons: Why, in sentences.
        candidates: Every plan of today.
        steps: Parts of today's session.
        outlook: The days to come, today first.
        vdot: VDOT this morning.
        fatigue: Fatigue this morning, in VDOT.
        motivation: Mean of what is believed.
        motivation_sd: Its standard deviation.
        hard_trimp: Points from which a day is hard.
        constraints: What plans keep to.
        speeds_m_s: Speeds of the zones that plans are run at.
        race: Day of the race, ISO; empty for none.
        race_vdot: VDOT to be expected on its morning; 0 for none.
        race_vdot_sd: How sure that is: of the profile's VDOT, and of a race of that VDOT.
    """

    name: str
    date: str
    policy: str
    goal: str
    unit: str
    days_left: int
    plan: int
    reasons: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    steps: tuple[Step, ...]
    outlook: tuple[OutlookDay, ...]
    vdot: float
    fatigue: float
    motivation: float
    motivation_sd: float
    hard_trimp: float
    constraints: dict[str, Any]
    speeds_m_s: tuple[float, ...] = ()
    race: str = ""
    race_vdot: float = 0.0
    race_vdot_sd: float = 0.0

    @property
    def today(self) -> Candidate:
        """Today's plan."""
        return self.candidates[self.plan]

    def to_dict(self) -> dict[str, Any]:
        """Return the advice for a JSON file."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Place:
    """Where the person stands on a day of the season.

    Attributes:
        state: (1,) of ``STATE``.
        belief: (1, M).
        wait: How many days no hard plan may follow.
        asked: Loads of the days before if all plans were carried out, points.
        expected: The same as is expected.
    """

    state: NDArray[np.void]
    belief: Array
    wait: int
    asked: Array
    expected: Array


def advise(
    program: SeasonProgram,
    morning: Morning,
    loads: Sequence[float],
    wait: int,
    *,
    policy: str = "belief",
    rating: Rating | None = None,
    observed: NDArray[np.float32] | None = None,
) -> Advice:
    """Return what to do on a day, and in the weeks after it.

    Args:
        program: The solved season.
        morning: Where the person stands that morning.
        loads: Points really done on the days before, as far back as is known.
        wait: How many days no hard plan may follow.
        policy: Who chooses.
        rating: The saved agent, for ``"a3c"``.
        observed: What it observed on the days of the season before, (T, 6).

    Raises:
        ValueError: If the day is not in the season, or the constraints leave no plan at all.
    """
    require_choice("policy", policy, ("belief", "dp", "a3c", "coach"))
    day = (date.fromisoformat(morning.date) - date.fromisoformat(program.morning.date)).days
    if not 0 <= day < program.days:
        raise ValueError(f"{morning.date} is not among the {program.days} days of the season")
    last = np.asarray(loads, dtype=np.float64)[-27:]
    place = Place(morning.state(day), np.array([morning.belief]), wait, last, last)
    seen = np.zeros((0, 6), dtype=np.float32) if observed is None else observed
    allowed, why = allowed_actions(program, place)
    worth = program.worth(place.state, place.belief, np.array([place.wait]))[0]
    racing = program.goal.kind == "race"
    if racing:
        worth = worth + float(program.record["baseline_performance"][0])
    chosen, seen = _choose(program, place, policy, rating, seen, allowed)
    candidates = _candidates(program, place, worth, why)
    outlook: list[OutlookDay] = []
    left = program.days - day
    shown = left if racing and left <= FARTHEST_OUTLOOK_DAYS else min(OUTLOOK_DAYS, left)
    action = chosen
    possible = allowed[1:].any()
    race_vdot = 0.0
    for ahead in range(left if racing else shown):
        if ahead:
            allowed_then, _ = allowed_actions(program, place)
            possible = possible or allowed_then[1:].any()
            action, seen = _choose(program, place, policy, rating, seen, allowed_then)
        told, place = _expected_day(program, place, action)
        race_vdot = told.vdot if racing else 0.0
        if ahead < shown:
            outlook.append(told)
    if not possible:
        raise ValueError(_impossible(program, shown, why))
    p_now = float(kernel.performance_of(morning.state(day), 0, program.record))
    return Advice(
        name=program.coached.name,
        date=morning.date,
        policy=policy,
        goal=str(program.goal),
        unit=program.goal.unit,
        days_left=program.days - day,
        plan=chosen,
        reasons=_reasons(program, morning, candidates, chosen, policy, program.days - day),
        candidates=candidates,
        steps=_steps(program, morning.state(day), chosen),
        outlook=tuple(outlook),
        vdot=p_now,
        fatigue=float(program.record["fatigue_utility"][0]) * morning.fatigue,
        motivation=morning.motivation,
        motivation_sd=morning.motivation_sd,
        hard_trimp=program.hard_trimp,
        constraints=program.constraints.to_dict(),
        speeds_m_s=tuple((zone_speeds(program.coached.individual.physiology.vdot) / 60.0).tolist()),
        race=program.goal.day,
        race_vdot=race_vdot,
        race_vdot_sd=float(np.hypot(program.coached.vdot_sd, RACE_SD * race_vdot)),
    )


def forecasts(program: SeasonProgram, morning: Morning) -> tuple[Candidate, ...]:
    """Return what every plan would bring on the season's first day, without its return.

    Args:
        program: The season, which need not be solved.
        morning: Where the person stands.
    """
    known = np.asarray(program.coached.loads)[-27:]
    place = Place(morning.state(), np.array([morning.belief]), 0, known, known)
    actions = program.targets.size
    return _candidates(program, place, np.zeros(actions), [""] * actions)


def allowed_actions(program: SeasonProgram, place: Place) -> tuple[NDArray[np.bool_], list[str]]:
    """Return which actions a day allows, and why not, by action."""
    day = int(place.state["day"][0])
    constraints = program.constraints
    then = date.fromisoformat(program.morning.date) + timedelta(days=day)
    within = within_cap(constraints, (place.asked, place.expected), program.targets.tolist())
    free = constraints.is_free(then)
    likely = np.append(1.0, program.chances(place.state)[:, -1] @ place.belief[0])
    why = []
    for action in range(program.targets.size):
        reason = ""
        if action and constraints.injured_until(then):
            reason = _INJURED
        elif action and not free:
            reason = _NOT_FREE
        elif not program.mask[day, action]:
            reason = _LONG
        elif program.hard[action] and place.wait > 0:
            reason = _HARD
        elif not within[action]:
            reason = _STEEP
        elif likely[action] < constraints.least_chance:
            reason = _UNLIKELY
        why.append(reason)
    return np.array([not reason for reason in why]), why


def _choose(
    program: SeasonProgram,
    place: Place,
    policy: str,
    rating: Rating | None,
    seen: NDArray[np.float32],
    allowed: NDArray[np.bool_],
) -> tuple[int, NDArray[np.float32]]:
    """Return the action of a day, and what an agent has observed by then."""
    ratings = None
    if policy == "a3c" and rating is not None:
        seen = np.concatenate([seen, observation_of(program, place.state)])
        ratings = rating(seen)[None]
    found = rate(policy, program, place.state, place.belief, np.array([place.wait]), ratings)[0]
    return int(np.where(allowed, found, -np.inf).argmax()), seen


def observation_of(program: SeasonProgram, state: NDArray[np.void]) -> NDArray[np.float32]:
    """Return what an agent observes of a state (1,), (1, 6)."""
    row = np.zeros((1, 6), dtype=np.float32)
    kernel.observe(state, 0, program.days, kernel.STATE_OBSERVATION, row)
    return row


def _outcomes(
    program: SeasonProgram, place: Place, action: int
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return chance by motivation (K, M), points (K,) and whether met (K,) of a day's outcomes."""
    if action:
        shares = program.size.shares
        done = np.append((np.arange(shares) + 0.5) / shares, 1.0)
        met = np.arange(shares + 1) == shares
        return program.chances(place.state)[action - 1], done * program.targets[action], met
    odds = float(program.habit_odds[int(place.state["day"][0])])
    strikes = 1.0 / (1.0 + np.exp(-odds - MOTIVATIONS))
    count = program.habits.size
    chance = np.concatenate([np.tile(strikes / count, (count, 1)), (1.0 - strikes)[None]])
    return chance, np.append(program.habits, 0.0), np.zeros(count + 1, dtype=np.bool_)


def _after(
    program: SeasonProgram, state: NDArray[np.void], action: int, points: float, met: bool
) -> NDArray[np.void]:
    """Return the state after a day on which ``points`` were done."""
    after = state.copy()
    outcome = np.zeros(1, dtype=OUTCOME)
    target = float(program.targets[action])
    kernel.step_with_response(after, outcome, program.record, 0, target, points, met)
    history = 0
    if points > 0.0:
        plan = action - 1 if action else int(np.abs(program.targets[1:] - points).argmin())
        share = points / target if action else 1.0
        history = int(recorded_history(plan, min(share, 1.0)))
    remember(after[0], history)
    return after


def _expected_day(program: SeasonProgram, place: Place, action: int) -> tuple[OutlookDay, Place]:
    """Return what is to be expected of a day, and the place after it."""
    chance, points, _ = _outcomes(program, place, action)
    likely = chance @ place.belief[0]
    expected = float(likely @ points)
    after = _after(program, place.state, action, expected, bool(action and likely[-1] > 0.999))
    target = float(program.targets[action])
    # The belief moves as each outcome would move it; without a plan all move it alike.
    moves = program.belief_moves
    if action:
        belief = np.einsum("km,m,kmn->n", chance, place.belief[0], moves[:-1])
    else:
        belief = place.belief[0] @ moves[-1]
    belief /= belief.sum()
    person = program.record[0]
    hard = bool(action and program.hard[action])
    gap = program.constraints.hard_gap
    then = date.fromisoformat(program.morning.date) + timedelta(days=int(place.state["day"][0]))
    told = OutlookDay(
        date=then.isoformat(),
        plan=action,
        trimp=target,
        minutes=_minutes(target),
        chance=float(likely[-1]) if action else 1.0,
        expected_trimp=expected,
        vdot=float(kernel.performance_of(after, 0, program.record)),
        fatigue=float(person["fatigue_utility"] * after["fatigue"][0]),
        ratio=ratio_with(place.asked, target if action else expected),
        expected_ratio=ratio_with(place.expected, expected),
        free=program.constraints.is_free(then),
        injured=bool(program.constraints.injured_until(then)),
        hard=hard,
    )
    wait = gap if hard else max(place.wait - 1, 0)
    return told, Place(
        after,
        belief[None],
        wait,
        np.append(place.asked, target if action else expected)[-27:],
        np.append(place.expected, expected)[-27:],
    )


def _candidates(
    program: SeasonProgram, place: Place, worth: Array, why: Sequence[str]
) -> tuple[Candidate, ...]:
    found = []
    utility = float(program.record["fatigue_utility"][0])
    for action in range(program.targets.size):
        chance, points, met = _outcomes(program, place, action)
        likely = chance @ place.belief[0]
        vdot = fatigue = 0.0
        for share, done, whole in zip(likely, points, met, strict=True):
            after = _after(program, place.state, action, float(done), bool(whole))
            vdot += share * float(kernel.performance_of(after, 0, program.record))
            fatigue += share * utility * float(after["fatigue"][0])
        target = float(program.targets[action])
        beats, low, high = _heart_rate(program, place.state, action)
        found.append(
            Candidate(
                plan=action,
                trimp=target,
                minutes=_minutes(target),
                forbidden=why[action],
                worth=float(worth[action]),
                chance=float(likely[-1]) if action else 1.0,
                expected_trimp=float(likely @ points),
                heart_rate=beats,
                heart_rate_low=low,
                heart_rate_high=high,
                vdot=float(vdot),
                fatigue=float(fatigue),
                ratio=ratio_with(place.asked, target if action else float(likely @ points)),
            )
        )
    return tuple(found)


def _minutes(target: float) -> float:
    return sum(part.minutes for part in plan_segments(target)) if target > 0.0 else 0.0


def _with_range(program: SeasonProgram, beats: float) -> tuple[float, float, float]:
    """Return a heart rate with the person's lasting offset, and its 95 % range, bpm."""
    person = program.record[0]
    spread = _SPREADS * float(np.hypot(person["heart_rate_sd"], program.coached.offset_sd))
    offset = float(person["heart_rate_offset"])
    middle, low, high = (
        float(with_offset(person, beats, offset + side * spread)) for side in (0.0, -1.0, 1.0)
    )
    return middle, low, min(high, float(person["maximum_heart_rate"]))


def _beats(program: SeasonProgram, state: NDArray[np.void], action: int) -> tuple[Array, Array]:
    """Return minutes and heart rate times minutes at the ends of a plan's segments, 0 first."""
    tables = program.tables
    loads, beats = np.zeros((2, tables.segments.size))
    fill_curve(state[0], program.record[0], tables, loads, beats)
    part = slice(*tables.first_segments[action - 1 : action + 1].tolist())
    return np.append(0.0, tables.segments["minutes"][part]), np.append(0.0, beats[part])


def _heart_rate(
    program: SeasonProgram, state: NDArray[np.void], action: int
) -> tuple[float, float, float]:
    if not action:
        return 0.0, 0.0, 0.0
    minutes, beats = _beats(program, state, action)
    return _with_range(program, float(beats[-1] / minutes[-1]))


def _steps(program: SeasonProgram, state: NDArray[np.void], action: int) -> tuple[Step, ...]:
    """Return the parts of a plan with their heart rates."""
    if not action:
        return ()
    minutes, beats = _beats(program, state, action)
    speeds = zone_speeds(program.coached.individual.physiology.vdot) / 60.0
    steps: list[Step] = []
    begun = 0.0
    for part in session_parts(float(program.targets[action])):
        ended = begun + part.minutes
        first, last = np.interp([begun, ended], minutes, beats)
        middle, low, high = _with_range(program, float(last - first) / part.minutes)
        zone, speed = ZONE_NAMES[int(part.zone)], float(speeds[int(part.zone)])
        steps.append(Step(zone, part.minutes, speed, middle, low, high))
        begun = ended
    return tuple(steps)


def session_parts(target: float) -> tuple[Segment, ...]:
    """Return the parts of a plan; what is too short to follow counts to the part before it."""
    parts: list[Segment] = []
    for part in plan_segments(target):
        if parts and part.minutes < _SHORTEST_PART_MINUTES:
            parts[-1] = Segment(parts[-1].zone, parts[-1].minutes + part.minutes)
        else:
            parts.append(part)
    return tuple(parts)


def _impossible(program: SeasonProgram, shown: int, why: Sequence[str]) -> str:
    counted = [reason for reason in why[1:] if reason]
    reason = max(set(counted), key=counted.count)
    return (
        f"the constraints leave no plan on any of the {shown} days from here: today most plans "
        f"are out because: {reason}. Loosen that one ({_OPTIONS[reason]})"
    )


def _reasons(
    program: SeasonProgram,
    morning: Morning,
    candidates: Sequence[Candidate],
    chosen: int,
    policy: str,
    days_left: int,
) -> tuple[str, ...]:
    """Return why, in sentences."""
    today = candidates[chosen]
    allowed = [one for one in candidates if not one.forbidden]
    unit = program.goal.unit
    said = []
    until = program.constraints.injured_until(date.fromisoformat(morning.date))
    if until:
        said.append(
            f"Injured until {until}: no plan, and nothing of your own is expected. The model knows "
            "nothing of injuries but days without running; whoever treats you decides when you run."
        )
    others = [one for one in allowed if one.plan != chosen]
    if policy == "coach":
        said.append(
            "The coach's rule asks for it on this day: easy days first, then a hard day in four, "
            "then a taper."
        )
    elif policy == "a3c":
        said.append("The saved agent takes it most often of what is allowed.")
    elif not others:
        reasons = sorted({one.forbidden for one in candidates[1:]})
        said.append(f"Nothing else is allowed today: {'; '.join(reasons)}.")
        if reasons == [_STEEP]:
            said.append(
                "The last week was so much harder than the four weeks before that even the easiest "
                "plan leads above it. Days without a plan bring the ratio down; what you run of "
                "your own is not limited."
            )
    else:
        second = max(others, key=lambda one: one.worth)
        ahead = (today.worth - second.worth) / max(days_left, 1)
        name = _name(second.plan)
        if ahead < _CLOSE:
            said.append(
                f"Over the {days_left} days left it is worth most, but hardly more than {name}: "
                "between the two the day makes little difference."
            )
        else:
            said.append(
                f"Over the {days_left} days left it is worth most: "
                f"{today.worth - second.worth:.3f} {unit} more than {name}."
            )
    better = (
        []
        if until
        else [one for one in candidates if one.forbidden and one.worth > today.worth + 1e-9]
    )
    if better and policy in ("belief", "dp"):
        best = max(better, key=lambda one: one.worth)
        said.append(
            f"{_name(best.plan).capitalize()} would be worth {best.worth - today.worth:.2f} {unit} "
            f"more, but it is {best.forbidden}."
            if best.forbidden.startswith(("hard", "longer", "above", "less"))
            else f"{_name(best.plan).capitalize()} would be worth {best.worth - today.worth:.2f} "
            f"{unit} more, but {best.forbidden}."
        )
    if chosen:
        said.append(
            f"It is completed with a chance of {100 * today.chance:.0f} %. A plan that is met "
            "raises motivation a little, one that is too much lowers it more."
        )
    elif program.constraints.is_free(date.fromisoformat(morning.date)):
        said.append("Rest lets fatigue fall; without a plan you may train as you like.")
    mood = morning.motivation
    if mood < -0.2:
        said.append("Of late less was done than asked for, so motivation is taken to be low.")
    elif mood > 0.2:
        said.append("Of late plans were met, so motivation is taken to be high.")
    person = program.record[0]
    tired = float(person["fatigue_utility"]) * morning.fatigue
    said.append(
        f"Fatigue costs {tired:.1f} VDOT this morning; by tomorrow it would be {today.fatigue:.1f}."
    )
    return tuple(said)


def _name(plan: int) -> str:
    return f"plan {plan}" if plan else "no plan"
