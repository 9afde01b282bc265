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
    REPLAY,
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
        returns: The learnt policy and the best fixed plan in every place.
    """

    question: str
    paragraphs: tuple[str, ...]
    people: ResultTable
    drawing: Drawing
    returns: ResultTable


def answer(found: Found, exhibits: Sequence[Exhibit]) -> Answer:
    """Return the first screen.

    Args:
        found: Results of all cells.
        exhibits: With the claims to be counted.
    """
    verdicts = [claim.verdict for exhibit in exhibits for claim in exhibit.claims]
    counts = {verdict: verdicts.count(verdict) for verdict in Verdict}
    judged = counts[Verdict.REPRODUCES] + counts[Verdict.DOES_NOT]
    paragraphs = (
        f"In the paper's protocol a log is replayed: the runner does the same whatever is pushed, "
        f"so a plan changes the pay of its own day and nothing else. {_sentence(found, REPLAY)} "
        "Nothing there can show that a recommendation makes anyone fitter.",
        f"Where what is pushed decides what is done, and what is done decides about tomorrow "
        f"(version 1), {_sentence(found, VERSION_1, first=False)} {_gains(found)}",
        f"Of {judged} claims that can be judged, each in every setting, "
        f"{counts[Verdict.REPRODUCES]} reproduce and {counts[Verdict.DOES_NOT]} do not; "
        f"{counts[Verdict.OPEN]} more the paper leaves open. Stated rules drew the verdicts.",
    )
    return Answer(_QUESTION, paragraphs, _people(found), _drawing(found), _returns(found))


def _sentence(found: Found, places: Sequence[Place], *, first: bool = True) -> str:
    """Return how far the learnt policy and the best fixed plan come in both stages."""
    learnt = " and ".join(_share(found, _learnt(found, place)) for place in places)
    fixed = " and ".join(_share(found, _fixed(found, place)) for place in places)
    first_stage, second_stage = (_verdict(_difference(found, place)) for place in places)
    verdict = f"{first_stage} in acquisition and {second_stage} in retention"
    if first_stage == second_stage:
        verdict = f"{first_stage} in both stages"
    return (
        f"{'T' if first else 't'}he learnt policy comes {learnt} of the way from no service to the "
        f"ceiling (acquisition and retention), the best fixed plan {fixed}: what was learnt "
        f"{verdict}."
    )


def _verdict(difference: Interval) -> str:
    """Return what the interval of a difference says of the learnt policy."""
    if difference.low > 0.0:
        return "is ahead of it"
    return "is behind it" if difference.high < 0.0 else "is neither surely ahead nor behind"


def _gains(found: Found) -> str:
    """Return what the runner's performance gains in version 1, by who serves."""
    learnt, fixed = (
        " and ".join(
            f"{found.summary(cell(found, place)).performance_gain:+.2f}" for place in VERSION_1
        )
        for cell in (_learnt, _fixed)
    )
    return (
        f"The runner's VDOT changes by {learnt} in a season with it, by {fixed} with the best "
        "fixed plan."
    )


def _learnt(found: Found, place: Place) -> Cell:
    return found.learnt("reward", place.environment)


def _fixed(found: Found, place: Place) -> Cell:
    return found.best_fixed("reward", place.environment)


def _share(found: Found, cell: Cell) -> str:
    return percent(found.share(cell, found.summary(cell).mean_return.mean))


def _difference(found: Found, place: Place) -> Interval:
    """Return what the learnt policy earns more than the best fixed plan."""
    ours, rival = (found.summary(cell(found, place)).returns for cell in (_learnt, _fixed))
    return crosswise_interval(ours - rival)


def _returns(found: Found) -> ResultTable:
    """Return the learnt policy beside the best fixed plan, a row for each place."""
    rows, runs = [], []
    for place in PLACES:
        learnt, fixed = _learnt(found, place), _fixed(found, place)
        difference = _difference(found, place)
        verdict = "neither surely"
        if difference.low > 0.0 or difference.high < 0.0:
            verdict = LEARNT if difference.low > 0.0 else fixed.agent
        rows.append(
            (
                place.title,
                fixed.agent,
                _share(found, fixed),
                _share(found, learnt),
                signed(difference),
                verdict,
            )
        )
        runs.append(found.keys(learnt, fixed))
    return ResultTable(
        "answer-returns",
        "The learnt policy and the best fixed plan",
        (
            "where",
            "best fixed plan",
            "its share of the way",
            "A3C's",
            "A3C less it (95 %)",
            "earns more",
        ),
        tuple(rows),
        tuple(runs),
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
            "strain: share of days ACWR > 1.3",
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
