"""Agents that learn while they serve one cohort, beside references (``benchmark online``)."""

from __future__ import annotations

import csv
import io
import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fitgym.common.figures import new_figure, save_figure, tidy_axes
from fitgym.common.files import write_text
from fitgym.common.provenance import machine
from fitgym.common.tables import MISSING, markdown_table
from fitgym_agents.online.cohort import Cohort, CohortLog, run_cohort
from fitgym_agents.online.export import write_log
from fitgym_agents.online.references import PERCENTILES, CohortReferences, cohort_references
from fitgym_agents.online.registry import ONLINE_AGENTS, make_online_agent
from fitgym_agents.pretrained import pretrained_agents

Floats = NDArray[np.float64]

# What ships of the paper's agent serves beside those that learn: that of the default individual,
# and that of everyone, which may learn on.
_SHIPPED = ("pretrained:a3c", "pretrained:a3c-population", "fine-tuned:a3c-population")

_RETURN_COLUMNS = ("agent", "return", "over random", "% of the way", "worse than none", "CPU s")
_REGRET_COLUMNS = ("agent", "to", "a day", "last 30 days", *(f"p{one}" for one in PERCENTILES))
_FIDELITY_COLUMNS = (
    "agent",
    "probabilities kept",
    "updates on time",
    "fallback",
    "data on time",
    "data missing",
)


@dataclass(frozen=True, eq=False)
class OnlineBenchmark:
    """What the agents did with one cohort.

    Attributes:
        cohort: The cohort.
        logs: By name of the agent.
        cpu_seconds: Of each agent's season, environments included, by name.
        references: What the references earned.
    """

    cohort: Cohort
    logs: Mapping[str, CohortLog]
    cpu_seconds: Mapping[str, float]
    references: CohortReferences

    def tables(self) -> str:
        """Return the tables of returns, regret and fidelity as Markdown."""
        references = self.references
        rows, regrets, fidelity = [], [], []
        random = self.logs.get("random")
        for name, rewards in (
            ("no service", references.none),
            ("belief", references.belief),
            ("dynamic program", references.ceiling),
        ):
            share = (rewards.sum() - references.none.sum()) / (
                references.ceiling.sum() - references.none.sum()
            )
            returns = _with_error(rewards.sum(axis=1), "")
            rows.append((name, returns, MISSING, f"{100 * share:.1f}", MISSING, MISSING))
        for name, log in sorted(self.logs.items(), key=lambda one: one[1].returns.mean()):
            summary = references.summary(log)
            over = MISSING
            if random is not None and log is not random:
                over = _with_error(log.returns - random.returns, "+")
            rows.append(
                (
                    name,
                    _with_error(log.returns, ""),
                    over,
                    f"{100 * summary['share of the way']:.1f}",
                    f"{100 * summary['served worse than by none']:.0f} %",
                    f"{self.cpu_seconds[name]:.1f}",
                )
            )
            for to in ("belief", "ceiling"):
                key = f"regret to {to}"
                regrets.append(
                    (
                        name,
                        "belief" if to == "belief" else "dynamic program",
                        f"{summary[key]:.2f}",
                        f"{summary[f'{key}, last 30 days']:.2f}",
                        *(f"{summary[f'{key}, percentile {one}']:.2f}" for one in PERCENTILES),
                    )
                )
            shares = log.fidelity()
            fidelity.append(
                (name, *(f"{100 * shares[one]:.1f} %" for one in _FIDELITY_COLUMNS[1:]))
            )
        return "\n\n".join(
            [
                f"Returns of a season, {self.cohort.people} people, ± one standard error over "
                f"people; the way, regret and references are those of the first "
                f"{references.people}. "
                "CPU seconds hold the environments, too.",
                markdown_table(_RETURN_COLUMNS, rows),
                "Regret a day to the references, mean and percentiles over people.",
                markdown_table(_REGRET_COLUMNS, regrets, left=2),
                "How the service ran.",
                markdown_table(_FIDELITY_COLUMNS, fidelity),
            ]
        )


def default_agents(env_id: str) -> tuple[str, ...]:
    """Return the names of the agents that serve unless others are named."""
    plain = env_id.removeprefix("fitgym:")
    ships = {name for name, known in pretrained_agents() if known == plain}
    return (*ONLINE_AGENTS, *(name for name in _SHIPPED if name.partition(":")[2] in ships))


