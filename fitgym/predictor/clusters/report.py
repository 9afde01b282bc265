"""Groups of people as one record, as tables and as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.figures import COLOURS, new_figure, tidy_axes
from fitgym.common.pages import (
    figures,
    heading,
    html_table,
    inline_figure,
    paragraph,
    text_page,
)
from fitgym.logs.workout import Workout
from fitgym.predictor.channels import SPEED_CENTRE_M_S, SPEED_SCALE_M_S
from fitgym.predictor.clusters.features import (
    People,
    main_directions,
    one_population,
    people_as_points,
    without_sport,
)
from fitgym.predictor.clusters.number import Grouping, group_points, one_normal
from fitgym.predictor.correction import FEATURES
from fitgym.predictor.fitrec2.data import encode_bodies
from fitgym.predictor.fitrec2.inference import BodyPredictor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

GROUP_COLOURS = ("blue", "red", "green", "purple", "orange", "grey")
MARKERS = {"run": "o", "bike": "s", "walk": "^", "other": "D", "unknown": "x"}
FEWEST_PEOPLE = 10
# Speeds in m/s over which response curves are drawn, by sport.
DRAWN_M_S = {"run": (2.0, 4.5), "bike": (4.0, 11.0), "walk": (0.8, 2.0), "other": (1.0, 4.0)}

CURVES = "response curves"
EMBEDDINGS = "embeddings"
EMBEDDINGS_LESS_SPORT = "embeddings less their sport's mean"


@dataclass(frozen=True, eq=False)
class View:
    """One way to see people as points.

    Attributes:
        name: What it is called.
        points: (P, D) the points.
        grouping: Their groups.
    """

    name: str
    points: Array
    grouping: Grouping

    @property
    def verdict(self) -> str:
        """What is to be said of the number of groups, in a sentence."""
        grouping = self.grouping
        if grouping.clusters > 1:
            return (
                f"{grouping.clusters} groups: the gap statistic takes as many, and one population "
                f"has as good a silhouette in {100.0 * grouping.silhouette_p:.0f} % of the draws."
            )
        if grouping.gap_choice > 1:
            return (
                f"One group: the gap statistic would take {grouping.gap_choice}, but one "
                f"population has as good a silhouette in "
                f"{100.0 * grouping.silhouette_p:.0f} % of the draws."
            )
        if grouping.silhouette_p < 0.05:
            return (
                "One group by the gap statistic; the silhouette is beyond one normal population's "
                f"(p = {grouping.silhouette_p:.2f}), so the cloud is not a normal one, but what "
                "lies in it is not set apart either."
            )
        return (
            "One group: the gap statistic takes no more, and one population has as good a "
            f"silhouette in {100.0 * grouping.silhouette_p:.0f} % of the draws."
        )


@dataclass(frozen=True, eq=False)
class ClusterReport:
    """People and the ways to see them.

    Attributes:
        people: The people.
        views: The ways.
    """

    people: People
    views: list[View]

    def record(self) -> dict[str, Any]:
        """Return everything for JSON."""
        return {
            "people": len(self.people.users),
            "sports": dict(Counter(self.people.sports)),
            "views": {
                view.name: {
                    "clusters": view.grouping.clusters,
                    "verdict": view.verdict,
                    "gap_choice": view.grouping.gap_choice,
                    "gaps": view.grouping.gaps,
                    "gap_errors": view.grouping.gap_errors,
                    "silhouettes": view.grouping.silhouettes,
                    "null_silhouettes": view.grouping.null_silhouettes,
                    "silhouette_p": view.grouping.silhouette_p,
                    "shown": view.grouping.shown,
                    "stability": list(view.grouping.stability),
                    "null_stability": view.grouping.null_stability,
                    "groups": _group_rows(self.people, view),
                    "labels": dict(
                        zip(self.people.users, view.grouping.labels.tolist(), strict=True)
                    ),
                }
                for view in self.views
            },
        }


def cluster_people(
    predictor: BodyPredictor, workouts: Sequence[Workout], *, null_sets: int, seed: int
) -> ClusterReport:
    """Group the people of recordings by response curves and by embeddings.

    Args:
        predictor: The predictor whose errors and encoder are used.
        workouts: Recordings with heart rate.
        null_sets: Sets of points drawn from one population to compare with.
        seed: Seed of everything random.

    Raises:
        ValueError: If there are fewer than ten people with enough measured steps.
    """
    people = people_as_points(predictor, encode_bodies(workouts))
    if len(people.users) < FEWEST_PEOPLE:
        raise ValueError(
            f"recordings must be of at least {FEWEST_PEOPLE} people with two minutes of heart "
            f"rate, got {len(people.users)}"
        )
    spread = people.curves.std(axis=0)
    spread[spread == 0.0] = 1.0
    sets: dict[str, Array] = {
        CURVES: people.curves / spread,
        EMBEDDINGS: main_directions(people.embeddings),
        EMBEDDINGS_LESS_SPORT: main_directions(without_sport(people.embeddings, people.sports)),
    }
    views = []
    for name, points in sets.items():
        null = one_normal(points)
        if name == CURVES:
            null = one_population(predictor.components, people, spread)
        views.append(View(name, points, group_points(points, null, null_sets=null_sets, seed=seed)))
    return ClusterReport(people, views)


def number_rows(report: ClusterReport) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of the table that argues the number of groups."""
    columns = ["points", "groups", "gap takes", "best silhouette (95 % of one population)", "p"]
    columns += ["shown", "stability (5 to 95 %)", "of one population"]
    rows = []
    for view in report.views:
        found = view.grouping
        best = int(np.argmax(found.silhouettes))
        mean, low, high = found.stability
        rows.append(
            [
                view.name,
                str(found.clusters),
                str(found.gap_choice),
                f"{found.silhouettes[best]:.2f} ({found.null_silhouettes[best][2]:.2f})",
                f"{found.silhouette_p:.2f}",
                str(found.shown),
                f"{mean:.2f} ({low:.2f} to {high:.2f})",
                f"{found.null_stability:.2f}",
            ]
        )
    return columns, rows


