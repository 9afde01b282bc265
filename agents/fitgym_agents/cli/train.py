"""``fitgym train``: train an agent in an environment, save it and evaluate it."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from fitgym.cli.arguments import input_path, output_folder
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.common.validation import require_count, require_name, require_seed
from fitgym_agents.agent import Agent
from fitgym_agents.cli.evaluate import summary
from fitgym_agents.cli.options import (
    add_environment,
    check_environment,
    environment_kwargs,
)
from fitgym_agents.configuration_files import check_configuration, configuration_for, named_values
from fitgym_agents.evaluation import evaluate
from fitgym_agents.registry import find_learner
from fitgym_agents.scores import share_of_ceiling
from fitgym_agents.training import Training, read_record, saved_timesteps, train, write_evaluation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Train an agent in an environment (under replay, on the first part of the log), save it "
        "with its learning curve and a record of the training, and evaluate it in episodes that "
        "it has not seen. Stop it whenever you like: the same command goes on, and with more "
        "--steps it learns on."
    )
    parser.formatter_class = DefaultsHelpFormatter
    parser.add_argument("agent", metavar="AGENT", help="a name that `list` shows, or module:Class")
    add_environment(parser)
    parser.add_argument(
        "--config",
        type=input_path,
        metavar="FILE.yaml",
        help="configuration to use in place of the one that ships",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting of the agent, before all others; may be repeated",
    )
    parser.add_argument(
        "--steps", type=int, metavar="N", help="environment steps (default: the configuration's)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the training")
    parser.add_argument(
        "--out",
        type=output_folder,
        metavar="FOLDER",
        help="folder (default: results/agents/AGENT-ENV-seedS)",
    )
    parser.add_argument(
        "--episodes", type=int, default=100, metavar="N", help="episodes to evaluate in"
    )
    parser.add_argument(
        "--tensorboard",
        action="store_true",
        help="write scalars for TensorBoard to FOLDER/tensorboard",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Train, save, evaluate and print."""
    require_seed("--seed", options.seed)
    require_count("--episodes", options.episodes)
    agent_class = find_learner(options.agent)
    env_id = options.env_id
    env_kwargs = environment_kwargs(options, "train")
    check_environment(env_id, env_kwargs)
    section = configuration_for(options.agent, env_id.rpartition(":")[2], options.config)
    check_configuration(agent_class, section.configuration, f"{section.source}: configuration")
    changes = named_values("--set", options.set)
    check_configuration(agent_class, changes, "--set")
    steps = section.total_timesteps if options.steps is None else options.steps
    if steps is None:
        raise ValueError(
            f"no configuration says for how many steps {options.agent!r} is trained in "
            f"{env_id!r}: give --steps"
        )
    require_count("--steps", steps)
    training = Training(
        agent=options.agent,
        env_id=env_id,
        env_kwargs=env_kwargs,
        configuration={**section.configuration, **changes},
        seed=options.seed,
    )
    folder = options.out or Path("results/agents") / _folder_name(training)

    with _Monitor(training, steps, folder / "tensorboard" if options.tensorboard else None) as bar:
        try:
            agent = train(
                training,
                steps,
                folder,
                command=shlex.join(["fitgym", *options.words]),
                watch=bar,
            )
        except KeyboardInterrupt:
            bar.close()
            done = saved_timesteps(training, folder)
            print(
                f"saved in {folder} after {done:,} steps; the same command goes on from there"
                if done
                else "nothing was learnt yet; the same command starts anew",
                file=sys.stderr,
            )
            raise
    _print_evaluation(agent, options, folder)


def _print_evaluation(agent: Agent, options: argparse.Namespace, folder: Path) -> None:
    env_kwargs = environment_kwargs(options, "test")
    evaluation = evaluate(agent, options.env_id, episodes=options.episodes, env_kwargs=env_kwargs)
    values = {"env_kwargs": env_kwargs, **summary(evaluation, env_kwargs)}
    write_evaluation(folder, values)
    earned, share = values["mean_return"], values["share_of_ceiling"]
    way = (
        "" if share is None else f", {100 * share:.1f} % of the way from no service to the ceiling"
    )
    record = read_record(folder)
    assert record is not None
    print(f"{agent.name} in {options.env_id}, {record['timesteps']:,} steps, saved in {folder}")
    print(
        f"mean return {earned['mean']:,.1f} (95% interval "
        f"{earned['low']:,.1f} to {earned['high']:,.1f}){way}, {values['episodes']} episodes "
        f"from seed {values['seed']}, likeliest actions"
    )


def _folder_name(training: Training) -> str:
    """Return the name of a training's folder under ``results/agents``."""
    individual = training.env_kwargs.get("individual")
    if isinstance(individual, Mapping):
        individual = individual["name"]
    env_id = training.env_id.rpartition(":")[2].rpartition("/")[2]
    words = [training.agent.rpartition(":")[2], env_id, individual]
    # A split of the population has a colon, which no file name may have everywhere.
    name = "-".join([*filter(None, words), f"seed{training.seed}"]).replace(":", "-")
    return require_name("the folder's name (give --out for another)", name, 200)


class _Monitor:
    """Progress of a training as a bar and, if asked for, as TensorBoard scalars."""

    def __init__(self, training: Training, total: int, tensorboard: Path | None) -> None:
        self._training = training
        self._points = 0
        self._bar: tqdm[Any] | None = None
        self._total = total
        self._started = (time.monotonic(), 0)
        self._writer = None if tensorboard is None else _tensorboard_writer(tensorboard)

    def __enter__(self) -> _Monitor:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        if self._writer is not None:
            self._writer.close()

    def __call__(self, agent: Agent, timesteps: int) -> None:
        """Show that ``agent`` has learnt for ``timesteps``; the first call starts the bar."""
        if self._bar is None:
            self._started = (time.monotonic(), timesteps)
            self._points = len(agent.learning_curve)
            # Shown on a terminal only.
            self._bar = tqdm(
                total=self._total,
                initial=min(timesteps, self._total),
                desc=str(agent.name),
                unit="step",
                unit_scale=True,
                disable=None,
            )
        # Learners that collect in batches go beyond the total.
        self._bar.update(min(timesteps, self._total) - self._bar.n)
        new = agent.learning_curve[self._points :]
        self._points += len(new)
        for point in new:
            self._show(*point)

    def _show(self, timesteps: int, mean_return: float) -> None:
        share = share_of_ceiling(self._training.env_id, self._training.env_kwargs, mean_return)
        shown = {"return": f"{mean_return:,.1f}"}
        if share is not None:
            shown["% of the way"] = f"{100 * share:.1f}"
        assert self._bar is not None
        self._bar.set_postfix(shown, refresh=False)
        if self._writer is not None:
            moment, before = self._started
            seconds = time.monotonic() - moment
            self._writer.add_scalar("mean_return", mean_return, timesteps)
            self._writer.add_scalar("steps_per_second", (timesteps - before) / seconds, timesteps)
            if share is not None:
                self._writer.add_scalar("share_of_ceiling", share, timesteps)


def _tensorboard_writer(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ValueError(
            "--tensorboard needs TensorBoard: pip install 'fitgym[tensorboard]'"
        ) from None
    return SummaryWriter(folder)
