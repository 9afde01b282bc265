"""``fitgym scores``: what every reference earns, for every id and shipped individual."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fitgym.cli.arguments import output_file
from fitgym.cli.help_format import DefaultsHelpFormatter
from fitgym.common.provenance import versions
from fitgym.common.tables import markdown_table
from fitgym.common.validation import require_count, require_seed

if TYPE_CHECKING:
    from fitgym.envs.scalar import FitnessFatigueEnv
    from fitgym.planning.grid import GridSize
    from fitgym.planning.scores import ReferenceScores, Score

# Between these lines a Markdown file holds the tables.
_BEGIN = "<!-- written by fitgym scores -->"
_END = "<!-- end of the scores -->"
# Noted of an entry; whether the model still gives its scores is found by simulating.
_MADE_WITH = ("fitgym", "numpy", "numba")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Solve every registered environment for every shipped individual, simulate the "
        "references, keep their scores in a JSON file, and print them as Markdown tables. "
        "Scores that are there already and up to date are not made again."
    )
    parser.formatter_class = DefaultsHelpFormatter
    parser.add_argument(
        "--episodes", type=int, default=1000, metavar="N", help="episodes simulated"
    )
    parser.add_argument("--seed", type=int, default=1_000_000, help="of the first episode")
    parser.add_argument(
        "--refine", type=float, default=1.0, metavar="FACTOR", help="grid points along each axis"
    )
    parser.add_argument(
        "--force", action="store_true", help="make all of them anew, solutions included"
    )
    parser.add_argument(
        "--out",
        type=output_file,
        metavar="FILE.json",
        help="file of the scores (default: that shipped)",
    )
    parser.add_argument(
        "--markdown",
        type=output_file,
        metavar="FILE.md",
        help=f"file to write the tables into, between the lines '{_BEGIN}' and '{_END}'",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Make what is missing, keep it, and print the tables."""
    from fitgym.common.files import write_text
    from fitgym.planning.grid import GridSize
    from fitgym.planning.scores import ReferenceScores, read_entries, scored_pairs, shipped_scores

    require_count("--episodes", options.episodes, 2)
    require_seed("--seed", options.seed)
    size = GridSize().refined(options.refine)
    path = options.out or shipped_scores()
    document = None if options.markdown is None else _parts(options.markdown)
    there = read_entries(path)
    pairs = scored_pairs()
    entries = {pair: there[pair] for pair in pairs if pair in there}
    made = set()
    for number, pair in enumerate(pairs, start=1):
        environment = _environment(*pair)
        settings = _settings(environment, size, options.episodes, options.seed)
        if (
            options.force
            or pair not in there
            or not _up_to_date(environment, there[pair], settings)
        ):
            print(f"{number}/{len(pairs)}: {pair[0]}, {pair[1]}", file=sys.stderr)
            entries[pair] = _entry(pair[0], environment, size, settings, cache=not options.force)
            made.add(pair)
            # Kept one by one, so that an interrupted run goes on where it was.
            kept = [entries[one] for one in pairs if one in entries]
            write_text(path, json.dumps({"entries": kept}, indent=1) + "\n")
    tables = scores_tables(
        {pair: ReferenceScores.from_dict(entries[pair]["scores"]) for pair in pairs}
    )
    print(tables)
    print(f"{path}: {len(made)} of {len(pairs)} made now, the others up to date", file=sys.stderr)
    if document is not None:
        write_text(options.markdown, f"{document[0]}{_BEGIN}\n\n{tables}\n\n{_END}{document[1]}")
        print(f"wrote the tables into {options.markdown}", file=sys.stderr)


def scores_tables(scores: dict[tuple[str, str], ReferenceScores]) -> str:
    """Return Markdown tables of scores by id and individual."""
    solved = {pair: one for pair, one in scores.items() if one.value is not None}
    replayed = {pair: one for pair, one in scores.items() if one.value is None}
    return "\n\n".join([_score_table(solved), _solution_table(solved), _score_table(replayed)])


def _score_table(scores: dict[tuple[str, str], ReferenceScores]) -> str:
    """Return the means of the references, each with its interval and share of the ceiling."""
    names = list(next(iter(scores.values())).references)
    rows = [["environment", "individual", *names]]
    for (env_id, individual), one in scores.items():
        cells = [
            f"plan {one.best_fixed}: {_cell(score)}" if name == "best fixed plan" else _cell(score)
            for name, score in one.references.items()
        ]
        rows.append([f"`{env_id}`", individual, *cells])
    return markdown_table(rows[0], rows[1:], left=2)


