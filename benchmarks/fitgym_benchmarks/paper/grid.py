"""The grid of runs behind the paper's tables and figures: where, with which reward, and who."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import Any

import gymnasium as gym

from fitgym.common.json_files import parse_json
from fitgym.people.individual import DEFAULT_PLANS_TRIMP, Individual, load_individual
from fitgym_agents.configuration_files import configuration_for
from fitgym_agents.environments import log_part
from fitgym_benchmarks.paper.budgets import Budget
from fitgym_benchmarks.runs import Run
from fitgym_benchmarks.suites.algorithms import ROWS, row_configuration
from fitgym_benchmarks.suites.people import TRAINING_KWARGS

NO_SERVICE = "no service"
FIXED = tuple(f"fixed plan {plan}" for plan in range(1, len(DEFAULT_PLANS_TRIMP) + 1))
CEILING = "ceiling"
BELIEF = "belief"
COACH = "coach"
LEARNT = "A3C"

# Workers that take turns: the same numbers again, on one core.
_A3C: Mapping[str, Any] = {"workers": 0}

# The rows of the paper's tables 4 and 5.
ALGORITHMS = (
    "A3C hybrid",
    "A3C MLP",
    "A3C LSTM",
    "DQN (hybrid)",
    "ACKTR",
    "PPO (hybrid)",
    "GAIL",
)
# The first of each is what is registered.
OBSERVATIONS = ("state", "wearable", "full", "person")
PREDICTORS = ("fitrec2", "equation", "linear", "stranger")
SCALINGS = (0.0, 1.0)
# People of the activities of the paper's 2024 version, made from recordings
# (``scripts/make_activity_people.py``).
ACTIVITIES = ("walker", "walker-who-runs", "recorded-runner")
# Whom A3C is trained on, and what it sees of them, before it serves people whom it has not met.
UPBRINGINGS: dict[str, Mapping[str, Any]] = {
    "one person, state": {},
    "population, state": {**TRAINING_KWARGS, "observation": "state"},
    "population, person": TRAINING_KWARGS,
}


@dataclass(frozen=True)
class Place:
    """An environment as registered.

    Attributes:
        title: What readers call it.
        environment: Registered id.
    """

    title: str
    environment: str

    @property
    def replay(self) -> bool:
        """Whether the log is replayed, which is the paper's protocol."""
        return bool(gym.spec(self.environment).kwargs["adherence"] == "replay")

    @property
    def slug(self) -> str:
        """The title for file names."""
        return self.title.replace(", ", "-").replace(" ", "-")

    def default(self, argument: str) -> float:
        """Return the weight of the reward as registered."""
        return float(gym.spec(self.environment).kwargs[argument])


# The paper's protocol first, then those in which plans have consequences.
PLACES = tuple(
    Place(f"{title}, {stage}", f"fitgym/{stage.capitalize()}{suffix}")
    for title, suffix in (("replay", "Replay-v0"), ("version 0", "-v0"), ("version 1", "-v1"))
    for stage in ("acquisition", "retention")
)
REPLAY = tuple(place for place in PLACES if place.replay)
VERSION_0 = tuple(place for place in PLACES if place.title.startswith("version 0"))
VERSION_1 = tuple(place for place in PLACES if place.title.startswith("version 1"))

# What figures 10 and 11 vary, with the paper's letters.
WEIGHTS = {"mu": "completion_bonus", "rho": "shortfall_penalty"}


@dataclass(frozen=True)
class Cell:
    """One number of a table: who, where, and what differs from what is registered.

    Attributes:
        part: ``"reward"``, ``"algorithms"``, ``"observation"``, ``"predictor"``, ``"sigma"``,
            ``"people"`` or ``"activity"``.
        environment: Registered id.
        variant: What differs.
        agent: Who.
    """

    part: str
    environment: str
    variant: str
    agent: str


DEFAULT = "as registered"


def reward_variant(letter: str, factor: float) -> str:
    """Return the variant of a weight of the reward: a factor of what is registered."""
    return DEFAULT if factor == 1.0 else f"{letter} x {factor:g}"


def paper_runs(budget: Budget) -> dict[Cell, list[Run]]:
    """Return all runs, by cell: one per training seed of a learner, one of a reference.

    Learners of many steps come first, so that no worker idles at the end.
    """
    found = dict(_cells(budget))
    return dict(sorted(found.items(), key=lambda item: -item[1][0].steps))


def _cells(budget: Budget) -> Iterator[tuple[Cell, list[Run]]]:
    for place in PLACES:
        variants: dict[str, dict[str, Any]] = {DEFAULT: {}}
        for letter, argument in WEIGHTS.items():
            for factor in budget.factors:
                if factor != 1.0:
                    weight = {argument: factor * place.default(argument)}
                    variants[reward_variant(letter, factor)] = weight
        for variant, change in variants.items():
            seeds = budget.default_seeds if variant == DEFAULT else budget.cell_seeds
            yield from _group(budget, "reward", place, variant, change, seeds)
    for place in (*REPLAY, *VERSION_1):
        for row in ALGORITHMS:
            # There is no dynamic program under replay whose episodes could be imitated.
            if not (row == "GAIL" and place.replay):
                yield _algorithm(budget, place, row)
    for place in VERSION_1:
        for observation in OBSERVATIONS:
            seen = {} if observation == OBSERVATIONS[0] else {"observation": observation}
            yield _learnt(budget, "observation", place, observation, seen, seen)
        for predictor in PREDICTORS:
            other = {} if predictor == PREDICTORS[0] else {"predictor": predictor}
            yield _learnt(budget, "predictor", place, predictor, other, {})
        yield from _unseen_people(budget, place)
        for name in ACTIVITIES:
            somebody = {"individual": activity_person(name).to_dict()}
            yield from _group(budget, "activity", place, name, somebody, budget.cell_seeds)
    for place in VERSION_0:
        for sigma in SCALINGS:
            person = {"individual": scaled_person(place.environment, sigma)}
            yield from _group(
                budget, "sigma", place, f"sigma = {sigma:g}", person, budget.cell_seeds
            )


