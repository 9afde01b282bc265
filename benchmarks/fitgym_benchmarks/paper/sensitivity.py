"""Sensitivity to mu and rho: figures 10 and 11."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fitgym.common.statistics import Interval, crosswise_interval
from fitgym.common.tables import MISSING
from fitgym_agents.summary import Summary
from fitgym_benchmarks.paper.budgets import Budget
from fitgym_benchmarks.paper.claims import (
    Claim,
    rises,
    signed,
    spread_ratio,
    threshold,
    verdict_of,
)
from fitgym_benchmarks.paper.drawings import Line, sensitivity
from fitgym_benchmarks.paper.exhibits import (
    Drawing,
    Exhibit,
    Found,
    ResultTable,
    percent,
    with_interval,
)
from fitgym_benchmarks.paper.grid import (
    CEILING,
    LEARNT,
    NO_SERVICE,
    PLACES,
    WEIGHTS,
    Cell,
    Place,
    reward_variant,
)


@dataclass(frozen=True)
class _Sweep:
    """What policies earn at each weight of one place.

    Attributes:
        place: Where.
        values: The weights, ascending.
        policies: By name, a cell per weight: no service, the best fixed plan of each, A3C, ceiling.
    """

    place: Place
    values: tuple[float, ...]
    policies: dict[str, list[Cell]]


_BEST_FIXED = "best fixed plan"


def figures_10_and_11(found: Found, budget: Budget) -> tuple[Exhibit, Exhibit]:
    """Return both exhibits."""
    sweeps = {
        letter: [_sweep(found, budget, place, letter) for place in PLACES] for letter in WEIGHTS
    }
    common = (
        "Every policy is trained, solved or chosen anew at every weight, and all meet the same "
        "episodes. A3C has one training in every cell but the registered one unless the budget "
        "says more. The ceiling is the dynamic program that knows the hidden motivation; under "
        "replay it is foresight, the best plan of each day with the day's session in view. The "
        f"program's grid has {budget.refinement:g} times the usual points along each axis."
    )
    mu = Exhibit(
        number="Figure 10",
        title="Sensitivity to mu, the bonus of a plan that is met",
        text=(common,),
        claims=tuple(claim for sweep in sweeps["mu"] for claim in _mu_claims(found, sweep)),
        tables=tuple(_table(found, sweep, "mu", "figure-10") for sweep in sweeps["mu"]),
        drawings=tuple(_drawing(found, sweep, "mu", "figure-10") for sweep in sweeps["mu"]),
    )
    rho = Exhibit(
        number="Figure 11",
        title="Sensitivity to rho, the penalty of what is planned and not done",
        text=(common,),
        claims=tuple(claim for sweep in sweeps["rho"] for claim in _rho_claims(found, sweep)),
        tables=tuple(_table(found, sweep, "rho", "figure-11") for sweep in sweeps["rho"]),
        drawings=tuple(_drawing(found, sweep, "rho", "figure-11") for sweep in sweeps["rho"]),
    )
    return mu, rho


def _sweep(found: Found, budget: Budget, place: Place, letter: str) -> _Sweep:
    variants = [reward_variant(letter, factor) for factor in budget.factors]
    environment = place.environment
    policies = {
        name: [Cell("reward", environment, variant, name) for variant in variants]
        for name in (NO_SERVICE, LEARNT, CEILING)
    }
    policies[_BEST_FIXED] = [found.best_fixed("reward", environment, v) for v in variants]
    default = place.default(WEIGHTS[letter])
    return _Sweep(place, tuple(factor * default for factor in budget.factors), policies)


def _over_no_service(found: Found, sweep: _Sweep, name: str) -> list[Interval]:
    """Return a policy's mean return less that of no service at each weight."""
    return [
        crosswise_interval(found.summary(cell).returns - found.summary(none).returns)
        for cell, none in zip(sweep.policies[name], sweep.policies[NO_SERVICE], strict=True)
    ]


