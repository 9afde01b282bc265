"""Options of the commands that name an environment and an agent."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym

from fitgym.people.individual import load_individual
from fitgym_agents.agent import CARD, Agent
from fitgym_agents.configuration_files import named_values, split_agent
from fitgym_agents.environments import EnvironmentFactory, log_part
from fitgym_agents.files import load_agent
from fitgym_agents.pretrained import load_pretrained
from fitgym_agents.registry import BUILT_IN, find_agent

_PRETRAINED = "pretrained:"

AGENT_HELP = (
    "folder of a saved agent, pretrained:NAME for one that ships, a name that `list` shows, or "
    "package.module:Class; the last two may be followed by arguments, as in fixed,plan=7"
)

_UNKNOWN_ENVIRONMENT = "ENV_ID must be a registered environment, as fitgym/Acquisition-v1: {}"


def add_environment(parser: argparse.ArgumentParser) -> None:
    """Add the options that name an environment."""
    parser.add_argument("env_id", metavar="ENV_ID", help="for example fitgym/Acquisition-v1")
    parser.add_argument(
        "--individual",
        metavar="NAME|FILE.json",
        help="a shipped individual, a file, or population (default: the environment's)",
    )
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a further argument of the environment, as observation=full; may be repeated",
    )


def environment_kwargs(options: argparse.Namespace, part: str) -> dict[str, Any]:
    """Return the arguments of the environment that the options name, JSON-able.

    Args:
        options: Parsed options of ``add_environment``.
        part: Part of the log that replay is restricted to unless the options say otherwise.

    Raises:
        ValueError: If an option is malformed or the environment unknown.
    """
    given = named_values("--env", options.env)
    if options.individual is not None:
        individual: Any = options.individual
        if individual.endswith(".json"):
            # Written out, so that a saved agent needs no file.
            individual = load_individual(individual).to_dict()
        given["individual"] = individual
    try:
        return {**log_part(options.env_id, part), **given}
    except (gym.error.Error, ImportError) as error:
        raise ValueError(
            f"ENV_ID must be a registered environment, as fitgym/Acquisition-v1: {error}"
        ) from None


def check_environment(env_id: str, env_kwargs: Mapping[str, Any]) -> None:
    """Make the environment once, so that errors in its arguments come before anything starts.

    Raises:
        ValueError: If there is no such environment, or an argument is wrong, or plans are
            continuous, which no agent here can choose.
        TypeError: If an argument is unknown or has the wrong type.
    """
    try:
        environment = EnvironmentFactory(env_id, env_kwargs)()
    except gym.error.Error as error:
        raise ValueError(
            f"ENV_ID must be a registered environment, as fitgym/Acquisition-v1: {error}"
        ) from None
    environment.close()
    if not isinstance(environment.action_space, gym.spaces.Discrete):
        raise ValueError(
            "agents choose among numbered plans: ENV_ID must name an environment without "
            f"continuous ones, got {env_id!r}"
        )


def named_agent(text: str, env_id: str, env_kwargs: Mapping[str, Any]) -> Agent:
    """Return a saved agent, or a new one.

    Args:
        text: As ``AGENT_HELP`` says.
        env_id: Registered id, for a new one.
        env_kwargs: Arguments of the environment, for a new one.

    Raises:
        ValueError: If there is no such agent, or an argument is wrong.
        TypeError: If it is no agent, or an argument has the wrong type.
    """
    if text.startswith(_PRETRAINED):
        return load_pretrained(text.removeprefix(_PRETRAINED), env_id)
    # Pathlib takes the empty text as the working directory.
    if text and (Path(text) / CARD).exists():
        if text in BUILT_IN:
            print(f"note: {text} is the agent saved in the folder {text} here", file=sys.stderr)
        return load_agent(text)
    if text and Path(text).is_dir() and text not in BUILT_IN:
        raise ValueError(f"{text} holds no saved agent: there is no {CARD}")
    name, configuration = split_agent(text)
    agent_class = find_agent(name)
    if agent_class.learns():
        print(
            f"note: {name} is new and has learnt nothing; name the folder of a trained one, or "
            "pretrained:NAME",
            file=sys.stderr,
        )
    return agent_class.create(env_id, env_kwargs=env_kwargs, configuration=configuration)
