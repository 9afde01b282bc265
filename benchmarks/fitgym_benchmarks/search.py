"""Search for settings of the learners with Optuna (Akiba et al. 2019): stopped whenever, resumed.

A study is a journal file that any number of processes may work on at the same time, so the way to
use a second core is to start the same command again. The search has seeds of its own, for training
and for evaluation, which are neither those of the benchmarks' trainings nor of their evaluation.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fitgym.common.files import write_text
from fitgym.common.tables import markdown_table
from fitgym.common.validation import require_choice, require_integer
from fitgym_agents.evaluation import evaluate
from fitgym_agents.registry import find_agent
from fitgym_agents.settings import Configuration

if TYPE_CHECKING:
    import optuna

# Finished trials that each learner gets, so that none is tuned more than another.
TRIALS = 20

# First seed of the episodes by which settings are compared: between those of the benchmarks'
# evaluation and those of training, far from both.
_SEARCH_SEED = 500_000_000

# First seed of the trials' trainings; the tables' begin at 0.
_FIRST_TRAINING = 1_000


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]

    def suggest(self, trial: optuna.Trial, name: str) -> Any:
        """Let ``trial`` choose."""
        return trial.suggest_categorical(name, self.values)

    def allows(self, value: Any) -> bool:
        """Return whether ``value`` may be chosen."""
        return value in self.values


@dataclass(frozen=True)
class Range:
    """A number between two positive ones, on a logarithmic scale."""

    low: float
    high: float

    def suggest(self, trial: optuna.Trial, name: str) -> float:
        """Let ``trial`` choose."""
        return trial.suggest_float(name, self.low, self.high, log=True)

    def allows(self, value: float) -> bool:
        """Return whether ``value`` may be chosen."""
        return self.low <= value <= self.high


_DISCOUNTS = Choice((0.97, 0.98, 0.99, 0.995))
_DECAYS = Choice((0.9, 0.95, 0.98, 1.0))

# What is searched, by agent, in ranges around the defaults; networks stay as they are.
SPACES: Mapping[str, Mapping[str, Choice | Range]] = {
    "a2c": {
        "environments": Choice((16, 32, 64, 128)),
        "steps": Choice((5, 8, 16, 32)),
        "learning_rate": Range(3e-4, 1e-2),
        "discount": _DISCOUNTS,
        "advantage_decay": _DECAYS,
        "entropy_bonus": Range(3e-4, 3e-2),
    },
    "a3c": {
        "environments": Choice((8, 16, 32, 64, 128)),
        "steps": Choice((10, 15, 30, 90)),
        "learning_rate": Range(3e-4, 1e-2),
        "discount": _DISCOUNTS,
        "advantage_decay": _DECAYS,
        "entropy_bonus": Range(1e-3, 5e-2),
        "gradient_norm": Choice((0.5, 1.0, 5.0)),
        "optimiser": Choice(("adam", "rmsprop")),
        "activation": Choice(("tanh", "relu")),
    },
    "acktr": {
        "environments": Choice((16, 32, 64, 128)),
        "steps": Choice((8, 16, 30)),
        "trust_region": Range(3e-4, 3e-2),
        "critic_trust_region": Range(3e-3, 3e-1),
        "damping": Range(1e-3, 1e-1),
        "discount": _DISCOUNTS,
        "advantage_decay": _DECAYS,
        "entropy_bonus": Range(3e-4, 3e-2),
    },
    "dqn": {
        "learning_rate": Range(1e-4, 1e-2),
        "discount": _DISCOUNTS,
        "minibatch": Choice((128, 256, 512)),
        "gradient_steps": Choice((1, 2, 4)),
        "target_update": Choice((500, 1_000, 2_000, 4_000)),
        "exploration_share": Choice((0.1, 0.3, 0.5)),
        "final_exploration": Choice((0.01, 0.05, 0.1)),
    },
    "drqn": {
        "learning_rate": Range(1e-4, 1e-2),
        "discount": _DISCOUNTS,
        "gradient_steps": Choice((25, 50, 100)),
        "trace_decay": Choice((0.0, 0.5, 0.9, 0.95)),
        "target_update": Choice((25, 50, 100, 200)),
        "exploration_share": Choice((0.1, 0.3, 0.5)),
        "final_exploration": Choice((0.01, 0.05, 0.1)),
    },
    "gail": {
        "environments": Choice((16, 32, 64)),
        "learning_rate": Range(3e-4, 1e-2),
        "discount": _DISCOUNTS,
        "epochs": Choice((2, 4, 8)),
    },
    "ppo": {
        "environments": Choice((32, 64, 128)),
        "steps": Choice((16, 32, 64)),
        "epochs": Choice((3, 6, 10)),
        "minibatch": Choice((512, 1_024)),
        "learning_rate": Range(3e-4, 1e-2),
        "discount": _DISCOUNTS,
        "advantage_decay": _DECAYS,
        "entropy_bonus": Range(3e-4, 3e-2),
        "clip_range": Choice((0.1, 0.2, 0.3)),
    },
    "recurrent-ppo": {
        "environments": Choice((32, 64, 128)),
        "epochs": Choice((2, 4, 8)),
        "learning_rate": Range(1e-3, 2e-2),
        "discount": _DISCOUNTS,
        "advantage_decay": _DECAYS,
        "entropy_bonus": Range(3e-4, 3e-2),
        "clip_range": Choice((0.1, 0.2, 0.3)),
    },
}


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is searched for, and how a trial is judged.

    A trial's value is the mean return of the deterministic policy after training, over
    environments, training seeds and episodes.

    Attributes:
        agent: A key of ``SPACES``.
        environments: Registered ids.
        steps: Environment steps of a training.
        seeds: How many trainings of each trial in each environment; their seeds are apart from
            those of the benchmarks.
        episodes: Episodes a training is evaluated on.
        fixed: Settings that all trials share, JSON-able.
        env_kwargs: Arguments of the environments, JSON-able.
    """

    agent: str
    environments: tuple[str, ...]
    steps: int
    seeds: int = 1
    episodes: int = 100
    fixed: Mapping[str, Any] = field(default_factory=dict)
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the fields."""
        require_choice("agent", self.agent, SPACES)
        for name in ("steps", "seeds", "episodes"):
            require_integer(name, getattr(self, name), 1)
        if not self.environments:
            raise ValueError("environments must name at least one environment")
        # Errors in the fixed settings are told before anything is trained.
        self._settings_class.from_mapping(self.fixed)

    @property
    def space(self) -> dict[str, Choice | Range]:
        """What trials choose."""
        return {
            name: choice for name, choice in SPACES[self.agent].items() if name not in self.fixed
        }

    @property
    def name(self) -> str:
        """The agent and a hash of all that decides a trial's value."""
        content = [
            self.agent,
            _FIRST_TRAINING,
            self.environments,
            self.steps,
            self.seeds,
            self.episodes,
            dict(self.fixed),
            dict(self.env_kwargs),
        ]
        text = json.dumps(content, sort_keys=True)
        return f"{self.agent}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    def defaults(self) -> dict[str, Any]:
        """Return the present default of each setting that is searched."""
        settings = self._settings_class()
        return {name: getattr(settings, name) for name in self.space}

    @property
    def _settings_class(self) -> type[Configuration]:
        found: Any = find_agent(self.agent)
        settings_class: type[Configuration] = found.settings_class
        return settings_class

    def train(self, trial: optuna.Trial) -> float:
        """Train with the settings that ``trial`` chooses, and return its value."""
        chosen = {name: choice.suggest(trial, name) for name, choice in self.space.items()}
        means, seconds, steps = [], 0.0, 0
        for environment in self.environments:
            for seed in range(_FIRST_TRAINING, _FIRST_TRAINING + self.seeds):
                agent = find_agent(self.agent).create(
                    environment,
                    env_kwargs=self.env_kwargs,
                    seed=seed,
                    configuration={**self.fixed, **chosen},
                )
                started = time.perf_counter()
                agent.learn(self.steps)
                seconds += time.perf_counter() - started
                steps += self.steps
                evaluation = evaluate(
                    agent,
                    environment,
                    episodes=self.episodes,
                    seed=_SEARCH_SEED,
                    env_kwargs=self.env_kwargs,
                )
                means.append(evaluation.mean)
        trial.set_user_attr("returns", means)
        trial.set_user_attr("steps_per_second", steps / seconds)
        return float(np.mean(means))


