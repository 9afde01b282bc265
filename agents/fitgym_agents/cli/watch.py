"""``fitgym watch``: show one episode of an agent as text, picture or video."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tqdm import tqdm

from fitgym.cli.arguments import output_file
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.common.files import write_text
from fitgym.common.validation import require_seed
from fitgym_agents.cli.options import (
    AGENT_HELP,
    add_environment,
    check_environment,
    environment_kwargs,
    named_agent,
)
from fitgym_agents.evaluation import EVALUATION_SEED
from fitgym_agents.watching import (
    VIDEO_SUFFIXES,
    play,
    require_video_writer,
    write_picture,
    write_video,
)

_SUFFIXES = {"text": (".txt",), "png": (".png",), "video": VIDEO_SUFFIXES}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Let an agent act in one episode, the one that `evaluate` has with the same seed, and "
        "show it: a line per step, a picture of the whole, or a video. An agent that draws its "
        "actions draws others here."
    )
    parser.formatter_class = DefaultsHelpFormatter
    parser.add_argument("agent", metavar="AGENT_OR_FOLDER", help=AGENT_HELP)
    add_environment(parser)
    parser.add_argument("--seed", type=int, default=EVALUATION_SEED, help="of the episode")
    parser.add_argument(
        "--as", dest="form", choices=tuple(_SUFFIXES), default="text", help="what to show it as"
    )
    parser.add_argument(
        "--out",
        type=output_file,
        metavar="FILE",
        help="a .txt, .png, .gif or .mp4 file (default: the terminal for text, else "
        "results/episode.png or results/episode.gif)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Play the episode and show it."""
    require_seed("--seed", options.seed)
    suffixes = _SUFFIXES[options.form]
    out = options.out
    if out is None and options.form != "text":
        out = Path(f"results/episode{suffixes[0]}")
    if out is not None and out.suffix.lower() not in suffixes:
        raise ValueError(
            f"--out must end in {' or '.join(suffixes)} with --as {options.form}, got {str(out)!r}"
        )
    if options.form == "video":
        require_video_writer(out)
    env_kwargs = environment_kwargs(options, "test")
    check_environment(options.env_id, env_kwargs)
    agent = named_agent(options.agent, options.env_id, env_kwargs)
    episode = play(
        agent,
        options.env_id,
        seed=options.seed,
        env_kwargs=env_kwargs,
        render_mode="ansi" if options.form == "text" else "rgb_array",
    )
    frames: list[Any] = []
    for step in tqdm(episode, desc="playing", unit="step", leave=False, disable=None):
        environment, total = step
        # Rendering takes longer than stepping, and only a video needs every step.
        if options.form == "video":
            frames.append(environment.render())
    if options.form == "video":
        write_video(frames, out)
    elif options.form == "png":
        write_picture(environment.render(), out)
    elif out is not None:
        write_text(out, environment.render())
    else:
        print(environment.render(), end="")
    wrote = "" if out is None else f"; wrote {out}"
    print(f"{agent.name} in {options.env_id}, seed {options.seed}: return {total:,.1f}{wrote}")