def group_table(report: ClusterReport, view: View) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of the table of one view's groups."""
    columns = ["group", "people", "workouts", "sports", *(f"mean {name}" for name in FEATURES)]
    rows = []
    for number, group in enumerate(_group_rows(report.people, view), start=1):
        sports = ", ".join(f"{sport} {count}" for sport, count in group["sports"].items())
        means = [f"{value:+.1f}" for value in group["mean_curve"].values()]
        rows.append([str(number), str(group["people"]), str(group["workouts"]), sports, *means])
    return columns, rows


def cluster_page(report: ClusterReport) -> str:
    """Return the report as a page."""
    body = [
        paragraph(
            f"{len(report.people.users)} people. A response curve is a person's lasting deviation "
            "from what the predictor expects of a stranger, in the person's main sport: level, "
            "slope over speed and over climb, and drift, in bpm per unit of the network's inputs, "
            "drawn to zero where there is little data. An embedding is the mean state of the "
            "network's history encoder after the person's workouts. Where the answer is one "
            "group, a cut in two is drawn all the same, to show what it would be worth."
        ),
        html_table(*number_rows(report)),
        paragraph(
            "Stability is the adjusted Rand index between the groups and those of four fifths of "
            "the people, grouped anew. One population that is cut has fairly stable groups, too "
            "(last column): stability alone does not show that there are any."
        ),
    ]
    for view in report.views:
        body += [
            heading(view.name.capitalize()),
            paragraph(view.verdict),
            html_table(*group_table(report, view)),
            figures(
                [
                    inline_figure(
                        draw_points(report.people, view),
                        f"People by {view.name} on their first two directions, by group "
                        "(colour) and main sport (shape).",
                    ),
                    inline_figure(
                        draw_number(view),
                        f"Gap statistic and silhouettes of {view.name}; grey: 5 to 95 % of one "
                        "population.",
                    ),
                ]
            ),
        ]
        if view.name == CURVES:
            body.append(
                figures(
                    inline_figure(
                        draw_curves(report.people, view, sport),
                        f"Deviation from a stranger's heart rate over speed, {sport}; a line for "
                        "each person, by group.",
                    )
                    for sport in DRAWN_M_S
                    if report.people.sports.count(sport) > 1
                )
            )
    return text_page("People by how their hearts respond", body)


