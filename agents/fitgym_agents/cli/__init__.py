"""Sub-commands of ``fitgym`` that train, evaluate, list, watch and record agents."""

from fitgym.cli.command import Command

COMMANDS = {
    "train": Command(
        "train an agent, save it and evaluate it", "fitgym_agents.cli.train", "agents"
    ),
    "evaluate": Command(
        "let agents act in the same episodes and compare them",
        "fitgym_agents.cli.evaluate",
        "agents",
    ),
    "list": Command("show the agents and their configurations", "fitgym_agents.cli.list", "agents"),
    "watch": Command(
        "replay one episode of an agent as text, picture or video",
        "fitgym_agents.cli.watch",
        "agents",
    ),
    "trial": Command(
        "simulate a trial, analyse it and show the true effect", "fitgym_agents.cli.trial", "agents"
    ),
    "season": Command(
        "write a page on which anyone watches and plays a season",
        "fitgym_agents.cli.season",
        "agents",
    ),
    "record": Command(
        "record an expert's episodes for imitation", "fitgym_agents.cli.record", "agents"
    ),
}