def _solution_table(scores: dict[tuple[str, str], ReferenceScores]) -> str:
    """Return what tells whether the dynamic programs are good ones."""
    names = [
        "dynamic programming less belief",
        "belief less dynamic programming that takes motivation as 0",
    ]
    rows = [
        ["environment", "individual", "value by its own tables", "days beyond the grid", *names]
    ]
    for (env_id, individual), one in scores.items():
        cells = [f"{one.value:.1f}", f"{100 * (one.outside or 0.0):.2f} %"]
        for name in names:
            score = one.differences[name]
            cells.append(f"{score.mean:+.1f} ± {score.half_width:.1f}")
        rows.append([f"`{env_id}`", individual, *cells])
    return markdown_table(rows[0], rows[1:], left=2)


def _cell(score: Score) -> str:
    share = "" if score.share in (0.0, 1.0) else f" ({100 * score.share:.0f} %)"
    return f"{score.mean:.1f} ± {score.half_width:.1f}{share}"


def _parts(path: Path) -> tuple[str, str]:
    """Return what stands in a Markdown file before and after its tables."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"--markdown must be a file of UTF-8 text: {path} ({error})") from None
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"--markdown must have the lines {_BEGIN!r} and {_END!r}: {path} has not")
    return before, after


def _environment(env_id: str, individual: str) -> FitnessFatigueEnv:
    import gymnasium as gym

    made: Any = gym.make(env_id, individual=individual, disable_env_checker=True)
    environment: FitnessFatigueEnv = made.unwrapped
    return environment


def _settings(
    environment: FitnessFatigueEnv, size: GridSize, episodes: int, seed: int
) -> dict[str, Any]:
    """Return what an entry is made of: another person, task or setting makes it anew."""
    from fitgym.adherence.fitrec import predictor_identity
    from fitgym.adherence.fitrec2 import Fitrec2Adherence, body_predictor_identity
    from fitgym.planning.dynamic_programming import FORMAT

    task, person = _differences(environment.task), _differences(environment.individual)
    adherence = environment.adherence
    if isinstance(adherence, Fitrec2Adherence):
        predictor = body_predictor_identity(adherence.predictor)
    else:
        predictor = predictor_identity(environment.task.predictor or "fitrec")
    facts = json.dumps([task, person, predictor])
    return {
        "solver_format": FORMAT,
        "grid": asdict(size),
        "episodes": episodes,
        "seed": seed,
        "task_and_person": hashlib.sha256(facts.encode()).hexdigest()[:24],
    }


def _up_to_date(
    environment: FitnessFatigueEnv, entry: dict[str, Any], settings: dict[str, Any]
) -> bool:
    """Return whether an entry was made of these settings by the model as it is now."""
    from fitgym.planning.score_references import is_reproduced
    from fitgym.planning.scores import ReferenceScores

    if entry["settings"] != settings:
        return False
    return is_reproduced(environment, ReferenceScores.from_dict(entry["scores"]))


def _differences(record: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that differ from their defaults, JSON-able.

    A field that is added with its default leaves them as they are. Whoever changes a default makes
    another environment or person, and gives it a version of its own.
    """
    different = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if value != field.default:
            different[field.name] = _differences(value) if is_dataclass(value) else value
    return different


def _entry(
    env_id: str,
    environment: FitnessFatigueEnv,
    size: GridSize,
    settings: dict[str, Any],
    *,
    cache: bool,
) -> dict[str, Any]:
    """Return the scores of one environment with how and when they were made."""
    from fitgym.planning.dynamic_programming import solve
    from fitgym.planning.score_references import reference_scores, replay_scores

    progress = sys.stderr.isatty()
    seasons = {"episodes": settings["episodes"], "seed": settings["seed"], "progress": progress}
    scores: ReferenceScores
    if environment.adherence.exogenous:
        scores = replay_scores(environment, **seasons)
    else:
        program = solve(environment, size, progress=progress, cache=cache)
        scores = reference_scores(environment, program, **seasons)
    return {
        "env_id": env_id,
        "settings": settings,
        **{name: number for name, number in versions().items() if name in _MADE_WITH},
        "date": datetime.now(UTC).date().isoformat(),
        "scores": scores.to_dict(),
    }