def draw_points(people: People, view: View) -> Figure:
    """Draw the points on their first two directions."""
    scores = main_directions(view.points)
    if scores.shape[1] < 2:
        scores = np.concatenate([scores, np.zeros((len(scores), 1))], axis=1)
    figure = new_figure(5.0, 4.0)
    axes = figure.subplots()
    sports = np.array(people.sports)
    for group in range(view.grouping.shown):
        for sport, marker in MARKERS.items():
            chosen = (view.grouping.labels == group) & (sports == sport)
            if chosen.any():
                axes.scatter(
                    scores[chosen, 0],
                    scores[chosen, 1],
                    marker=marker,
                    color=COLOURS[GROUP_COLOURS[group]],
                    s=22,
                    alpha=0.8,
                    label=f"{group + 1}, {sport}",
                )
    tidy_axes(axes, "", "first direction", "second direction")
    figure.legend(frameon=False, fontsize=7, ncols=4, loc="outside lower center")
    return figure


def draw_number(view: View) -> Figure:
    """Draw gap and silhouettes over the number of groups."""
    found = view.grouping
    figure = new_figure(5.0, 4.0)
    gap, height = figure.subplots(1, 2)
    numbers = np.arange(1, len(found.gaps) + 1)
    gap.errorbar(numbers, found.gaps, found.gap_errors, color=COLOURS["blue"], marker="o", ms=4)
    tidy_axes(gap, "", "groups", "gap")
    null = np.array(found.null_silhouettes)
    height.fill_between(numbers[1:], null[:, 0], null[:, 2], color=COLOURS["grey"], alpha=0.35)
    height.plot(numbers[1:], found.silhouettes, color=COLOURS["blue"], marker="o", ms=4)
    tidy_axes(height, "", "groups", "silhouette")
    return figure


def draw_curves(people: People, view: View, sport: str) -> Figure:
    """Draw everybody's deviation over steady speed in one sport."""
    figure = new_figure(5.0, 3.6)
    axes = figure.subplots()
    speeds = np.array(DRAWN_M_S[sport])
    scaled = (speeds - SPEED_CENTRE_M_S) / SPEED_SCALE_M_S
    rows = zip(people.sports, people.curves, view.grouping.labels, strict=True)
    for own_sport, (level, slope, *_), group in rows:
        if own_sport == sport:
            colour = COLOURS[GROUP_COLOURS[int(group)]]
            axes.plot(3.6 * speeds, level + slope * scaled, color=colour, alpha=0.6, linewidth=1)
    axes.axhline(0.0, color=COLOURS["ink"], linewidth=0.8)
    tidy_axes(axes, "", "speed (km/h)", "deviation (bpm)")
    return figure


def _group_rows(people: People, view: View) -> list[dict[str, Any]]:
    rows = []
    for group in range(view.grouping.shown):
        chosen = np.flatnonzero(view.grouping.labels == group)
        means = people.curves[chosen].mean(axis=0)
        rows.append(
            {
                "people": len(chosen),
                "workouts": sum(people.workouts[index] for index in chosen),
                "sports": dict(Counter(people.sports[index] for index in chosen).most_common()),
                "mean_curve": dict(zip(FEATURES, means.tolist(), strict=True)),
            }
        )
    return rows