def run_online(
    cohort: Cohort, agents: Sequence[str], *, references: int, logs: Path | None = None
) -> OnlineBenchmark:
    """Let every agent serve the same cohort, and live its days under the references.

    Args:
        cohort: The cohort.
        agents: Names, see ``make_online_agent``.
        references: How many people have references.
        logs: Folder for a log of every agent; None for none.

    Raises:
        ValueError: If there is no such agent, or the cohort is not possible.
    """
    ready = {name: make_online_agent(name) for name in agents}
    done, seconds = {}, {}
    for name, agent in ready.items():
        started = time.process_time()
        done[name] = run_cohort(agent, cohort)
        seconds[name] = time.process_time() - started
        if logs is not None:
            write_log(done[name], logs / re.sub(r"[^A-Za-z0-9.-]+", "-", name))
    first = next(iter(done.values()))
    lived = cohort_references(cohort, first.task, first.individuals, references, progress=True)
    return OnlineBenchmark(cohort, done, seconds, lived)


def write_online(benchmark: OnlineBenchmark, out: Path, command: str) -> Path:
    """Write ``online.md``, ``regret.csv``, ``regret.png`` and ``references.csv`` into a folder.

    Args:
        benchmark: What was run.
        out: The folder.
        command: What made it.

    Returns:
        The page.
    """
    write_text(out / "regret.csv", regret_csv(benchmark))
    write_text(out / "references.csv", references_csv(benchmark.references))
    _draw(benchmark, out / "regret.png")
    page = out / "online.md"
    write_text(page, f"`{command}` on {machine()}.\n\n{benchmark.tables()}\n")
    return page


def regret_csv(benchmark: OnlineBenchmark) -> str:
    """Return the curves: a row for each agent, reference and day of the season.

    ``regret`` is that of the day, ``cumulative`` the mean over people of its sum since the first,
    and ``p10`` to ``p90`` its percentiles.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    percentiles = [f"p{one}" for one in PERCENTILES]
    writer.writerow(["agent", "reference", "day", "regret", "cumulative", *percentiles])
    for name, log in benchmark.logs.items():
        for to in ("belief", "ceiling"):
            regret = benchmark.references.regret(log, to)
            total = regret.cumsum(axis=1)
            spread = np.percentile(total, PERCENTILES, axis=0)
            for day in range(regret.shape[1]):
                values = (regret[:, day].mean(), total[:, day].mean(), *spread[:, day])
                writer.writerow(
                    [name, to, day + 1, *(f"{value:.6f}" for value in map(float, values))]
                )
    return text.getvalue()


def references_csv(references: CohortReferences) -> str:
    """Return the rewards of the references, a row for each person and day as in an agent's log."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["person", "day", "no_service", "belief", "dynamic_program"])
    for person, day in np.ndindex(references.belief.shape):
        at = (person, day)
        rewards = (references.none[at], references.belief[at], references.ceiling[at])
        writer.writerow([person, day, *(f"{reward:.6g}" for reward in rewards)])
    return text.getvalue()


def _draw(benchmark: OnlineBenchmark, path: Path) -> None:
    """Draw cumulative regret to the belief, the mean over people with the middle half."""
    figure = new_figure()
    axes = figure.subplots()
    days = np.arange(1, benchmark.cohort.days + 1)
    for place, (name, log) in enumerate(benchmark.logs.items()):
        total = benchmark.references.regret(log).cumsum(axis=1)
        (line,) = axes.plot(
            days, total.mean(axis=0), label=name, linestyle="-" if place < 10 else "--"
        )
        low, high = np.percentile(total, (25, 75), axis=0)
        axes.fill_between(days, low, high, color=line.get_color(), alpha=0.08, linewidth=0)
    axes.axhline(0.0, color="#8A8F98", linewidth=0.8)
    tidy_axes(
        axes,
        "Regret to the belief, which knows the person (mean, middle half of people)",
        "day of the season",
        "cumulative regret",
    )
    axes.legend(frameon=False, fontsize=8)
    save_figure(figure, path)


def _with_error(values: Floats, sign: str) -> str:
    mean = f"{float(values.mean()):{sign}.1f}"
    if values.size == 1:
        return mean
    return f"{mean} ± {values.std(ddof=1) / math.sqrt(values.size):.1f}"
