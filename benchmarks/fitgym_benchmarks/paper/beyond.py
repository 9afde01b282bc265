"""What the paper lacks: adherence, sigma, motivation, observations, predictors, people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fitgym.common.files import write_text
from fitgym.common.json_files import json_text, read_object
from fitgym.common.statistics import crosswise_interval
from fitgym.common.tables import MISSING
from fitgym.planning.heart_ablation import run_ablation
from fitgym_agents.agent import Agent
from fitgym_agents.pretrained import load_pretrained, pretrained_agents
from fitgym_benchmarks.paper.budgets import Budget
from fitgym_benchmarks.paper.claims import signed
from fitgym_benchmarks.paper.drawings import dots
from fitgym_benchmarks.paper.exhibits import (
    Drawing,
    Exhibit,
    Found,
    ResultTable,
    percent,
    with_interval,
)
from fitgym_benchmarks.paper.grid import (
    ACTIVITIES,
    BELIEF,
    CEILING,
    COACH,
    DEFAULT,
    LEARNT,
    NO_SERVICE,
    OBSERVATIONS,
    PLACES,
    PREDICTORS,
    SCALINGS,
    UPBRINGINGS,
    VERSION_0,
    VERSION_1,
    Cell,
    Place,
    activity_person,
)
from fitgym_benchmarks.suites.people import SHARE_COLUMNS, share_rows

_PEOPLE = (
    "VDOT gain",
    "plans met",
    "points/week",
    "days ACWR > 1.5",
    "share of days ACWR > 1.3",
    "notes",
)


def adherence(found: Found) -> Exhibit:
    """Return replay beside the environments in which plans have consequences."""
    return Exhibit(
        number="Beyond 1",
        title="Replay beside FitRec adherence",
        text=(
            "Under replay the runner does what the log says, whatever is pushed: a plan changes "
            "the pay of its own day and nothing else, all policies end with the same performance, "
            "and nothing there can show that a recommendation makes anyone fitter. In versions 0 "
            "and 1 a predicted heart rate decides what of a plan is done, and what is done decides "
            "about tomorrow.",
        ),
        tables=tuple(
            _policies(found, "reward", place, DEFAULT, "beyond-1", place.title) for place in PLACES
        ),
    )


def scaling(found: Found) -> Exhibit:
    """Return version 0 with ``sigma`` 0 and 1."""
    return Exhibit(
        number="Beyond 2",
        title="Base scaling sigma 0 and 1",
        text=(
            "With sigma = 0, the paper's reading, a person who does ever less keeps the same "
            "relative stimulus; with sigma = 1 a higher base level yields more from the same "
            "session. The runner of version 0 with either, alike at the start.",
        ),
        tables=tuple(
            _policies(
                found,
                "sigma",
                place,
                f"sigma = {sigma:g}",
                f"beyond-2-sigma-{sigma:g}",
                f"{place.title}, sigma = {sigma:g}",
            )
            for place in VERSION_0
            for sigma in SCALINGS
        ),
    )


def motivation(found: Found) -> Exhibit:
    """Return what it costs that motivation is hidden."""
    rows, runs = [], []
    for place in (*VERSION_0, *VERSION_1):
        knowing, inferring = (
            Cell("reward", place.environment, DEFAULT, agent) for agent in (CEILING, BELIEF)
        )
        difference = crosswise_interval(
            found.summary(knowing).returns - found.summary(inferring).returns
        )
        rows.append(
            (
                place.title,
                with_interval(found.summary(knowing).mean_return),
                with_interval(found.summary(inferring).mean_return),
                signed(difference),
                percent(found.share(inferring, found.summary(inferring).mean_return.mean)),
            )
        )
        runs.append(found.keys(knowing, inferring))
    return Exhibit(
        number="Beyond 3",
        title="What hidden motivation costs",
        text=(
            "The dynamic program sees the motivation, belief infers it from what was done; both "
            "know person and model. Under replay there is no motivation.",
        ),
        tables=(
            ResultTable(
                "beyond-3-motivation",
                "Knowing and inferring the motivation",
                ("place", "knowing (95 %)", "inferring (95 %)", "difference", "of the way"),
                tuple(rows),
                tuple(runs),
            ),
        ),
    )


def observations(found: Found) -> Exhibit:
    """Return A3C by what it observes."""
    return Exhibit(
        number="Beyond 4",
        title="What is observed",
        text=(
            "A3C in version 1 that sees the paper's state, what a watch shows, the motivation, too "
            "(full), or what a service knows of the person.",
        ),
        tables=(
            _variants(found, "observation", OBSERVATIONS, "beyond-4-observations", "Observations"),
        ),
        drawings=(_shares(found, "observation", OBSERVATIONS, "beyond-4-observations"),),
    )


def predictors(found: Found, budget: Budget, out: Path) -> Exhibit:
    """Return what another predictor of the heart is worth, learning and planning.

    Args:
        found: Results of all cells.
        budget: How many people are planned for.
        out: Where the people's results are kept, to go on from.
    """
    tables = [_variants(found, "predictor", PREDICTORS, "beyond-5-learnt", "A3C by predictor")]
    for place in VERSION_1:
        stage = place.title.rpartition(" ")[2]
        report = run_ablation(
            place.environment, budget.people, budget.people, out / "heart" / stage
        )
        rows = [
            (
                name,
                f"{part['points_behind']:.1f}",
                f"{part['mean_of_people']:.1f} ({part['low']:.1f} to {part['high']:.1f})",
            )
            for name, part in _planners(report)
        ]
        tables.append(
            ResultTable(
                f"beyond-5-planned-{place.slug}",
                f"Planned with, {place.title}: points of the way behind the person's own program, "
                f"{budget.people} people",
                ("planner", "of all returns", "mean over people (95 %)"),
                tuple(rows),
            )
        )
    return Exhibit(
        number="Beyond 5",
        title="Exchanged predictors of the heart",
        text=(
            "A3C is trained where another predictor decides what is done, and evaluated where the "
            "network does; and dynamic programs of people of the population plan with the loads "
            "of another predictor. docs/heart.md has the same for more people.",
        ),
        tables=tuple(tables),
        drawings=(_shares(found, "predictor", PREDICTORS, "beyond-5-predictors"),),
    )


def _planners(report: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    exchanged = report.get("exchanged", {})
    return [
        ("mean load for everybody", report["twin"]),
        ("belief", report["belief"]),
        *((name, exchanged[name]) for name in PREDICTORS if name in exchanged),
    ]


def unseen_people(found: Found, out: Path) -> Exhibit:
    """Return how agents serve people whom they have not met.

    Args:
        found: Results of all cells.
        out: Where the shares are kept, to go on from.
    """
    tables = []
    for place in VERSION_1:
        cells = [
            Cell("people", place.environment, DEFAULT, NO_SERVICE),
            found.best_fixed("people", place.environment),
            Cell("people", place.environment, DEFAULT, COACH),
            *(found.learnt("people", place.environment, name) for name in UPBRINGINGS),
        ]
        none = found.summary(cells[0])
        rows = []
        for cell in cells:
            one = found.summary(cell)
            name = f"{LEARNT}: {cell.variant}" if cell.agent == LEARNT else cell.agent
            rows.append(
                (
                    name,
                    with_interval(one.mean_return),
                    signed(crosswise_interval(one.returns - none.returns[:1])),
                    *one.mode_cells(),
                    *one.people_cells(none.evaluations[0])[1:],
                )
            )
        tables.append(
            ResultTable(
                f"beyond-6-{place.slug}",
                f"Somebody of the test split in every episode, {place.title}",
                (
                    "trained on, seeing",
                    "mean return",
                    "over no service",
                    "likeliest",
                    "drawn",
                    *_PEOPLE,
                ),
                tuple(rows),
                tuple(found.keys(cell) for cell in cells),
            )
        )
    tables += [_shipped_shares(place, out) for place in VERSION_1]
    return Exhibit(
        number="Beyond 6",
        title="A population, and people nobody has met",
        text=(
            "A3C is trained on one person or on the training split, and serves people of the test "
            "split. Below, the policies for everyone that ship (trained for longer, "
            "docs/people.md), with each person's own dynamic program as the end of the way.",
        ),
        tables=tuple(tables),
    )


def _shipped_shares(place: Place, out: Path) -> ResultTable:
    """Return how far shipped policies for everyone come, kept in a file once found."""
    path = out / "people" / f"{place.slug}.json"
    names = [
        name
        for name, environment in pretrained_agents()
        if environment == place.environment and name.endswith("-population")
    ]
    try:
        kept = read_object(path, ("agents", "rows"))
    except FileNotFoundError:
        kept = {}
    if kept.get("agents") != names:
        agents: dict[str, Agent] = {n: load_pretrained(n, place.environment) for n in names}
        kept = {"agents": names, "rows": share_rows(place.environment, agents)}
        write_text(path, json_text(kept) + "\n")
    return ResultTable(
        f"beyond-6-shipped-{place.slug}",
        f"Shares of each person's way, {place.title}",
        SHARE_COLUMNS,
        tuple(tuple(row) for row in kept["rows"]),
    )


def activities(found: Found) -> Exhibit:
    """Return people of the activities of the 2024 version."""
    habits = [(name, activity_person(name)) for name in ACTIVITIES]
    return Exhibit(
        number="Beyond 7",
        title="The activities of the 2024 version",
        text=(
            "The 2024 version of the paper (doi 10.1177/20552076241233247) has a walker, a person "
            "of mixed sports and a runner, whose data it does not publish. These three are made "
            "from openly licensed recordings: how often and how hard they train by themselves is "
            "measured by heart rate, and what recordings do not tell (response to training, "
            "tolerance, a walker's VDOT) is version 1's usual. So they show what a service can "
            "add to another habit, not what the paper's people would do.",
        ),
        tables=(
            ResultTable(
                "beyond-7-people",
                "Who they are",
                (
                    "person",
                    "made from",
                    "VDOT",
                    "days with training",
                    "median points",
                    "base level",
                ),
                tuple(
                    (
                        name,
                        person.source.partition(";")[0],
                        f"{person.physiology.vdot:g}",
                        f"{100 * person.habit.probability:.0f} %",
                        f"{person.habit.median_trimp:g}",
                        f"{person.acquisition.initial_base_level:g}",
                    )
                    for name, person in habits
                ),
            ),
            *(
                _policies(
                    found, "activity", place, name, f"beyond-7-{name}", f"{place.title}, {name}"
                )
                for name in ACTIVITIES
                for place in VERSION_1
            ),
        ),
    )


def _policies(
    found: Found, part: str, place: Place, variant: str, prefix: str, title: str
) -> ResultTable:
    """Return no service, the best fixed plan, the coach, A3C, belief and the ceiling."""
    environment = place.environment
    names = [NO_SERVICE, COACH, LEARNT, BELIEF, CEILING]
    cells = [Cell(part, environment, variant, name) for name in names]
    cells.insert(1, found.best_fixed(part, environment, variant))
    cells = [cell for cell in cells if cell in found.results]
    none = found.summary(cells[0]).evaluations[0]
    rows = []
    for cell in cells:
        one = found.summary(cell)
        rows.append(
            (
                cell.agent,
                with_interval(one.mean_return),
                percent(found.share(cell, one.mean_return.mean)),
                *one.mode_cells(),
                *one.people_cells(none)[1:],
            )
        )
    return ResultTable(
        f"{prefix}-{place.slug}",
        title,
        ("policy", "mean return (95 %)", "of the way", "likeliest", "drawn", *_PEOPLE),
        tuple(rows),
        tuple(found.keys(cell) for cell in cells),
    )


def _variants(
    found: Found, part: str, variants: Sequence[str], name: str, title: str
) -> ResultTable:
    """Return A3C in version 1, a row per place and variant."""
    rows, runs = [], []
    for place in VERSION_1:
        reference = Cell("reward", place.environment, DEFAULT, NO_SERVICE)
        base = found.summary(found.learnt(part, place.environment, variants[0]))
        for variant in variants:
            cell = found.learnt(part, place.environment, variant)
            one = found.summary(cell)
            less = (
                MISSING
                if variant == variants[0]
                else signed(crosswise_interval(one.returns - base.returns))
            )
            rows.append(
                (
                    f"{place.title}, {variant}",
                    with_interval(one.mean_return),
                    percent(found.share(reference, one.mean_return.mean)),
                    f"{less}",
                    *one.mode_cells(),
                )
            )
            runs.append(found.keys(cell))
    columns = ("place", "mean return (95 %)", "of the way", f"less {variants[0]}")
    return ResultTable(name, title, (*columns, "likeliest", "drawn"), tuple(rows), tuple(runs))


def _shares(found: Found, part: str, variants: Sequence[str], name: str) -> Drawing:
    """Return over no service, a row per place and a dot per variant."""
    groups = {}
    for place in VERSION_1:
        none = found.summary(Cell("reward", place.environment, DEFAULT, NO_SERVICE)).returns
        groups[place.title] = {
            variant: crosswise_interval(
                found.summary(found.learnt(part, place.environment, variant)).returns - none
            )
            for variant in variants
        }
    return Drawing(
        name,
        f"A3C over no service, by {part}",
        "In the same episodes, with 95 % intervals over episodes and seeds.",
        dots(groups, "return less that of no service"),
    )
