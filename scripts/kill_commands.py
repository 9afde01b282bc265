"""Kill commands that write files at random moments, and look at what is left.

    python scripts/kill_commands.py --kills 5 [NAME ...]

Each command runs once undisturbed. Then, again and again in a new folder, it is started and gets
KILL, TERM or INT at a moment drawn from how long it took. Every file that lies there must be whole:
it parses by its kind. The same command is then started once more and must end well, with every file
of the undisturbed run; where the command promises it, with the same bytes. What killed processes
leave beside has names that later commands know and remove. Prints a Markdown row per command, and
ends with status 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from pyarrow import parquet
from safetensors.numpy import load_file

from fitgym.common.files import MARK
from fitgym.common.tables import markdown_table

LOG = Path(__file__).parents[1] / "tests" / "logs" / "cases" / "a01_runs_only.csv"
ENV = "fitgym/Acquisition-v1"
PROFILE = f"profile {LOG} --today 2023-08-28 --out me.json"
SIMULATE = "predictor simulate --people 8 --workouts 7 --seed 1 --output recordings"
# Files that every command finds in its folder.
FOUND = {
    "recipe.json": json.dumps(
        {
            "people": {"people": 4, "workouts": 2, "longest_steps": 40},
            "pretraining": {"epochs": 4},
            "fine_tuning": {"epochs": 4},
            "rehearsal": 2,
        }
    ),
    "plans.csv": "workout,sport,minutes,speed_km_h\neasy,run,30,8\nhard,run,30,13\n",
}
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
# Written while a command runs, and whole at its end alone; or of no interest.
_PASSED_OVER = (".lock", ".sqlite-wal", ".sqlite-shm")


@dataclass(frozen=True)
class Case:
    """A command to kill.

    Attributes:
        name: What the table calls it.
        words: Arguments of ``fitgym``.
        same: Whether a repeated command leaves the same bytes as an undisturbed one; else clocks
            or training are in its files.
        given: Arguments of a command that runs before, undisturbed: it makes what this one reads.
    """

    name: str
    words: tuple[str, ...]
    same: bool = True
    given: tuple[str, ...] = ()


def case(name: str, words: str, *, same: bool = True, given: str = "") -> Case:
    """Return a case from lines."""
    return Case(name, tuple(words.split()), same, tuple(given.split()))


CASES = (
    case("calibrate", "calibrate --bootstrap 10 --starts 2 --out out"),
    case("profile", f"profile {LOG} --today 2023-08-28 --out out/me.json --page out/me.html"),
    case(
        "coach",
        "coach me.json --today 2023-08-29 --page out/today.html --calendar out/weeks.ics "
        "--workout out/today.fit",
        same=False,  # A second answer on the same day has nothing new to count.
        given=PROFILE,
    ),
    case("simulate-athlete", "simulate-athlete --out out --days 20 --start 2026-01-01"),
    case("solve", f"solve {ENV} --refine 0.25 --episodes 20 --out out"),
    case("record", f"record {ENV} --agent coach --episodes 20 --out out/expert.safetensors"),
    case("season", "season --out out/season.html"),
    case(
        "recommend",
        "recommend --person club-runner --target 120..150 --workouts plans.csv "
        "--page out/page.html",
    ),
    case("predictor simulate", SIMULATE),
    case(
        "predictor train",
        "predictor train --recordings recordings --recipe recipe.json --output out",
        given=SIMULATE,
    ),
    case(
        "predictor evaluate",
        "predictor evaluate --recordings recordings --recipe recipe.json --retrain --seeds 1 "
        "--output out",
        given=SIMULATE,
    ),
    case(
        "predictor predict",
        "predictor predict --recordings recordings --output out/predictions.csv",
        given=SIMULATE,
    ),
    case(
        "predictor ablation",
        "predictor ablation --people 4 --exchanged 1 --output out",
    ),
    case("trial mrt", f"trial mrt {ENV} --people 20 --days 10 --out out"),
    case("trial rct", f"trial rct {ENV} --people 20 --days 10 --out out"),
    case("trial ope", f"trial ope {ENV} --people 40 --days 5 --out out"),
    case("watch", f"watch coach {ENV} --as png --out out/episode.png"),
    case("train a3c", f"train a3c {ENV} --steps 60000 --episodes 5 --out out", same=False),
    case("train ppo", f"train ppo {ENV} --steps 8192 --episodes 5 --out out", same=False),
    case(
        "benchmark quick",
        "benchmark quick --steps 1024 --environment fitgym/Acquisition-v1 --workers 2 --out out",
        same=False,
    ),
    case(
        "benchmark online",
        "benchmark online --people 6 --days 10 --references 1 --agent random --agent pooled "
        "--out out",
        same=False,
    ),
    case(
        "benchmark search",
        f"benchmark search a2c --environment {ENV} --steps 1024 --trials 2 --out out",
        same=False,
    ),
    case(
        "benchmark algorithms",
        f"benchmark algorithms --environment {ENV} --steps 1024 --seeds 1 --episodes 5 "
        "--row A2C --row PPO --out out",
        same=False,
    ),
    case(
        "benchmark people",
        f"benchmark people --agent coach --environment {ENV} --everybody 20 --out out",
        same=False,
    ),
    case("benchmark paper", "benchmark paper --budget quick --out out", same=False),
)


def start(words: tuple[str, ...], folder: Path) -> subprocess.Popen[bytes]:
    """Start a command in a folder, in a group of processes of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "fitgym", *words],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def run(words: tuple[str, ...], folder: Path) -> float:
    """Run a command to its end and return the seconds it took.

    Raises:
        RuntimeError: If it fails.
    """
    began = time.monotonic()
    process = start(words, folder)
    _, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f"fitgym {' '.join(words)} ended with {process.returncode}:\n{errors!r}")
    return time.monotonic() - began


