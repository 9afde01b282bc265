"""``fitgym list``: what can be named: agents, trained ones and configurations."""

from __future__ import annotations

import argparse
import inspect

from fitgym_agents.agent import BUILT_IN, find_agent, plugins
from fitgym_agents.configuration_files import shipped_configurations
from fitgym_agents.pretrained import pretrained_agents, provenance_of

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Show every agent that is built in or that an installed package offers in "
        "the entry-point group fitgym.agents, and every configuration that ships."
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print agents and configurations."""
    learners: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    for name in BUILT_IN:
        agent_class = find_agent(name)
        what = (inspect.getdoc(agent_class) or "").partition("\n")[0].replace("``", "")
        (learners if agent_class.learns() else others).append((name, what))
    _print("agents that learn", learners)
    _print("agents that do not", others)
    _print("from installed packages", list(plugins().items()))
    print("trained agents that ship, with their mean return")
    for agent, env_id in pretrained_agents():
        earned = provenance_of(agent, env_id).mean_return.mean
        print(f"  {f'pretrained:{agent}':<20} {env_id:<32} {earned:>11,.1f}")
    print()
    print("configurations, as environment steps and changed settings")
    for agent, sections in shipped_configurations().items():
        for env_id, section in sections.items():
            changes = ", ".join(f"{key}={value}" for key, value in section.configuration.items())
            steps = "" if section.total_timesteps is None else f"{section.total_timesteps:,}"
            print(f"  {agent:<20} {env_id:<32} {steps:>11}  {changes or 'defaults'}")


def _print(title: str, rows: list[tuple[str, str]]) -> None:
    if rows:
        print(title)
        for name, what in rows:
            print(f"  {name:<20} {what}")
        print()
