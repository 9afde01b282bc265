"""Whether the true workout is found by its own heart rate among other real workouts.

For each held-out workout the target is its measured heart rate, and the candidates are held-out
workouts of the same sport, the true one among them: of everybody in the fold, or of the person
alone. All are cut to their first minutes. Uncut, the length of the target would give the true
workout away, for lengths are as good as unique; cut, a candidate's length can help only as far as
the heart rate tells how long somebody means to go on, which the baseline on durations is left with.

Everything is out of sample: networks, components and baselines of a fold know nobody in it. Of a
person, earlier workouts are known to every method.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.statistics import ratio_interval
from fitgym.common.validation import require_integer
from fitgym.logs.workout import GRID_STEP_S, Workout
from fitgym.predictor.attributes import Attributes, attributes_shown
from fitgym.predictor.baselines import Baselines
from fitgym.predictor.channels import denormalise_heart_rate, sport_family
from fitgym.predictor.correction import PersonalCorrection, VarianceComponents
from fitgym.predictor.datasets import Example
from fitgym.predictor.fitrec2.cross_validation import cross_validate
from fitgym.predictor.fitrec2.data import encode_bodies
from fitgym.predictor.fitrec2.evaluation import STRONGEST
from fitgym.predictor.fitrec2.inference import BodyPredictor
from fitgym.predictor.fitrec2.personal import CORRECTION_SHARE, StrangerForecasts
from fitgym.predictor.fitrec2.recipe import Fitrec2Recipe
from fitgym.predictor.sessions import PreviousWorkout, Session
from fitgym.predictor.splits import Split

Array = NDArray[np.float64]

# Length to which everything is cut, and the fewest candidates (ours).
CUT_MINUTES = 20
FEWEST = 8
QUARTER = 0.25

OURS = "FitRec, second edition, and personal correction"
LINEAR = STRONGEST
SPEED = "speed only"
DURATION = "duration only"
METHODS = (OURS, LINEAR, SPEED, DURATION)
POOLS = {
    "everybody": "workouts of everybody in the fold, same sport",
    "own": "workouts of the same person, same sport",
}


@dataclass(frozen=True)
class Result:
    """What became of one target.

    Attributes:
        user: The person.
        sport: Family of the sport.
        candidates: Number of candidates.
        chance: Probability that a random order has the true one in its top quarter.
        credits: By method, whether it is there; a share where candidates tie at its edge.
        positions: By method, the true one's place from 0 (first) to 1 (last).
    """

    user: str
    sport: str
    candidates: int
    chance: float
    credits: dict[str, float]
    positions: dict[str, float]


def evaluate_recommendation(
    workouts: Sequence[Workout],
    recipe: Fitrec2Recipe,
    folder: str | os.PathLike[str],
    *,
    minutes: int = CUT_MINUTES,
    progress: bool = False,
) -> dict[str, Any]:
    """Train a network for each fold of people and rank the workouts of the others by it.

    Args:
        workouts: Recordings of at least as many people as there are folds.
        recipe: How to train.
        folder: Holds a checkpoint per training, from which a later call resumes.
        minutes: Length that everything is cut to; shorter workouts are left out.
        progress: Whether to show progress bars.

    Returns:
        ``minutes``, and for each of ``POOLS`` what ``ranking_report`` gives.
    """
    require_integer("minutes", minutes, 5, 100)
    steps = round(60.0 * minutes / GRID_STEP_S)
    validated = cross_validate(encode_bodies(workouts), recipe, folder=folder, progress=progress)
    results: dict[str, list[Result]] = {name: [] for name in POOLS}
    for number, fold in enumerate(validated.folds):
        asked = _Fold(fold, validated.strangers[number], validated.components(number), steps)
        for name, found in asked.results().items():
            results[name] += found
    return {"minutes": minutes} | {name: ranking_report(each) for name, each in results.items()}


def quarter_credit(scores: Sequence[float] | Array, truth: int) -> tuple[float, float]:
    """Return whether the true candidate is in the top quarter by score, and the chance of it.

    Args:
        scores: One per candidate, small ones first.
        truth: Index of the true one.

    Returns:
        One or zero, or the probability where candidates of the same score straddle the edge, were
        they ordered at random; and the same for scores that are all alike.
    """
    values = np.asarray(scores, dtype=np.float64)
    places = max(int(QUARTER * len(values)), 1)
    before = int((values < values[truth]).sum())
    alike = int((values == values[truth]).sum())
    return float(np.clip((places - before) / alike, 0.0, 1.0)), places / len(values)


def ranking_report(results: Sequence[Result]) -> dict[str, Any]:
    """Return how often each method has the true workout in its top quarter.

    Returns:
        Numbers of targets and people, mean number of candidates, and for each method the share of
        the targets in the top quarter, the mean place and, but for ours, by how much ours has
        more, with 95 % bootstrap intervals over people; ``by_sport`` the same for each sport.
    """
    sports = sorted({result.sport for result in results})
    report = _part(results)
    if results:
        report["by_sport"] = {
            sport: _part([result for result in results if result.sport == sport])
            for sport in sports
        }
    return report


def _part(results: Sequence[Result]) -> dict[str, Any]:
    if not results:
        return {"targets": 0, "people": 0}
    methods: dict[str, Any] = {
        name: {
            "top_quarter": _interval(results, lambda result, name=name: result.credits[name]),
            "mean_place": float(np.mean([result.positions[name] for result in results])),
        }
        for name in METHODS
    }
    for name in METHODS[1:]:
        methods[name]["ours_more"] = _interval(
            results, lambda result, name=name: result.credits[OURS] - result.credits[name]
        )
    return {
        "targets": len(results),
        "people": len({result.user for result in results}),
        "candidates": float(np.mean([result.candidates for result in results])),
        "chance": float(np.mean([result.chance for result in results])),
        "methods": methods,
    }


def _interval(results: Sequence[Result], value: Callable[..., float]) -> list[float]:
    """Return the mean over targets, and the ends of its interval over people."""
    sums: dict[str, float] = defaultdict(float)
    counts: dict[str, float] = defaultdict(float)
    for result in results:
        sums[result.user] += value(result)
        counts[result.user] += 1.0
    interval = ratio_interval(list(sums.values()), list(counts.values()))
    return [interval.mean, interval.low, interval.high]


class _Fold:
    """The tested people of one fold, and all methods fitted to the others."""

    def __init__(
        self,
        fold: Split,
        strangers: StrangerForecasts,
        components: VarianceComponents,
        steps: int,
    ) -> None:
        self._strangers, self._components, self._steps = strangers, components, steps
        self._predictor = BodyPredictor(strangers.model, components)
        self._own: dict[str, list[Example]] = defaultdict(list)
        for example in sorted(fold.test, key=lambda example: example.workout.day):
            self._own[example.workout.user].append(example)
        self._kept = [e for e in fold.test if len(e) >= steps and e.valid[:steps].mean() >= 0.5]
        training = [*fold.training, *fold.validation]
        self._baselines = Baselines(training)
        long = [e for e in training if len(e) >= steps and e.valid[:steps].any()]
        self._means = _MeanRegressions(long, steps)

    def results(self) -> dict[str, list[Result]]:
        """Return the results by pool."""
        found: dict[str, list[Result]] = {name: [] for name in POOLS}
        for target in self._kept:
            alike = [e for e in self._kept if _sport(e) == _sport(target)]
            own = [e for e in alike if e.workout.user == target.workout.user]
            pools = {"everybody": alike, "own": own}
            if len(alike) < FEWEST:
                continue
            scores = self._scores(target, alike)
            for name, pool in pools.items():
                if len(pool) < FEWEST:
                    continue
                chosen = [number for number, e in enumerate(alike) if any(e is o for o in pool)]
                truth = next(n for n, number in enumerate(chosen) if alike[number] is target)
                found[name].append(
                    _result(target, {m: s[chosen] for m, s in scores.items()}, truth)
                )
        return found

    def _scores(self, target: Example, candidates: Sequence[Example]) -> dict[str, Array]:
        """Return, by method, how far each candidate misses the target; small is good."""
        steps, valid = self._steps, target.valid[: self._steps]
        measured = denormalise_heart_rate(target.target[:steps])[valid]
        everything = self._own[target.workout.user]
        earlier = everything[: next(n for n, e in enumerate(everything) if e is target)]
        cut = [_cut(example, steps) for example in candidates]

        def miss(predicted: Sequence[Array]) -> Array:
            return np.array([np.abs(each[valid] - measured).mean() for each in predicted])

        linear = [self._baselines.predict(STRONGEST, example, earlier) for example in cut]
        mean = float(measured.mean())
        speeds, durations = self._means.speed(cut, earlier), self._means.log_minutes(target, mean)
        lengths = np.log([len(example.workout) for example in candidates])
        return {
            OURS: miss(self._forecast(target, cut, earlier)),
            LINEAR: miss(linear),
            SPEED: np.abs(speeds - mean),
            DURATION: np.abs(lengths - durations),
        }

    def _forecast(
        self, target: Example, candidates: Sequence[Example], earlier: Sequence[Example]
    ) -> list[Array]:
        """Return the heart rate of the target's person in each candidate, on the target's day."""
        workout = target.workout
        sessions = [
            replace(_session(example, self._steps), gender=workout.gender, user=workout.user)
            for example in candidates
        ]
        history = None
        if earlier:
            last = earlier[-1].workout
            history = PreviousWorkout.of(last, workout.day - last.day)
        shown = attributes_shown([example.workout for example in earlier])
        informed = self._predictor.predict(sessions, [history], [shown])
        plain = self._predictor.predict(sessions, [None], [Attributes()])
        correction = PersonalCorrection(self._components)
        for example in earlier:
            correction = correction.update(self._strangers.errors(example))
        forecasts = []
        for example, first, second in zip(candidates, informed, plain, strict=True):
            features = self._strangers.features(example)[: self._steps]
            offset, _ = correction.predict(example.workout.sport, features)
            forecasts.append(first + CORRECTION_SHARE * (second + offset - first))
        return forecasts


class _MeanRegressions:
    """By sport: mean heart rate on mean speed, and log duration on mean heart rate."""

    def __init__(self, training: Sequence[Example], steps: int) -> None:
        self._steps = steps
        by_sport: dict[str, list[Example]] = defaultdict(list)
        for example in training:
            by_sport[_sport(example)].append(example)
        self._speed = {s: self._line(own, _mean_speed, self._beats) for s, own in by_sport.items()}
        self._minutes = {
            s: self._line(own, lambda e, _: self._beats(e), lambda e: float(np.log(len(e.workout))))
            for s, own in by_sport.items()
        }

    def speed(self, candidates: Sequence[Example], earlier: Sequence[Example]) -> Array:
        """Return the mean heart rate (C,) that the candidates' mean speeds let expect.

        It is shifted by the person's mean deviation so far, drawn to zero as by one workout more.
        """
        sport = _sport(candidates[0])
        if sport not in self._speed:
            return np.zeros(len(candidates))
        known = [
            self._beats(e) - self._speed[sport](_mean_speed(e, self._steps))
            for e in earlier
            if _sport(e) == sport and e.valid[: self._steps].any()
        ]
        shift = sum(known) / (len(known) + 1.0)
        line = self._speed[sport]
        return np.array([line(_mean_speed(e, self._steps)) + shift for e in candidates])

    def log_minutes(self, target: Example, mean: float) -> float:
        """Return the logarithm of the duration that a mean heart rate lets expect."""
        line = self._minutes.get(_sport(target))
        return 0.0 if line is None else line(mean)

    def _beats(self, example: Example) -> float:
        valid = example.valid[: self._steps]
        return float(denormalise_heart_rate(example.target[: self._steps])[valid].mean())

    def _line(
        self,
        examples: Sequence[Example],
        abscissa: Callable[[Example, int], float],
        ordinate: Callable[[Example], float],
    ) -> Callable[[float], float]:
        x = np.array([abscissa(example, self._steps) for example in examples])
        y = np.array([ordinate(example) for example in examples])
        spread = float(np.var(x))
        slope = float(np.mean((x - x.mean()) * (y - y.mean()))) / spread if spread else 0.0
        centre, level = float(x.mean()), float(y.mean())
        return lambda value: level + slope * (value - centre)


def _result(target: Example, scores: Mapping[str, Array], truth: int) -> Result:
    credits, positions, chance = {}, {}, 0.0
    for name, values in scores.items():
        credits[name], chance = quarter_credit(values, truth)
        before = float((values < values[truth]).sum())
        alike = float((values == values[truth]).sum()) - 1.0
        positions[name] = (before + 0.5 * alike) / (len(values) - 1)
    count = len(next(iter(scores.values())))
    return Result(target.workout.user, _sport(target), count, chance, credits, positions)


def _cut(example: Example, steps: int) -> Example:
    return replace(
        example,
        channels=example.channels[:steps],
        target=example.target[:steps],
        valid=example.valid[:steps],
    )


def _session(example: Example, steps: int) -> Session:
    workout = example.workout
    return Session(
        workout.speed_m_s[:steps],
        workout.altitude_m[:steps],
        workout.has_altitude,
        workout.sport,
    )


def _mean_speed(example: Example, steps: int) -> float:
    return float(example.workout.speed_m_s[:steps].mean())


def _sport(example: Example) -> str:
    return sport_family(example.workout.sport)
