"""What references earn in an environment, and the scores of the shipped people, which ship too."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import gymnasium as gym

from fitgym.common.json_files import read_object
from fitgym.common.validation import require_choice
from fitgym.people.individual import load_individual, shipped_individuals
from fitgym.people.runners import RUNNERS


@dataclass(frozen=True)
class Score:
    """A mean return with its 95 % interval (normal, from many independent seasons).

    Attributes:
        mean: The mean.
        low: Lower end.
        high: Upper end.
        share: How far it is on the way from no service (0) to the ceiling (1); NaN for a
            difference.
    """

    mean: float
    low: float
    high: float
    share: float = math.nan

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return 0.5 * (self.high - self.low)


@dataclass(frozen=True, eq=False, kw_only=True)
class ReferenceScores:
    """What the references earn, all on the same seasons.

    Attributes:
        individual: Name of the person.
        episodes: Seasons simulated.
        seed: Seed of the first of them.
        ceiling: The policy that others are measured by: ``"dynamic programming"``, which knows
            the motivation, or under replay ``"foresight"``, the exact bound, which knows the log.
        best_fixed: The fixed plan, from 1, that earns most; 0 where no plan is allowed.
        value: Expected return of the dynamic program by its own tables; None under replay.
        outside: Share of the days of its seasons that lie beyond its grid; None under replay.
        scores: By policy.
        differences: Paired differences between policies, by name.
    """

    individual: str
    episodes: int
    seed: int
    ceiling: str
    best_fixed: int
    value: float | None
    outside: float | None
    scores: Mapping[str, Score]
    differences: Mapping[str, Score]

    @property
    def references(self) -> dict[str, Score]:
        """No service, random, best fixed plan, myopic, belief and the ceiling, where they exist."""
        names = {name: name for name in ("no service", "random")}
        names["best fixed plan"] = fixed_name(self.best_fixed)
        names |= {name: name for name in ("myopic", "belief", self.ceiling)}
        return {name: self.scores[key] for name, key in names.items() if key in self.scores}

    def share(self, mean_return: float) -> float:
        """Return how far a mean return is on the way from no service (0) to the ceiling (1).

        Raises:
            KeyError: If no service was forbidden, so that it has no score here.
        """
        lowest = self.scores["no service"].mean
        return (mean_return - lowest) / (self.scores[self.ceiling].mean - lowest)

    def to_dict(self) -> dict[str, Any]:
        """Return the scores as JSON-able values."""
        return {
            "individual": self.individual,
            "episodes": self.episodes,
            "seed": self.seed,
            "ceiling": self.ceiling,
            "value": self.value,
            "outside": self.outside,
            "best_fixed_plan": self.best_fixed,
            "scores": {name: asdict(score) for name, score in self.scores.items()},
            "paired_differences": {
                name: {"mean": score.mean, "low": score.low, "high": score.high}
                for name, score in self.differences.items()
            },
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ReferenceScores:
        """Return the scores that ``to_dict`` described.

        Raises:
            KeyError: If something is missing.
            TypeError: If something has the wrong type.
        """
        return ReferenceScores(
            individual=content["individual"],
            episodes=content["episodes"],
            seed=content["seed"],
            ceiling=content["ceiling"],
            best_fixed=content["best_fixed_plan"],
            value=content["value"],
            outside=content["outside"],
            scores={name: Score(**score) for name, score in content["scores"].items()},
            differences={
                name: Score(**score) for name, score in content["paired_differences"].items()
            },
        )


def fixed_name(plan: int) -> str:
    """Return what the policy that pushes ``plan`` every day is called."""
    return f"fixed plan {plan}" if plan else "no service"


def load_reference_scores(env_id: str, individual: str | None = None) -> ReferenceScores:
    """Return the scores that ship, of a registered environment with its default arguments.

    ``fitgym scores`` made them. An environment with continuous plans has those of its
    ten plans: asked for by their points they earn the same there, so that what is the ceiling of
    ten plans is a lower bound of its own.

    Args:
        env_id: Registered id, plain or import-free (``fitgym:fitgym/...``).
        individual: Name of a shipped individual; None for the environment's own.

    Raises:
        ValueError: If there are none.
    """
    plain = plans_env_id(env_id.removeprefix("fitgym:"))
    pairs = scored_pairs()
    require_choice("env_id", plain, sorted({one for one, _ in pairs}))
    if individual is None:
        individual = gym.spec(plain).kwargs["individual"]
    require_choice("individual", individual, [name for one, name in pairs if one == plain])
    scores = _shipped().get((plain, individual))
    if scores is None:
        raise ValueError(
            f"{shipped_scores()} has no scores of {plain!r} and {individual!r}: run `fitgym scores`"
        )
    return scores


def scored_pairs() -> list[tuple[str, str]]:
    """Return every registered id and shipped individual that have scores of their own.

    Under replay these are the people with a log, else all who ship for that version. Ids with
    continuous plans have those of their ten plans; see ``plans_env_id``.
    """
    pairs = []
    for env_id, spec in gym.registry.items():
        if not env_id.startswith("fitgym/") or plans_env_id(env_id) != env_id:
            continue
        adherence = spec.kwargs["adherence"]
        for name in shipped_individuals():
            if (name in RUNNERS) != (adherence == "fitrec2"):
                continue
            if adherence != "replay" or load_individual(name).sessions_trimp:
                pairs.append((env_id, name))
    return pairs


def plans_env_id(env_id: str) -> str:
    """Return the id of the same environment with ten plans in place of continuous ones."""
    return env_id.replace("Continuous-v", "-v")


def shipped_scores() -> Path:
    """Return the file of the scores that ship."""
    return Path(__file__).parent.parent / "data" / "reference_scores.json"


def read_entries(path: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the entries of a file of scores, by id and individual; none if there is no file.

    Raises:
        ValueError: If the file holds something else.
    """
    if not path.exists():
        return {}
    try:
        entries = read_object(path, ("entries",))["entries"]
        for entry in entries:
            ReferenceScores.from_dict(entry["scores"])
        return {(entry["env_id"], entry["scores"]["individual"]): entry for entry in entries}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no file of reference scores: {error}") from error


@cache
def _shipped() -> dict[tuple[str, str], ReferenceScores]:
    entries = read_entries(shipped_scores())
    return {pair: ReferenceScores.from_dict(entry["scores"]) for pair, entry in entries.items()}
