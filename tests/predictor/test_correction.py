"""The personal correction against brute-force Gaussian algebra and simulated people."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from fitgym.predictor.correction import (
    FEATURES,
    PersonalCorrection,
    SessionErrors,
    VarianceComponents,
    fit_components,
    session_features,
)

SIZE = len(FEATURES)


def components(memory_steps: float = 1.0) -> VarianceComponents:
    rng = np.random.default_rng(3)

    def covariance(scale: float) -> np.ndarray:
        root = rng.normal(size=(SIZE, SIZE))
        return scale * (root @ root.T + np.eye(SIZE))

    return VarianceComponents(covariance(4.0), covariance(2.0), covariance(3.0), 25.0, memory_steps)


def features(steps: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    speed = np.clip(rng.normal(2.8, 0.5, steps), 0.0, None)
    return session_features(speed, np.cumsum(rng.normal(0.0, 1.0, steps)), True)


@settings(max_examples=examples(25), deadline=None)
@given(
    sports=st.lists(st.sampled_from(["run", "bike", "walk"]), min_size=1, max_size=4),
    asked=st.sampled_from(["run", "bike", "swim"]),
    seed=st.integers(0, 1000),
)
def test_correction_is_the_posterior_of_the_joint_normal(
    sports: list[str], asked: str, seed: int
) -> None:
    spread = components()
    rng = np.random.default_rng(seed)
    designs = [features(15 + 5 * number, seed + number) for number in range(len(sports))]
    errors = [rng.normal(0.0, 8.0, len(design)) for design in designs]
    correction = PersonalCorrection(spread)
    for sport, design, error in zip(sports, designs, errors, strict=True):
        correction = correction.update(SessionErrors.of(sport, design, error))
    new = features(30, seed + 99)
    offset, sd = correction.predict(asked, new)

    # Brute force: the joint normal distribution of all errors, conditioned.
    families = [{"swim": "other"}.get(sport, sport) for sport in [*sports, asked]]
    all_designs = [*designs, new]
    joint = [
        [
            x
            @ (
                spread.person
                + (spread.sport if families[i] == families[j] else 0.0)
                + (spread.session if i == j else 0.0)
            )
            @ z.T
            + (spread.noise * np.eye(len(x)) if i == j else 0.0)
            for j, z in enumerate(all_designs)
        ]
        for i, x in enumerate(all_designs)
    ]
    full = np.block(joint)
    known = len(full) - len(new)
    gain = np.linalg.solve(full[:known, :known], full[:known, known:]).T
    mean = gain @ np.concatenate(errors)
    left = full[known:, known:] - gain @ full[:known, known:]
    np.testing.assert_allclose(offset, mean, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(sd, np.sqrt(np.diag(left)), rtol=1e-6)


def test_a_stranger_is_not_corrected() -> None:
    offset, sd = PersonalCorrection(components()).predict("run", features(20, 0))
    assert not offset.any()
    assert (sd > 0.0).all()


def test_spread_of_known_people_is_smaller_and_short_sessions_tell_nothing() -> None:
    correction = PersonalCorrection(components())
    design = features(60, 1)
    before = correction.mean_spread("run", design)
    short = correction.update(SessionErrors.of("run", design[:11], np.zeros(11)))
    assert short is correction
    after = correction.update(SessionErrors.of("run", design, np.zeros(60)))
    assert after.mean_spread("run", design) < before


def test_components_of_simulated_people_are_found_and_their_intervals_hold() -> None:
    rng = np.random.default_rng(0)
    truth = {
        "person": np.diag([6.0, 3.0, 1.0, 1.0]) ** 2,
        "sport": np.diag([4.0, 2.0, 1.0, 1.0]) ** 2,
        "session": np.diag([7.0, 2.0, 1.0, 1.0]) ** 2,
    }

    def draw(covariance: np.ndarray) -> np.ndarray:
        return rng.multivariate_normal(np.zeros(SIZE), covariance)

    people: list[list[tuple[str, np.ndarray, np.ndarray]]] = []
    for person in range(300):
        own, by_sport = draw(truth["person"]), {s: draw(truth["sport"]) for s in ("run", "bike")}
        sessions = []
        for number in range(4):
            sport = "run" if rng.random() < 0.7 else "bike"
            design = features(90, 10 * person + number)
            effect = own + by_sport[sport] + draw(truth["session"])
            sessions.append((sport, design, design @ effect + rng.normal(0.0, 4.0, 90)))
        people.append(sessions)
    told = [[SessionErrors.of(*session) for session in sessions] for sessions in people[:200]]
    found = fit_components(told, memory_steps=1.0)
    for name, level in (("person", 6.0), ("sport", 4.0), ("session", 7.0)):
        assert np.sqrt(getattr(found, name)[0, 0]) == pytest.approx(level, rel=0.35)
    strangers, known = [], []
    for sessions in people[200:]:
        correction = PersonalCorrection(found)
        for number, (sport, design, error) in enumerate(sessions):
            offset, _ = correction.predict(sport, design)
            spread = correction.mean_spread(sport, design)
            inside = abs(float((error - offset).mean())) < 1.2816 * spread
            (known if number == 3 else strangers).append(inside) if number in (0, 3) else None
            correction = correction.update(SessionErrors.of(sport, design, error))
    assert 0.7 < np.mean(strangers) < 0.9
    assert 0.7 < np.mean(known) < 0.9


def test_state_and_components_survive_json() -> None:
    spread = components(30.0)
    design = features(40, 2)
    correction = PersonalCorrection(spread).update(
        SessionErrors.of("run_trail", design, np.linspace(0.0, 9.0, 40))
    )
    again = PersonalCorrection.from_dict(
        VarianceComponents.from_dict(json.loads(json.dumps(spread.as_dict()))),
        json.loads(json.dumps(correction.as_dict())),
    )
    for mine, theirs in zip(
        correction.predict("run", design), again.predict("run", design), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def test_components_must_be_covariances() -> None:
    good = components()
    with pytest.raises(ValueError, match="session must be positive definite"):
        VarianceComponents(good.person, good.sport, -good.session, 1.0)
    with pytest.raises(ValueError, match="person must be a symmetric matrix"):
        VarianceComponents(np.eye(3), good.sport, good.session, 1.0)
    with pytest.raises(ValueError, match="measured steps"):
        fit_components([[SessionErrors.of("run", np.ones((5, SIZE)), np.ones(5))]])
