"""``python -m agents record``: an expert's seasons in a file, for those that learn to imitate."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add the command to the program's subparsers."""
    parser = commands.add_parser(
        "record",
        help="record an expert's seasons for imitation",
        description=(
            "Let an expert act in seasons that are neither evaluated on nor learnt in, and write "
            "what a learner would have seen and what the expert did to a safetensors file."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("env_id", metavar="ENV_ID", help="for example fitgym/Acquisition-v0")
    parser.add_argument(
        "--individual",
        default=None,
        metavar="NAME|FILE.json",
        help="a shipped individual or a file (default: the environment's)",
    )
    parser.add_argument(
        "--agent",
        default=None,
        metavar="NAME|PATH:CLASS|FOLDER",
        help="the expert, by name or where it was saved (default: dynamic-programming, or "
        "foresight under replay adherence)",
    )
    parser.add_argument("--episodes", type=int, default=100, metavar="N", help="seasons")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the first season, counted in their own range"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("results/demonstrations.safetensors"), metavar="FILE"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Record, write the file, and print what is in it."""
    import gymnasium as gym

    from agents.agent import find_agent, load_agent
    from agents.demonstrations import expert_for, record

    kwargs = {} if options.individual is None else {"individual": options.individual}
    try:
        if options.agent is None:
            expert = expert_for(options.env_id, kwargs)
        elif Path(options.agent).is_dir():
            expert = load_agent(options.agent)
        else:
            expert = find_agent(options.agent).create(options.env_id, env_kwargs=kwargs)
        demonstrations = record(
            expert,
            options.env_id,
            env_kwargs=kwargs,
            episodes=options.episodes,
            seed=options.seed,
        )
    except gym.error.Error as error:
        raise ValueError(f"ENV_ID must be a registered environment: {error}") from None
    demonstrations.save(options.out)
    print(
        f"{demonstrations.agent} in {demonstrations.env_id}: {demonstrations.episodes} seasons, "
        f"mean return {demonstrations.returns.mean():.1f}"
    )
    print(f"wrote {options.out}")