def run_search(
    search: Search,
    trials: int,
    folder: Path,
    *,
    seed: int = 0,
    report: Callable[[str], None] = print,
) -> optuna.Study:
    """Go on with a search until a number of trials are finished, and write their table.

    The first trial is that of the present defaults. ``folder`` gets ``NAME.journal``, from which
    an interrupted search goes on, and ``NAME.md``, the table, after every trial.

    Args:
        search: What to search for.
        trials: How many finished trials the study is to have, those of earlier calls and of
            other processes included.
        folder: Made if missing.
        seed: Of Optuna's sampler.
        report: Called with a line about each finished trial.

    Raises:
        ModuleNotFoundError: If Optuna is not installed.
    """
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
        from optuna.study import MaxTrialsCallback
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("searching needs Optuna: pip install 'fitgym[search]'") from error

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    storage = JournalStorage(JournalFileBackend(str(folder / f"{search.name}.journal")))
    study = optuna.create_study(
        storage=storage, study_name=search.name, direction="maximize", load_if_exists=True
    )
    # A search that goes on must not draw again what it drew at first.
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))
    defaults = search.defaults()
    if all(trial.params != defaults for trial in _finished(study)):
        study.enqueue_trial(defaults)

    def note(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        write_text(folder / f"{search.name}.md", as_markdown(search, study))
        report(f"trial {trial.number}: {trial.value:.1f} with {_in_words(trial.params)}")

    if len(_finished(study)) < trials:
        limit = MaxTrialsCallback(trials, states=(optuna.trial.TrialState.COMPLETE,))
        study.optimize(search.train, callbacks=[note, limit])
    return study


def as_markdown(search: Search, study: optuna.Study) -> str:
    """Return the finished trials as a Markdown table, the best first."""
    names = list(search.space)
    head = ["trial", "mean return", *search.environments, "steps/s", *names]
    defaults = search.defaults()
    rows = []
    for trial in sorted(_finished(study), key=lambda trial: -(trial.value or 0.0)):
        returns = np.reshape(trial.user_attrs["returns"], (len(search.environments), -1))
        number = f"{trial.number} (defaults)" if trial.params == defaults else f"{trial.number}"
        row = [
            number,
            f"{trial.value:.1f}",
            *(f"{mean:.1f}" for mean in returns.mean(axis=1)),
            f"{trial.user_attrs['steps_per_second']:,.0f}",
            *(_in_text(trial.params[name]) for name in names),
        ]
        rows.append(row)
    return (
        f"# Search for settings of {search.agent}\n\n"
        f"{search.steps:,} environment steps, {search.seeds} training seed(s), {search.episodes} "
        f"episodes, fixed settings: {_in_words(search.fixed) or 'none'}.\n\n"
        f"{markdown_table(head, rows)}\n"
    )


def _finished(study: optuna.Study) -> Sequence[optuna.trial.FrozenTrial]:
    return [trial for trial in study.get_trials(deepcopy=False) if trial.value is not None]


def _in_words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_in_text(value)}" for name, value in values.items())


def _in_text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
