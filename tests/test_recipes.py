"""The programs of docs/recipes.md run, each where its library is installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "recipes.md"
RECIPES = re.findall(r"^## (.+?)\n.*?```python\n(.*?)```", PAGE.read_text("utf-8"), re.M | re.S)
OWN = {"fitgym"}


@pytest.mark.parametrize(("title", "program"), RECIPES, ids=[title for title, _ in RECIPES])
def test_a_recipe_runs(title: str, program: str, tmp_path: Path) -> None:
    imported = set(re.findall(r"^(?:import|from) (\w+)", program, re.M))
    missing = sorted(name for name in imported - OWN if find_spec(name) is None)
    if missing:
        pytest.skip(f"{title} needs {missing}")
    path = tmp_path / "recipe.py"
    path.write_text(program, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    answer = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, env=environment, timeout=300
    )
    assert answer.returncode == 0, answer.stderr
