"""``fitgym record``: record an expert's episodes in a file, for imitation learning."""

from __future__ import annotations

import argparse

from fitgym.cli.arguments import output_file
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.common.validation import require_count, require_seed
from fitgym_agents.cli.options import (
    AGENT_HELP,
    add_environment,
    check_environment,
    environment_kwargs,
    named_agent,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Let an expert act in episodes that serve neither evaluation nor training, and write "
        "the observations and the expert's actions to a safetensors file."
    )
    parser.formatter_class = DefaultsHelpFormatter
    add_environment(parser)
    parser.add_argument(
        "--agent",
        metavar="AGENT_OR_FOLDER",
        help=f"the expert: {AGENT_HELP} (default: dynamic-programming, or foresight under replay "
        "adherence)",
    )
    parser.add_argument("--episodes", type=int, default=100, metavar="N", help="how many")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the first episode, counted in a range of its own"
    )
    parser.add_argument(
        "--out",
        type=output_file,
        default="results/demonstrations.safetensors",
        metavar="FILE",
        help="file of the episodes",
    )
    parser.add_argument(
        "--minari",
        metavar="NAME",
        help="write a Minari dataset of this name in Minari's folder in place of --out, with "
        "rewards, from --seed itself",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Record, write the file, and print what is in it."""
    from fitgym_agents.deep.gail.demonstrations import expert_for, record

    require_count("--episodes", options.episodes)
    require_seed("--seed", options.seed)
    env_kwargs = environment_kwargs(options, "train")
    check_environment(options.env_id, env_kwargs)
    if options.agent is None:
        expert = expert_for(options.env_id, env_kwargs)
    else:
        expert = named_agent(options.agent, options.env_id, env_kwargs)
    if options.minari is not None:
        from fitgym_agents.minari_export import export_minari

        dataset = export_minari(
            expert,
            options.env_id,
            options.minari,
            env_kwargs=env_kwargs,
            episodes=options.episodes,
            seed=options.seed,
        )
        print(f"wrote {options.minari}: {dataset.total_episodes} episodes of {expert.name}")
        return
    demonstrations = record(
        expert,
        options.env_id,
        env_kwargs=env_kwargs,
        episodes=options.episodes,
        seed=options.seed,
    )
    demonstrations.save(options.out)
    print(
        f"{demonstrations.agent} in {demonstrations.env_id}: {demonstrations.episodes} episodes, "
        f"mean return {demonstrations.returns.mean():.1f}"
    )
    print(f"wrote {options.out}")
