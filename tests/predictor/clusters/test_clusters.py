"""K-means, silhouettes, Rand index, and how many groups are found where it is known."""

from __future__ import annotations

import numpy as np
import pytest

from fitgym.predictor.clusters.features import (
    curve,
    main_directions,
    one_population,
    people_as_points,
    without_sport,
)
from fitgym.predictor.clusters.kmeans import adjusted_rand_index, kmeans, silhouette
from fitgym.predictor.clusters.number import group_points, one_normal, resampled_stability
from fitgym.predictor.clusters.report import cluster_page, cluster_people, number_rows
from fitgym.predictor.correction import PersonalCorrection
from fitgym.predictor.fitrec2.data import encode_bodies
from fitgym.predictor.fitrec2.inference import load_body_predictor
from fitgym.predictor.fitrec2.people import VirtualPeopleConfig, simulate_people


@pytest.fixture(scope="module")
def predictor():
    return load_body_predictor()


@pytest.fixture(scope="module")
def recorded():
    return simulate_people(VirtualPeopleConfig(people=14, workouts=2, longest_steps=60, seed=9))[0]


def blobs(rng, centres, each=15, spread=0.3):
    return np.concatenate([rng.normal(centre, spread, (each, 2)) for centre in centres])


def test_kmeans_finds_planted_groups_and_the_least_spread(rng):
    points = blobs(rng, [(0, 0), (5, 0), (0, 5)])
    labels, within = kmeans(points, 3, rng)
    assert adjusted_rand_index(labels, np.repeat([0, 1, 2], 15)) == 1.0
    parts = np.split(points, 3)
    by_hand = sum(((part - part.mean(axis=0)) ** 2).sum() for part in parts)
    assert within == pytest.approx(by_hand)
    one, total = kmeans(points, 1, rng)
    assert set(one) == {0}
    assert total == pytest.approx(((points - points.mean(axis=0)) ** 2).sum())


def test_groups_are_numbered_by_size(rng):
    points = np.concatenate([np.zeros((3, 2)), np.full((9, 2), 4.0)])
    labels, _ = kmeans(points, 2, rng)
    assert labels.tolist() == [1] * 3 + [0] * 9


def test_the_rand_index_has_its_known_values():
    # Hubert and Arabie's index by hand: pairs 2, of rows 3 + 3, of columns 3 + 1 + 1... of 15.
    first, second = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 2, 2])
    expected = (2.0 - 6.0 * 3.0 / 15.0) / (0.5 * (6.0 + 3.0) - 6.0 * 3.0 / 15.0)
    assert adjusted_rand_index(first, second) == pytest.approx(expected)
    assert adjusted_rand_index(first, 7 - first) == 1.0
    assert adjusted_rand_index(np.zeros(5), np.zeros(5)) == 1.0


def test_the_rand_index_of_independent_groups_is_zero_on_average(rng):
    found = [
        adjusted_rand_index(rng.integers(0, 3, 60), rng.integers(0, 3, 60)) for _ in range(300)
    ]
    assert abs(np.mean(found)) < 0.01


def test_the_silhouette_is_that_of_its_definition(rng):
    points, labels = rng.random((9, 2)), np.array([0, 0, 0, 1, 1, 1, 1, 2, 2])
    values = []
    for i in range(9):
        distance = np.linalg.norm(points - points[i], axis=1)
        inside = distance[(labels == labels[i]) & (np.arange(9) != i)].mean()
        nearest = min(distance[labels == k].mean() for k in range(3) if k != labels[i])
        values.append((nearest - inside) / max(nearest, inside))
    assert silhouette(points, labels) == pytest.approx(np.mean(values))
    assert silhouette(points, np.zeros(9, dtype=int)) == 0.0
    assert silhouette(np.array([[0.0], [1.0]]), np.array([0, 1])) == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_planted_groups_are_found_in_their_number(seed):
    points = blobs(np.random.default_rng(seed), [(0, 0), (4, 0), (0, 4)])
    found = group_points(points, one_normal(points), null_sets=40, resamples=10, seed=seed)
    assert found.clusters == 3
    assert found.stability[0] > 0.95