def _mu_claims(found: Found, sweep: _Sweep) -> list[Claim]:
    place = sweep.place.title
    returns = [found.summary(cell).returns for cell in sweep.policies[LEARNT]]
    risen, whole = rises(returns)
    spread = spread_ratio(returns[0], returns[-1])
    claims = [
        Claim(
            place,
            "Utility rises with mu.",
            "A3C's mean return rises from the smallest mu to the largest, the 95 % interval above "
            "0, and no step in between goes down with its interval below 0.",
            f"from mu = {sweep.values[0]:g} to {sweep.values[-1]:g}: {signed(whole)}",
            verdict_of(risen),
        ),
        Claim(
            place,
            "Differences in utility grow with mu.",
            "The standard deviation of A3C's returns at the largest mu over that at the smallest "
            "is above 1, its 95 % interval, too.",
            f"{spread.mean:.2f} ({spread.low:.2f} to {spread.high:.2f})",
            verdict_of(spread.low > 1.0),
        ),
    ]
    for name in (LEARNT, _BEST_FIXED):
        over = _over_no_service(found, sweep, name)
        at = threshold(sweep.values, over)
        subject = "the learnt policy" if name == LEARNT else "the best fixed plan"
        claims.append(
            Claim(
                place,
                f"Below a threshold of mu no service is better than the service ({subject}).",
                "At the smallest mu the service earns less than none, its 95 % interval below 0, "
                "and at a larger one more; the threshold is where the line between crosses 0.",
                f"at mu = {sweep.values[0]:g}: {signed(over[0])}; "
                + ("no threshold" if at is None else f"threshold at mu = {at:.3g}"),
                verdict_of(at is not None),
            )
        )
    return claims


def _rho_claims(found: Found, sweep: _Sweep) -> list[Claim]:
    place = sweep.place.title
    returns = [found.summary(cell).returns for cell in sweep.policies[LEARNT]]
    fallen, whole = rises(returns, sign=-1.0)
    seeds = min(len(returns[0]), len(returns[1]))
    first = crosswise_interval(returns[1][:seeds] - returns[0][:seeds])
    return [
        Claim(
            place,
            "Utility falls with rho.",
            "A3C's mean return falls from the smallest rho to the largest, the 95 % interval below "
            "0, and no step in between goes up with its interval above 0.",
            f"from rho = {sweep.values[0]:g} to {sweep.values[-1]:g}: {signed(whole)}",
            verdict_of(fallen),
        ),
        Claim(
            place,
            "At low rho utility falls slightly or even rises.",
            "The first step is up, or down by less per unit of rho than the whole way.",
            f"from {sweep.values[0]:g} to {sweep.values[1]:g}: {signed(first)}",
            verdict_of(
                first.mean / (sweep.values[1] - sweep.values[0])
                > min(0.0, whole.mean / (sweep.values[-1] - sweep.values[0]))
            ),
        ),
    ]


def _met(summary: Summary) -> float:
    return math.nan if summary.completion is None else summary.completion.mean


def _drawing(found: Found, sweep: _Sweep, letter: str, prefix: str) -> Drawing:
    lines = [
        Line(
            name,
            tuple(found.summary(cell).mean_return for cell in cells),
            tuple(_met(found.summary(cell)) for cell in cells),
        )
        for name in (LEARNT, _BEST_FIXED, CEILING, NO_SERVICE)
        for cells in [sweep.policies[name]]
    ]
    return Drawing(
        f"{prefix}-{sweep.place.slug}",
        f"Return and plans met over {letter}, {sweep.place.title}",
        "Mean returns with 95 % intervals, and plans met of those given.",
        sensitivity(letter, sweep.values, sweep.place.default(WEIGHTS[letter]), lines),
    )


def _table(found: Found, sweep: _Sweep, letter: str, prefix: str) -> ResultTable:
    rows, runs = [], []
    over = _over_no_service(found, sweep, LEARNT)
    fixed_over = _over_no_service(found, sweep, _BEST_FIXED)
    for index, value in enumerate(sweep.values):
        cells = {name: of[index] for name, of in sweep.policies.items()}
        one = {name: found.summary(cell) for name, cell in cells.items()}
        rows.append(
            (
                f"{value:g}",
                f"{one[NO_SERVICE].mean_return.mean:,.1f}",
                cells[_BEST_FIXED].agent,
                with_interval(one[_BEST_FIXED].mean_return),
                signed(fixed_over[index]),
                _share_met(one[_BEST_FIXED]),
                with_interval(one[LEARNT].mean_return),
                signed(over[index]),
                _share_met(one[LEARNT]),
                *one[LEARNT].mode_cells(),
                f"{one[CEILING].mean_return.mean:,.1f}",
                _share_met(one[CEILING]),
            )
        )
        runs.append(found.keys(*cells.values()))
    return ResultTable(
        f"{prefix}-{sweep.place.slug}",
        sweep.place.title,
        (
            letter,
            "no service",
            "best fixed plan",
            "its return (95 %)",
            "over no service",
            "plans met",
            "A3C (95 %)",
            "A3C over no service",
            "plans met by A3C",
            "likeliest",
            "drawn",
            "ceiling",
            "plans met at the ceiling",
        ),
        tuple(rows),
        tuple(runs),
    )


def _share_met(summary: Summary) -> str:
    met = summary.completion
    return MISSING if met is None else percent(met.mean)
