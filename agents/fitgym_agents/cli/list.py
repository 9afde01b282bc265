"""``fitgym list``: what can be named: agents, trained ones and configurations."""

from __future__ import annotations

import argparse

from fitgym_agents.configuration_files import shipped_configurations
from fitgym_agents.pretrained import pretrained_agents, provenance_of
from fitgym_agents.registry import BUILT_IN, plugins


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Show every agent that is built in or that an installed package offers in "
        "the entry-point group fitgym.agents, and every configuration that ships."
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print agents and configurations, without importing an agent."""
    for title, learns in (("agents that learn", True), ("agents that do not", False)):
        chosen = {name: agent for name, agent in BUILT_IN.items() if agent.learns is learns}
        _print(title, [(name, agent.summary) for name, agent in chosen.items()])
    _print("from installed packages", list(plugins().items()))
    print("trained agents that ship, with their mean return (likeliest actions)")
    for agent, env_id in pretrained_agents():
        provenance = provenance_of(agent, env_id)
        earned = provenance.mean_return.mean
        people = provenance.evaluation_kwargs.get("individual")
        of_whom = f"  over people of {people}" if people else ""
        print(f"  {f'pretrained:{agent}':<35} {env_id:<24} {earned:>7,.1f}{of_whom}")
    print()
    print("configurations, as environment steps and changed settings")
    for name, sections in shipped_configurations().items():
        for env_id, section in sections.items():
            changes = ", ".join(f"{key}={value}" for key, value in section.configuration.items())
            steps = "" if section.total_timesteps is None else f"{section.total_timesteps:,}"
            print(f"  {name:<20} {env_id:<32} {steps:>11}  {changes or 'defaults'}")


def _print(title: str, rows: list[tuple[str, str]]) -> None:
    if rows:
        print(title)
        for name, what in rows:
            print(f"  {name:<20} {what}")
        print()
