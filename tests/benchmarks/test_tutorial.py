"""The tutorial on agents of one's own does what it says, from first block to last."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

from fitgym.cli.main import main
from fitgym_agents.files import load_agent
from fitgym_agents.registry import find_agent
from fitgym_benchmarks.cli import benchmark as benchmarks_cli
from fitgym_benchmarks.suites.quick import quick_runs

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "custom-agents.md"

# What keeps the commands short; the last of two equal options counts.
SMALLER = {
    "train": ["--steps", "3000", "--episodes", "4"],
    "evaluate": ["--episodes", "4"],
    "watch": [],
    "list": [],
    "benchmark": ["--steps", "50", "--out", "quick"],
}


def blocks(language: str) -> list[str]:
    text = TUTORIAL.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.S | re.M)


def install(words: list[str]) -> None:
    """Install into a folder of the test's own, without a network."""
    offline = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet", "--target=installed"]
    subprocess.run([sys.executable, "-m", "pip", *words, *offline], check=True)


def test_every_block_runs_and_all_agents_land_in_the_table(
    tmp_path, monkeypatch, log, capsys
) -> None:
    (tmp_path / "my_agents.py").write_text("".join(blocks("python")), encoding="utf-8")
    (project,) = blocks("toml")
    (tmp_path / "pyproject.toml").write_text(project, encoding="utf-8")
    offered = tomllib.loads(project)["project"]["entry-points"]["fitgym.agents"]
    for example in ("linucb.py", "thompson.py"):
        shutil.copy(ROOT / "examples" / example, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path / "installed"))
    monkeypatch.setattr(benchmarks_cli, "quick_runs", partial(quick_runs, episodes=4))
    monkeypatch.setattr(benchmarks_cli, "first_tables", lambda environment: environment)
    monkeypatch.setattr(benchmarks_cli, "calibrate_log", lambda: log)

    commands = [shlex.split(line) for block in blocks("sh") for line in block.splitlines()]
    outputs = []
    for program, *words in commands:
        if program == "pip":
            install(words)
            continue
        assert program == "fitgym"
        assert main([*words, *SMALLER[words[0]]]) == 0
        outputs.append(capsys.readouterr().out)

    (listed,) = [text for text in outputs if "from installed packages" in text]
    for name, path in offered.items():
        assert name in listed
        assert find_agent(name) is find_agent(path)
    trained = load_agent("results/agents/LearntRest-Acquisition-v1-seed0")
    assert trained.name == "learnt rest"
    assert trained.configuration() != find_agent("my_agents:LearntRest")().configuration()
    assert Path("season.png").stat().st_size > 0
    (rows,) = [
        environment["rows"]
        for environment in json.loads(Path("quick/results.json").read_text())[
            "environments"
        ].values()
    ]
    kinds = {row["agent"]: row["kind"] for row in rows}
    assert kinds["rest when tired"] == "reference"
    assert kinds["learnt rest"] == "learnt"
    assert kinds["LinUCB"] == kinds["Thompson sampling"] == kinds["PPO"] == "learnt"
    for name in ("rest when tired", "learnt rest", "LinUCB", "Thompson sampling"):
        assert re.search(rf"^{name} ", outputs[-1], flags=re.M)
        assert name in Path("quick/report.html").read_text(encoding="utf-8")
