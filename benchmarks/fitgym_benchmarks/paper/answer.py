"""The first screen: what was asked, what came out, for whom, and one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fitgym.common.statistics import Interval, crosswise_interval, share_interval
from fitgym_benchmarks.paper.claims import Verdict, signed
from fitgym_benchmarks.paper.drawings import dots
from fitgym_benchmarks.paper.exhibits import Drawing, Exhibit, Found, ResultTable, percent
from fitgym_benchmarks.paper.grid import (
    CEILING,
    DEFAULT,
    LEARNT,
    NO_SERVICE,
    PLACES,
    VERSION_1,
    Cell,
    Place,
)

_QUESTION = (
    "Fang, Lee and Wang propose a service that pushes an exercise plan, or none, to a runner every "
    "day, and a recurrent actor-critic (A3C) that learns which. They report that it beats fixed "
    "plans and six other algorithms, and how it responds to the bonus mu of a plan that is met and "
    "the penalty rho of one that is not. Which of that comes out again in their own protocol, a "
    "replayed log, and which where plans have consequences?"
)


@dataclass(frozen=True)
class Answer:
    """The first screen.

    Attributes:
        question: What was asked.
        paragraphs: What came out.
        people: Health, engagement and strain apart.
        drawing: The picture.
    """

    question: str
    paragraphs: tuple[str, ...]
    people: ResultTable
    drawing: Drawing


def answer(found: Found, exhibits: Sequence[Exhibit]) -> Answer:
    """Return the first screen.

    Args:
        found: Results of all cells.
        exhibits: With the claims to be counted.
    """
    verdicts = [claim.verdict for exhibit in exhibits for claim in exhibit.claims]
    counts = {verdict: verdicts.count(verdict) for verdict in Verdict}
    judged = counts[Verdict.REPRODUCES] + counts[Verdict.DOES_NOT]
    paragraphs = [
        f"Of {judged} claims that can be judged, each in every setting, "
        f"{counts[Verdict.REPRODUCES]} reproduce and {counts[Verdict.DOES_NOT]} do not; "
        f"{counts[Verdict.OPEN]} more the paper leaves open. Rules drew the verdicts; each stands "
        "beside its claim."
    ]
    paragraphs += [_sentence(found, place) for place in PLACES]
    return Answer(_QUESTION, tuple(paragraphs), _people(found), _drawing(found))


def _sentence(found: Found, place: Place) -> str:
    learnt = found.learnt("reward", place.environment)
    fixed = found.best_fixed("reward", place.environment)
    ours, rival = found.summary(learnt), found.summary(fixed)
    difference = crosswise_interval(ours.returns - rival.returns)
    verb = "neither surely more nor surely less than"
    if difference.low > 0.0 or difference.high < 0.0:
        verb = "more than" if difference.low > 0.0 else "less than"
    share = percent(found.share(learnt, ours.mean_return.mean))
    return (
        f"{place.title.capitalize()}: the learnt policy earns {verb} {fixed.agent}, the best of "
        f"the fixed plans ({signed(difference)}), and comes {share} of the way from no service to "
        "the ceiling."
    )


def _people(found: Found) -> ResultTable:
    """Return what becomes of the runner in version 1."""
    rows, runs = [], []
    for place in VERSION_1:
        environment = place.environment
        cells = [
            Cell("reward", environment, DEFAULT, NO_SERVICE),
            found.best_fixed("reward", environment),
            found.learnt("reward", environment),
            Cell("reward", environment, DEFAULT, CEILING),
        ]
        none = found.summary(cells[0]).evaluations[0]
        for cell in cells:
            gain, met, load, dangerous, strained, _ = found.summary(cell).people_cells(none)[1:]
            row = (f"{place.title}, {cell.agent}", gain, met, load, dangerous, strained)
            rows.append(row)
            runs.append(found.keys(cell))
    return ResultTable(
        "answer-people",
        "Health, engagement and strain where plans have consequences",
        (
            "who serves",
            "health: VDOT gain",
            "engagement: plans met",
            "engagement: points/week",
            "strain: days ACWR > 1.5",
            "strain: days ACWR > 1.3",
        ),
        tuple(rows),
        tuple(runs),
    )


def _drawing(found: Found) -> Drawing:
    groups: dict[str, dict[str, Interval]] = {}
    for place in PLACES:
        environment = place.environment
        low, high = (
            found.summary(Cell("reward", environment, DEFAULT, name)).returns[0]
            for name in (NO_SERVICE, CEILING)
        )
        groups[place.title] = {
            name: _in_percent(share_interval(found.summary(cell).returns, low, high))
            for name, cell in (
                (LEARNT, found.learnt("reward", environment)),
                ("best fixed plan", found.best_fixed("reward", environment)),
            )
        }
    return Drawing(
        "answer",
        "The learnt policy and the best fixed plan",
        "How far each comes from no service (0) to the ceiling (100), with 95 % intervals.",
        dots(groups, "% of the way from no service to the ceiling"),
    )


def _in_percent(share: Interval) -> Interval:
    return Interval(100 * share.mean, 100 * share.low, 100 * share.high)
