"""``fitgym solve``: what the best possible service earns, and what it does."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from fitgym.cli.arguments import output_folder
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.common.validation import require_count, require_seed

if TYPE_CHECKING:
    from fitgym.planning.score_references import SimulatedScores


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Solve an environment under FitRec adherence by dynamic programming, knowing the "
        "motivation; simulate its policy, the one that only believes in a motivation, and "
        "simple ones in the same episodes; write solution.json, policy.png and season.png."
    )
    parser.formatter_class = DefaultsHelpFormatter
    parser.add_argument("env_id", metavar="ENV_ID", help="for example fitgym/Acquisition-v1")
    parser.add_argument(
        "--individual",
        default=None,
        metavar="NAME|FILE.json",
        help="a shipped individual or a file (default: the environment's)",
    )
    parser.add_argument(
        "--episodes", type=int, default=1000, metavar="N", help="episodes simulated"
    )
    parser.add_argument("--seed", type=int, default=1_000_000, help="of the first episode")
    parser.add_argument(
        "--refine", type=float, default=1.0, metavar="FACTOR", help="grid points along each axis"
    )
    parser.add_argument(
        "--out",
        type=output_folder,
        default="results/solution",
        metavar="FOLDER",
        help="folder of the files",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Solve, simulate, print, and write the files."""
    import gymnasium as gym

    from fitgym.common.figures import save_figure
    from fitgym.common.files import write_text
    from fitgym.envs.scalar import FitnessFatigueEnv
    from fitgym.planning.dynamic_programming import solve
    from fitgym.planning.figures import policy_figure, season_figure
    from fitgym.planning.grid import GridSize
    from fitgym.planning.score_references import reference_scores

    require_count("--episodes", options.episodes, 2)
    require_seed("--seed", options.seed)
    size = GridSize().refined(options.refine)
    kwargs = {} if options.individual is None else {"individual": options.individual}
    try:
        environment = gym.make(options.env_id, disable_env_checker=True, **kwargs).unwrapped
    except gym.error.Error as error:
        raise ValueError(f"ENV_ID must be a registered environment: {error}") from None
    if not isinstance(environment, FitnessFatigueEnv):
        raise TypeError(f"ENV_ID must name an environment of fitgym, got {options.env_id!r}")

    progress = sys.stderr.isatty()
    program = solve(environment, size, progress=progress)
    scores = reference_scores(
        environment, program, episodes=options.episodes, seed=options.seed, progress=progress
    )
    content = {"env_id": options.env_id, **scores.to_dict()}
    written = [options.out / name for name in ("solution.json", "policy.png", "season.png")]
    write_text(written[0], json.dumps(content, indent=2) + "\n")
    save_figure(policy_figure(program, scores.seasons), written[1])
    save_figure(season_figure(program, scores.seasons), written[2])
    if options.json:
        print(json.dumps(content, indent=2))
        return
    print(f"{options.env_id}, {environment.individual.name}, {options.episodes} episodes")
    print(_table(scores))
    print("wrote " + ", ".join(str(path) for path in written))


def _table(scores: SimulatedScores) -> str:
    lines = [
        f"value of the dynamic program: {scores.value:.1f} (what its own tables promise; what it "
        "earns is simulated below)",
        "",
    ]
    width = 2 + max(map(len, scores.scores))
    titles = f"{'return':>8}  {'95 % interval':<16}{'% of the way to DP':>18}"
    lines.append(f"{'policy':<{width}}{titles}")
    for name, score in scores.scores.items():
        interval = f"{score.low:.1f}..{score.high:.1f}"
        share = f"{100 * score.share:.1f}"
        lines.append(f"{name:<{width}}{score.mean:>8.1f}  {interval:<16}{share:>18}")
    lines.append("")
    for name, difference in scores.differences.items():
        interval = f"{difference.low:+.1f}..{difference.high:+.1f}"
        lines.append(f"{name}: {difference.mean:+.1f} ({interval}), paired")
    lines.append(f"days beyond the grid: {100 * scores.outside:.2f} %")
    return "\n".join(lines)