@pytest.mark.parametrize("seed", range(3))
def test_one_population_is_one_group(seed):
    points = np.random.default_rng(seed).normal(0.0, 1.0, (50, 3)) * [3.0, 1.0, 0.5]
    found = group_points(points, one_normal(points), null_sets=40, resamples=10, seed=seed)
    assert found.clusters == 1
    assert found.shown == 2
    assert len(found.labels) == 50


def test_one_population_is_seldom_taken_for_more():
    wrong = 0
    for seed in range(20):
        points = np.random.default_rng(100 + seed).normal(0.0, 1.0, (30, 2))
        found = group_points(points, one_normal(points), most=4, null_sets=20, resamples=2)
        wrong += found.clusters > 1
    assert wrong <= 3


def test_too_few_points_are_refused(rng):
    with pytest.raises(ValueError, match="at least 10"):
        group_points(rng.random((5, 2)), one_normal(rng.random((5, 2))))


def test_stability_repeats_by_seed(rng):
    points = rng.random((30, 2))
    labels, _ = kmeans(points, 2, rng)
    first = resampled_stability(points, labels, 5, seed=1)
    assert first.tolist() == resampled_stability(points, labels, 5, seed=1).tolist()
    assert first.max() <= 1.0


def test_curves_are_those_of_the_personal_correction(predictor, recorded):
    people = people_as_points(predictor, encode_bodies(recorded))
    assert people.users == list(dict.fromkeys(workout.user for workout in recorded))
    correction = PersonalCorrection(predictor.components)
    for errors in people.sessions[0]:
        correction = correction.update(errors)
    assert people.curves[0] == pytest.approx(correction.coefficients(people.sports[0])[0])
    assert curve(predictor.components, [], "run") == pytest.approx(np.zeros(4))
    assert people.embeddings.shape == (14, predictor.model.config.hidden)


def test_one_population_has_the_spread_that_shrinkage_leaves(predictor, recorded):
    people = people_as_points(predictor, encode_bodies(recorded))
    null = one_population(predictor.components, people, np.ones(4))
    drawn = np.stack([null(np.random.default_rng(number)) for number in range(400)])
    assert np.abs(drawn.mean(axis=0)).max() < 1.5
    # The variance of a posterior mean is the prior variance less the posterior's.
    correction = PersonalCorrection(predictor.components)
    for errors in people.sessions[0]:
        correction = correction.update(errors)
    _, posterior = correction.coefficients(people.sports[0])
    prior = predictor.components.person + predictor.components.sport
    assert drawn[:, 0].var(axis=0) == pytest.approx(np.diag(prior - posterior), rel=0.25)


def test_directions_keep_distances_and_sports_are_taken_out(rng):
    points = rng.random((20, 3))
    scores = main_directions(points)
    centred = points - points.mean(axis=0)
    assert np.diag(scores.T @ scores) == pytest.approx(
        np.linalg.svd(centred, compute_uv=False)[: scores.shape[1]] ** 2
    )
    sports = ["run", "bike"] * 10
    left = without_sport(points, sports)
    assert left[::2].mean(axis=0) == pytest.approx(0.0)
    assert left[1::2].mean(axis=0) == pytest.approx(0.0)


def test_the_report_runs_from_recordings_to_page(predictor, recorded):
    report = cluster_people(predictor, recorded, null_sets=20, seed=0)
    again = cluster_people(predictor, recorded, null_sets=20, seed=0)
    assert report.record() == again.record()
    assert [row[0] for row in number_rows(report)[1]] == list(report.record()["views"])
    page = cluster_page(report)
    for view in report.views:
        assert view.verdict in page
        assert sum(group["people"] for group in report.record()["views"][view.name]["groups"]) == 14
    with pytest.raises(ValueError, match="at least 10 people"):
        cluster_people(predictor, recorded[:6], null_sets=20, seed=0)
