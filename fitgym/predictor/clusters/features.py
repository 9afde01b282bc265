"""People as points: by their response curves, and by what the network's history encoder says.

A response curve is a person's lasting deviation from what is expected of a stranger: level, slope
over speed, slope over climb and drift, each the posterior mean of ``PersonalCorrection`` in the
person's main sport. An embedding is the encoder's last state after each of a person's workouts,
averaged; it also holds what was done, so the sports' means are taken out of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from fitgym.predictor.channels import sport_family
from fitgym.predictor.clusters.number import Null
from fitgym.predictor.correction import (
    FEATURES,
    FEWEST_STEPS,
    PersonalCorrection,
    SessionErrors,
    VarianceComponents,
)
from fitgym.predictor.fitrec2.data import BodyExample, collate
from fitgym.predictor.fitrec2.inference import BodyPredictor
from fitgym.predictor.fitrec2.personal import StrangerForecasts

Array = NDArray[np.float64]

# Directions of the embeddings that are kept: this share of the variance, at most so many.
KEPT_VARIANCE, MOST_DIRECTIONS = 0.9, 5


@dataclass(frozen=True, eq=False)
class People:
    """People with recordings, as points.

    Attributes:
        users: (P,) names.
        sports: (P,) main sports.
        workouts: (P,) numbers of workouts.
        curves: (P, 4) coefficients of the response curves, bpm for features of one.
        embeddings: (P, H) mean last states of the encoder.
        sessions: For each person the sums of errors that the curve comes from.
    """

    users: list[str]
    sports: list[str]
    workouts: list[int]
    curves: Array
    embeddings: Array
    sessions: list[list[SessionErrors]]


def people_as_points(predictor: BodyPredictor, examples: Sequence[BodyExample]) -> People:
    """Return the people of recordings with enough measured steps, in the order they appear."""
    by_user: dict[str, list[BodyExample]] = defaultdict(list)
    for example in examples:
        if example.example.valid.sum() >= FEWEST_STEPS:
            by_user[example.workout.user].append(example)
    strangers = StrangerForecasts(predictor.model, [each.example for each in examples])
    states = {
        user: np.mean([_last_state(predictor, example) for example in own], axis=0)
        for user, own in by_user.items()
    }
    sports = [_main_sport(own) for own in by_user.values()]
    sessions = [[strangers.errors(e.example) for e in own] for own in by_user.values()]
    curves = [
        curve(predictor.components, own, sport) for own, sport in zip(sessions, sports, strict=True)
    ]
    return People(
        users=list(by_user),
        sports=sports,
        workouts=[len(own) for own in by_user.values()],
        curves=np.array(curves).reshape(len(by_user), len(FEATURES)),
        embeddings=np.array(list(states.values())),
        sessions=sessions,
    )


def curve(components: VarianceComponents, sessions: Sequence[SessionErrors], sport: str) -> Array:
    """Return a person's coefficients (4,) in a sport, as the errors of sessions tell them."""
    correction = PersonalCorrection(components)
    for errors in sessions:
        correction = correction.update(errors)
    return correction.coefficients(sport)[0]


def one_population(components: VarianceComponents, people: People, spread: Array) -> Null:
    """Return what draws the curves of people who all come from one normal population.

    Everybody has done the same sessions; effects of person, sport and session and noise are drawn
    anew from the components. Who has done little lies near the middle, as in the real points: a
    plain normal distribution would take that for a group.

    Args:
        components: Of the predictor whose curves they are.
        people: The people.
        spread: (4,) what the curves are divided by.
    """
    roots = {name: np.linalg.cholesky(getattr(components, name)) for name in _EFFECTS}
    noise = np.sqrt(components.noise * components.memory_steps)
    # A square root of a Gram matrix that may be singular, as without climb.
    grams = [[_root(errors.gram) for errors in own] for own in people.sessions]

    def draw(rng: np.random.Generator) -> Array:
        rows = []
        for own, own_roots, sport in zip(people.sessions, grams, people.sports, strict=True):
            person = roots["person"] @ rng.standard_normal(len(FEATURES))
            by_sport: dict[str, Array] = {}
            drawn = []
            for errors, root in zip(own, own_roots, strict=True):
                if errors.sport not in by_sport:
                    by_sport[errors.sport] = roots["sport"] @ rng.standard_normal(len(FEATURES))
                session = roots["session"] @ rng.standard_normal(len(FEATURES))
                effect = person + by_sport[errors.sport] + session
                moment = errors.gram @ effect + noise * root @ rng.standard_normal(len(FEATURES))
                drawn.append(SessionErrors(errors.sport, errors.gram, moment, 0.0, errors.steps))
            rows.append(curve(components, drawn, sport))
        return np.array(rows) / spread

    return draw


def without_sport(points: Array, sports: Sequence[str]) -> Array:
    """Return points (P, D) less the mean of their sport."""
    names = np.array(sports)
    left = points.copy()
    for sport in np.unique(names):
        left[names == sport] -= points[names == sport].mean(axis=0)
    return left


def main_directions(points: Array) -> Array:
    """Return points (P, D) on their directions of largest variance (P, d), centred."""
    centred = points - points.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    share = np.cumsum(singular**2) / (singular**2).sum()
    kept = min(int(np.searchsorted(share, KEPT_VARIANCE)) + 1, MOST_DIRECTIONS)
    # The sign of a direction is arbitrary: the farthest point is put on its positive side.
    scores: Array = left[:, :kept] * singular[:kept]
    farthest = np.abs(scores).argmax(axis=0)
    signed: Array = scores * np.sign(scores[farthest, np.arange(kept)])
    return signed


_EFFECTS = ("person", "sport", "session")


def _root(gram: Array) -> Array:
    values, vectors = np.linalg.eigh(gram)
    root: Array = vectors * np.sqrt(np.maximum(values, 0.0))
    return root


def _main_sport(own: Sequence[BodyExample]) -> str:
    steps: Counter[str] = Counter()
    for example in own:
        steps[sport_family(example.workout.sport)] += int(example.example.valid.sum())
    return steps.most_common(1)[0][0]


def _last_state(predictor: BodyPredictor, example: BodyExample) -> Array:
    """Return the encoder's last state (H,) after a workout, read as a stranger's of yesterday."""
    after = BodyExample(
        example=type(example.example)(
            workout=example.workout,
            channels=example.example.channels[:1],
            target=example.example.target[:1],
            valid=example.example.valid[:1],
            previous=example.example,
            days_since=1.0,
        ),
        attributes=np.full_like(example.attributes, np.nan),
        uptake=example.uptake[:1],
        previous_uptake=example.uptake,
    )
    batch = collate([after], after.attributes[None])
    with torch.inference_mode():
        encoded = predictor.model.encode_history(
            batch.previous_channels,
            batch.previous_uptake,
            batch.previous_target,
            batch.previous_length,
            batch.references,
        )
    return encoded[0, -1].double().numpy()