def files_of(folder: Path) -> dict[str, Path]:
    """Return the finished files below a folder, by their relative names."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and MARK not in str(path) and not path.name.endswith(_PASSED_OVER)
    }


def check_whole(path: Path) -> None:
    """Read a file by its kind; raise whatever its reader raises if it is not whole."""
    if path.suffix in (".json", ".ipynb"):
        json.loads(path.read_text(encoding="utf-8"))
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            widths = {len(row) for row in csv.reader(file)}
        if len(widths) != 1:
            raise ValueError(f"rows of {widths} cells")
    elif path.suffix == ".gz":
        # The checksum at the end is looked at, too.
        gzip.decompress(path.read_bytes())
    elif path.suffix == ".safetensors":
        load_file(path)
    elif path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            for name in arrays.files:
                arrays[name].tobytes()
    elif path.suffix == ".parquet":
        parquet.read_table(path)
    elif path.suffix in (".png", ".gif"):
        with Image.open(path) as image:
            image.load()
    elif path.suffix == ".sqlite":
        with sqlite3.connect(path) as database:
            (verdict,) = database.execute("PRAGMA integrity_check").fetchone()
        if verdict != "ok":
            raise ValueError(verdict)
    elif path.suffix == ".html":
        if not path.read_text(encoding="utf-8").rstrip().endswith("</html>"):
            raise ValueError("no end")
    elif path.suffix in (".gpx", ".tcx", ".md", ".fit", ".journal", ".ics"):
        if not path.stat().st_size:
            raise ValueError("empty")
    else:
        raise ValueError(f"nobody knows how to read {path.name}")


def copied(given: Path, name: str) -> Path:
    """Return a folder with all that a command is given."""
    return Path(shutil.copytree(given, name, dirs_exist_ok=True))


def kill_all(one: Case, kills: int, chance: random.Random) -> tuple[float, int, list[str]]:
    """Kill a command some times; return its seconds, its files and what each kill did wrong."""
    with tempfile.TemporaryDirectory() as name:
        given = Path(name)
        for label, text in FOUND.items():
            (given / label).write_text(text, encoding="utf-8")
        if one.given:
            run(one.given, given)
        with tempfile.TemporaryDirectory() as other:
            folder = copied(given, other)
            run(one.words, folder)
            whole = {label: path.read_bytes() for label, path in files_of(folder).items()}
            for path in files_of(folder).values():
                check_whole(path)
        with tempfile.TemporaryDirectory() as other:
            # A second time, when nothing is compiled or cached any more.
            seconds = run(one.words, copied(given, other))
        faults = [kill_once(one, given, seconds, whole, chance) for _ in range(kills)]
        return seconds, len(whole) - len(files_of(given)), faults


def kill_once(
    one: Case, given: Path, seconds: float, whole: dict[str, bytes], chance: random.Random
) -> str:
    """Kill a command once and start it again; return what was wrong, or nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = copied(given, name)
        process = start(one.words, folder)
        time.sleep(chance.uniform(0.0, seconds))
        sent = chance.choice(SIGNALS)
        if process.poll() is None:
            if sent is signal.SIGKILL:
                # What a full machine does: workers go on until they notice.
                process.send_signal(sent)
            else:
                os.killpg(process.pid, sent)
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return f"{sent.name}: still alive after 60 s"
        # Workers of a killed driver end by themselves.
        time.sleep(1.0)
        for label, path in files_of(folder).items():
            try:
                check_whole(path)
            except Exception as error:
                return f"{sent.name}: {label} is not whole: {error!r}"
        old = time.time() - 7200.0
        for path in folder.rglob(f".*{MARK}*"):
            os.utime(path, (old, old))
        try:
            run(one.words, folder)
        except RuntimeError as error:
            return f"{sent.name}: started again: {error}"
        found = files_of(folder)
        # Weights of a training that was interrupted have another hash in their names.
        if one.same and set(found) != set(whole):
            return f"{sent.name}: other files: {sorted(set(found) ^ set(whole))}"
        if one.same:
            other = [label for label, path in found.items() if path.read_bytes() != whole[label]]
            if other:
                return f"{sent.name}: other bytes: {other}"
        left = [path.name for path in folder.rglob(f".*{MARK}*")]
        return f"{sent.name}: left behind: {left}" if left else ""


def main() -> int:
    """Kill the commands whose names contain one of the words given, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="words of the cases' names (default: all)")
    parser.add_argument("--kills", type=int, default=5, help="of each command")
    parser.add_argument("--seed", type=int, default=0, help="of moments and signals")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    rows, wrong = [], []
    for one in CASES:
        if options.names and not any(name in one.name for name in options.names):
            continue
        seconds, files, faults = kill_all(one, options.kills, chance)
        found = [f"{one.name}: {fault}" for fault in faults if fault]
        print("".join(f"{fault}\n" for fault in found), end="", flush=True)
        wrong += found
        sound = f"{sum(not fault for fault in faults)} of {len(faults)}"
        same = "the same bytes" if one.same else "whole files"
        rows.append((f"`fitgym {one.name}`", f"{seconds:.0f} s", f"{files}", sound, same))
        print(f"{one.name}: {sound} kills", flush=True)
    columns = ("command", "takes", "files", "sound kills", "a repeat leaves")
    print(markdown_table(columns, rows, left=1))
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
