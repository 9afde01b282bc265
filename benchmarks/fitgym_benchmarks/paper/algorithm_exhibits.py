"""The algorithms: tables 3 to 5, figures 8 and 9."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from statistics import median
from typing import Any

import numpy as np

from fitgym.common.statistics import Interval, bootstrap_interval, crosswise_interval
from fitgym.common.tables import MISSING
from fitgym_agents.deep.a3c.settings import A3CConfiguration
from fitgym_agents.files import load_agent
from fitgym_agents.registry import BUILT_IN
from fitgym_benchmarks.paper.claims import Claim, Verdict, signed, verdict_of
from fitgym_benchmarks.paper.complexity import multiply_adds
from fitgym_benchmarks.paper.drawings import distributions, learning, losses
from fitgym_benchmarks.paper.exhibits import (
    Drawing,
    Exhibit,
    Found,
    ResultTable,
    percent,
    with_interval,
)
from fitgym_benchmarks.paper.grid import (
    ALGORITHMS,
    DEFAULT,
    FIXED,
    LEARNT,
    NO_SERVICE,
    REPLAY,
    VERSION_1,
    Cell,
    Place,
)
from fitgym_benchmarks.results import AGENT, Result
from fitgym_benchmarks.suites.algorithms import ROWS

# The paper's agent among the rows.
_OURS = "A3C hybrid"
# Fang et al. 2022: seconds and steps within which each simulation converges.
_SECONDS, _STEPS = 355.0, 5_100
# A curve has converged where it first has come this share of its way (ours).
_CONVERGED = 0.95


def table_3(steps: Mapping[str, int]) -> Exhibit:
    """Return our configuration.

    Args:
        steps: Of training, by what is trained.
    """
    rows = [
        (name.replace("_", " "), f"{value}") for name, value in asdict(A3CConfiguration()).items()
    ]
    rows += [(f"training steps, {name}", f"{value:,}") for name, value in steps.items()]
    return Exhibit(
        number="Table 3",
        title="Parameters of the method",
        text=(
            "The numbers of the paper's Table 3 are not in the text that we have. These are ours; "
            "in tables 4 and 5, where steps are few, A3C has the settings that a search found for "
            "few steps. Elsewhere workers take turns in one process: the numbers come out again.",
        ),
        claims=(
            Claim(
                "the method",
                "Layers, neurons and learning parameters were determined by experiments.",
                "Open: what was determined is not in the text.",
                "ours are in the table",
                Verdict.OPEN,
            ),
        ),
        tables=(ResultTable("table-3-configuration", "A3C", ("parameter", "value"), tuple(rows)),),
    )


def table_4() -> Exhibit:
    """Return the algorithms."""
    rows = tuple(
        (row, BUILT_IN[ROWS[row][0]].summary, str(ROWS[row][1].get("network", "hybrid")))
        for row in ALGORITHMS
    )
    return Exhibit(
        number="Table 4",
        title="The algorithms compared",
        text=(
            "The paper's method and its six competitors. GAIL imitates the dynamic program, which "
            "replay does not have; it is compared in version 1 only.",
        ),
        tables=(
            ResultTable(
                "table-4-algorithms",
                "Algorithms",
                ("row", "what it is", "network"),
                rows,
                words=True,
            ),
        ),
    )


def table_5(found: Found) -> Exhibit:
    """Return complexity, speed and returns of the algorithms."""
    tables, claims = [], []
    for place in (*REPLAY, *VERSION_1):
        cells = {row: Cell("algorithms", place.environment, DEFAULT, row) for row in ALGORITHMS}
        cells = {row: cell for row, cell in cells.items() if cell in found.results}
        costs = {row: _costs(found.results[cell]) for row, cell in cells.items()}
        tables.append(_returns_table(found, place, cells, costs))
        claims += _algorithm_claims(found, place, cells, costs)
    return Exhibit(
        number="Table 5",
        title="Complexity, speed and returns",
        text=(
            "Equal environment steps for all rows; each is evaluated with its likeliest and with "
            "drawn actions, and its mean return is that of the better. Multiply-adds are counted "
            "for one decision. Speed is simulated days per second of training, beside whatever "
            "else the machine did; A3C's is that of two processes, with their start.",
        ),
        claims=tuple(claims),
        tables=tuple(tables),
    )


def _costs(results: Any) -> tuple[int | None, int | None, float]:
    """Return weights, multiply-adds and the median of training speeds, steps per second."""
    agent: Any = load_agent(results[0].folder / AGENT)
    return (
        getattr(agent, "parameters", None),
        multiply_adds(agent),
        median(result.steps_per_second or 0.0 for result in results),
    )


def _returns_table(
    found: Found, place: Place, cells: Mapping[str, Cell], costs: Mapping[str, Any]
) -> ResultTable:
    rows, runs = [], []
    for row, cell in cells.items():
        one = found.summary(cell)
        weights, additions, speed = costs[row]
        reference = found.learnt("reward", place.environment)
        rows.append(
            (
                row,
                MISSING if weights is None else f"{weights:,}",
                MISSING if additions is None else f"{additions:,}",
                f"{1e6 * one.decision_seconds:.1f}",
                f"{speed:,.0f}",
                with_interval(one.mean_return),
                percent(found.share(reference, one.mean_return.mean)),
                *one.mode_cells(),
            )
        )
        runs.append(found.keys(cell))
    return ResultTable(
        f"table-5-{place.slug}",
        place.title,
        (
            "algorithm",
            "weights",
            "multiply-adds",
            "us per decision",
            "steps/s",
            "mean return (95 %)",
            "of the way",
            "likeliest",
            "drawn",
        ),
        tuple(rows),
        tuple(runs),
    )


def _algorithm_claims(
    found: Found, place: Place, cells: Mapping[str, Cell], costs: Mapping[str, Any]
) -> list[Claim]:
    others = [row for row in cells if row != _OURS]
    fewest = min(cells, key=lambda row: costs[row][1])
    fastest = max(cells, key=lambda row: costs[row][2])
    ours = found.summary(cells[_OURS]).returns
    differences = {
        row: crosswise_interval(ours - found.summary(cells[row]).returns) for row in others
    }
    beaten = [row for row, one in differences.items() if one.low > 0.0]
    closest = min(differences, key=lambda row: differences[row].mean)
    return [
        Claim(
            place.title,
            "The method outperforms all competitors in computing complexity.",
            "It takes the fewest multiply-adds a decision.",
            f"{costs[_OURS][1]:,}; fewest: {fewest}, {costs[fewest][1]:,}",
            verdict_of(fewest == _OURS),
        ),
        Claim(
            place.title,
            "The method outperforms all competitors in average speed.",
            "It trains the most steps a second.",
            f"{costs[_OURS][2]:,.0f}; fastest: {fastest}, {costs[fastest][2]:,.0f}",
            verdict_of(fastest == _OURS),
        ),
        Claim(
            place.title,
            "The method outperforms all competitors.",
            "At equal steps its return is above every other's, each 95 % interval above 0.",
            f"above {len(beaten)} of {len(others)}; least over {closest}: "
            f"{signed(differences[closest])}",
            verdict_of(len(beaten) == len(others)),
        ),
    ]


def figure_8(found: Found) -> Exhibit:
    """Return learning curves and training losses."""
    claims, drawings, rows, runs = [], [], [], []
    for place in (*REPLAY, *VERSION_1):
        cell = found.learnt("reward", place.environment)
        results = found.results[cell]
        points = [_convergence(result) for result in results]
        rows += [
            (
                place.title,
                f"{result.run.seed}",
                f"{steps:,}",
                f"{seconds:.0f}",
                f"{result.training_seconds or 0.0:.0f}",
            )
            for result, (steps, seconds) in zip(results, points, strict=True)
        ]
        runs += [(result.folder.name,) for result in results]
        slowest = max(seconds for _, seconds in points)
        longest = max(steps for steps, _ in points)
        claims += [
            Claim(
                place.title,
                f"Each simulation takes less than {_SECONDS:.0f} seconds to converge.",
                f"In every training the curve of returns has come {100 * _CONVERGED:.0f} % of its "
                "way, from its first point to the mean of its last tenth, before that.",
                f"slowest of {len(results)}: {slowest:.0f} s",
                verdict_of(slowest < _SECONDS),
            ),
            Claim(
                place.title,
                f"Each simulation converges in {_STEPS:,} steps.",
                "Open: what a step is (a day, an episode, an update) is not said. Beside it stand "
                "the days simulated until then.",
                f"{longest:,} days at most",
                Verdict.OPEN,
            ),
        ]
        labels = {f"seed {result.run.seed}": result for result in results}
        drawings += [
            Drawing(
                f"figure-8-{place.slug}",
                f"Learning curves, {place.title}",
                "Mean return of the episodes of training, exploration included.",
                learning({label: result.curve for label, result in labels.items()}),
            ),
            Drawing(
                f"figure-8-{place.slug}-loss",
                f"Training loss, {place.title}",
                "Means over the updates between two points, rewards normalised. An actor's loss "
                "need not fall: it is a gradient's handle, not an error.",
                losses({label: result.losses for label, result in labels.items()}),
            ),
        ]
    drawings += _rivals_losses(found)
    return Exhibit(
        number="Figure 8",
        title="Learning curves and training loss",
        text=("A3C with our configuration, one line per training seed.",),
        claims=tuple(claims),
        tables=(
            ResultTable(
                "figure-8-convergence",
                "When trainings converged",
                ("place", "seed", "days simulated", "seconds", "seconds of the whole training"),
                tuple(rows),
                tuple(runs),
            ),
        ),
        drawings=tuple(drawings),
    )


def _convergence(result: Result) -> tuple[int, float]:
    """Return steps and seconds after which a learning curve had come most of its way."""
    steps, values = zip(*result.curve, strict=True)
    way = np.mean(values[-max(1, len(values) // 10) :]) - values[0]
    come = (np.array(values) - values[0]) * np.sign(way)
    at = int((come >= _CONVERGED * abs(way)).argmax())
    seconds = (result.training_seconds or 0.0) * steps[at] / result.timesteps
    return steps[at], seconds


def _rivals_losses(found: Found) -> list[Drawing]:
    """Return the losses of the algorithms that note them, at equal steps."""
    drawings = []
    for place in REPLAY:
        curves = {
            row: found.results[cell][0].losses
            for row in ALGORITHMS
            if (cell := Cell("algorithms", place.environment, DEFAULT, row)) in found.results
        }
        curves = {row: points for row, points in curves.items() if points}
        drawings.append(
            Drawing(
                f"figure-8-{place.slug}-rivals-loss",
                f"Training loss of the algorithms, {place.title}",
                "Those that note one, first seed. Losses of different algorithms are on scales of "
                "their own.",
                losses(curves),
            )
        )
    return drawings


def figure_9(found: Found) -> Exhibit:
    """Return fixed plans against the learnt policy."""
    claims, tables, drawings = [], [], []
    for place in (*REPLAY, *VERSION_1):
        learnt = found.learnt("reward", place.environment)
        ours = found.summary(learnt)
        cells = [
            Cell("reward", place.environment, DEFAULT, label) for label in (NO_SERVICE, *FIXED)
        ]
        rivals = {cell.agent: found.summary(cell).returns[0] for cell in cells}
        differences = {
            label: crosswise_interval(ours.returns - values) for label, values in rivals.items()
        }
        beaten = {label: float((values > ours.returns).mean()) for label, values in rivals.items()}
        claims += _fixed_claims(place, differences, beaten)
        tables.append(
            ResultTable(
                f"figure-9-{place.slug}",
                place.title,
                ("policy", "mean return (95 %)", "A3C less it", "episodes in which it beats A3C"),
                (
                    (LEARNT, with_interval(ours.mean_return), MISSING, MISSING),
                    *(
                        (
                            label,
                            with_interval(bootstrap_interval(values)),
                            signed(differences[label]),
                            percent(beaten[label]),
                        )
                        for label, values in rivals.items()
                    ),
                ),
                (found.keys(learnt), *(found.keys(cell) for cell in cells)),
            )
        )
        drawings.append(
            Drawing(
                f"figure-9-{place.slug}",
                f"Fixed plans against the learnt policy, {place.title}",
                "Returns of the episodes: median, mean (dot), quartiles and the 5th to the 95th "
                "percentile. A3C's are those of all seeds.",
                distributions({**rivals, LEARNT: ours.returns.ravel()}, LEARNT),
            )
        )
    return Exhibit(
        number="Figure 9",
        title="Fixed plans against the learnt policy",
        text=(
            "All policies meet the same episodes. A3C acts by its likeliest or by drawn actions, "
            "whichever earned more.",
        ),
        claims=tuple(claims),
        tables=tuple(tables),
        drawings=tuple(drawings),
    )


def _fixed_claims(
    place: Place, differences: Mapping[str, Interval], beaten: Mapping[str, float]
) -> list[Claim]:
    closest = min(differences, key=lambda label: differences[label].mean)
    above = sum(one.low > 0.0 for one in differences.values())
    easy = max(beaten[label] for label in FIXED[:3])
    return [
        Claim(
            place.title,
            "The learnt policy is superior to the fixed plans and to no service on average.",
            "A3C's mean return is above each of the eleven, every 95 % interval above 0.",
            f"above {above} of {len(differences)}; least over {closest}: "
            f"{signed(differences[closest])}",
            verdict_of(above == len(differences)),
        ),
        Claim(
            place.title,
            "Fixed plans of low intensity beat the learnt policy with some probability.",
            "One of the three easiest plans earns more in at least one episode of twenty.",
            f"in {percent(easy)} of the episodes",
            verdict_of(easy >= 0.05),
        ),
    ]