def _group(
    budget: Budget, part: str, place: Place, variant: str, change: dict[str, Any], seeds: int
) -> Iterator[tuple[Cell, list[Run]]]:
    """Yield A3C, no service, the fixed plans and the planners in one environment."""
    yield _learnt(budget, part, place, variant, change, change, seeds)
    yield from _references(budget, part, place, variant, change)
    if place.replay:
        planners: dict[str, tuple[str, dict[str, Any]]] = {CEILING: ("foresight", {})}
    else:
        grid = {"refinement": budget.refinement}
        planners = {CEILING: ("dynamic-programming", grid), BELIEF: ("belief", grid)}
    for label, (agent, configuration) in planners.items():
        yield _reference(budget, part, place, variant, change, label, agent, configuration)


def _references(
    budget: Budget, part: str, place: Place, variant: str, change: dict[str, Any]
) -> Iterator[tuple[Cell, list[Run]]]:
    """Yield no service, the fixed plans and the coach's rule in one environment."""
    for plan, label in enumerate((NO_SERVICE, *FIXED)):
        yield _reference(budget, part, place, variant, change, label, "fixed", {"plan": plan})
    yield _reference(budget, part, place, variant, change, COACH, "coach", {})


def _reference(
    budget: Budget,
    part: str,
    place: Place,
    variant: str,
    change: dict[str, Any],
    label: str,
    agent: str,
    configuration: dict[str, Any],
) -> tuple[Cell, list[Run]]:
    run = Run(
        agent=agent,
        environment=place.environment,
        configuration=configuration,
        evaluation_kwargs={**log_part(place.environment, "test"), **change},
        episodes=budget.episodes,
    )
    return Cell(part, place.environment, variant, label), [run]


def _learnt(
    budget: Budget,
    part: str,
    place: Place,
    variant: str,
    training: Mapping[str, Any],
    evaluation: Mapping[str, Any],
    seeds: int | None = None,
) -> tuple[Cell, list[Run]]:
    """Return A3C's trainings in one cell."""
    environment = place.environment
    runs = [
        Run(
            agent="a3c",
            environment=environment,
            configuration={**configuration_for("a3c", environment).configuration, **_A3C},
            training_kwargs={**log_part(environment, "train"), **training},
            evaluation_kwargs={**log_part(environment, "test"), **evaluation},
            steps=budget.a3c_steps,
            seed=seed,
            episodes=budget.episodes,
        )
        for seed in range(budget.cell_seeds if seeds is None else seeds)
    ]
    return Cell(part, environment, variant, LEARNT), runs


def _algorithm(budget: Budget, place: Place, row: str) -> tuple[Cell, list[Run]]:
    environment = place.environment
    runs = [
        Run(
            agent=ROWS[row][0],
            environment=environment,
            configuration=row_configuration(row, environment),
            training_kwargs=log_part(environment, "train"),
            evaluation_kwargs=log_part(environment, "test"),
            steps=budget.algorithm_steps,
            seed=seed,
            episodes=budget.episodes,
        )
        for seed in range(budget.algorithm_seeds)
    ]
    return Cell("algorithms", environment, DEFAULT, row), runs


def _unseen_people(budget: Budget, place: Place) -> Iterator[tuple[Cell, list[Run]]]:
    """Yield A3C by what it was trained on, and references, on somebody of the test split."""
    unseen = {"individual": "population:test"}
    for upbringing, training in UPBRINGINGS.items():
        seen = {"observation": training.get("observation", "state")}
        yield _learnt(budget, "people", place, upbringing, training, {**unseen, **seen})
    yield from _references(budget, "people", place, DEFAULT, unseen)


@cache
def activity_person(name: str) -> Individual:
    """Return one of ``ACTIVITIES``."""
    path = resources.files("fitgym_benchmarks") / "paper" / "people" / f"{name}.json"
    return Individual.from_dict(parse_json(path.read_bytes(), path.name), where=name)


def scaled_person(environment: str, sigma: float) -> dict[str, Any]:
    """Return the environment's own person with another base scaling, alike at the start.

    Stocks are counted in units of ``B_0^sigma``, so initial stocks and marginal utilities are
    converted, and performance at the start is the same for every ``sigma``.

    Args:
        environment: Registered id.
        sigma: ``sigma`` in [0, 1].
    """
    person = load_individual(gym.spec(environment).kwargs["individual"])
    content = person.to_dict()
    for stage in ("acquisition", "retention"):
        parameters = asdict(getattr(person, stage))
        change = sigma - parameters["base_scaling"]
        unit = parameters["initial_base_level"] ** change
        content[stage] = {
            **parameters,
            "base_scaling": sigma,
            "fitness_utility": parameters["fitness_utility"] / unit,
            "fatigue_utility": parameters["fatigue_utility"] / unit,
            "initial_fitness": parameters["initial_fitness"] * unit,
            "initial_fatigue": parameters["initial_fatigue"] * unit,
        }
    content["name"] = f"{person.name}-sigma-{sigma:g}"
    return content
