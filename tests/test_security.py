"""What a file says is never executed: no load path unpickles, evaluates or unpacks blindly."""

from __future__ import annotations

import ast
import os
import pickle
import shutil
import zipfile
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pytest
import torch
from torch import nn

from fitgym.common.cache import read_arrays, write_arrays
from fitgym.logs import read
from fitgym.predictor.checkpoints import restore_checkpoint
from fitgym_agents.deep.gail.demonstrations import Demonstrations
from fitgym_agents.files import load_agent
from fitgym_agents.pretrained import pretrained_agents
from fitgym_benchmarks.report.report import page_templates
from fitgym_benchmarks.results import execute
from fitgym_benchmarks.runs import Run

ENV = "fitgym/Acquisition-v1"
ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path for folder in ("fitgym", "agents", "benchmarks") for path in (ROOT / folder).rglob("*.py")
)
# What executes, or may execute, what it reads.
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "code"}
CALLS = {"eval", "exec", "__import__", "os.system", "os.popen", "torch.load", "yaml.load"}
METHODS = {"extractall", "extract"}


class Bomb:
    """Leaves a file where it is unpickled."""

    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.flag),)


@pytest.fixture
def flag(tmp_path: Path) -> Path:
    return tmp_path / "executed"


@pytest.fixture
def bomb(flag: Path) -> bytes:
    content = pickle.dumps(Bomb(flag))
    # It does go off where somebody unpickles it.
    pickle.loads(content)
    flag.rmdir()
    return content


def test_no_module_calls_what_executes_what_it_reads() -> None:
    assert len(SOURCES) > 300
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if _may_execute(node)
    ]
    # PyYAML's safe loader, with stricter numbers and no aliases.
    (line,) = wrong
    assert line.endswith("yaml.load(text, _Loader)")
    (loader,) = (path for path in SOURCES if path.name == "configuration_files.py")
    assert "class _Loader(yaml.SafeLoader)" in loader.read_text(encoding="utf-8")


def _may_execute(node: ast.AST) -> bool:
    """Return whether an import or a call may execute what it reads."""
    if isinstance(node, ast.Import):
        return bool({name.name.partition(".")[0] for name in node.names} & MODULES)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").partition(".")[0] in MODULES
    if not isinstance(node, ast.Call):
        return False
    called = ast.unparse(node.func)
    named = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
    return (
        called in CALLS
        or called.rpartition(".")[2] in METHODS
        or named.get("allow_pickle", "False") != "False"
        or named.get("shell", "False") != "False"
    )


@pytest.mark.parametrize("name", ["a3c", "ppo"])
def test_weights_that_are_a_pickle_are_refused(name, bomb, flag, tmp_path) -> None:
    folder = tmp_path / "agent"
    shutil.copytree(pretrained_agents()[name, "fitgym/Acquisition-v1"], folder)
    (weights,) = folder.glob("*.safetensors")
    weights.write_bytes(bomb)
    with pytest.raises(ValueError, match=r"agent"):
        load_agent(folder)
    assert not flag.exists()


def test_other_files_that_are_a_pickle_are_refused(bomb, flag, tmp_path) -> None:
    path = tmp_path / "file.safetensors"
    path.write_bytes(bomb)
    with pytest.raises(ValueError, match=r"file\.safetensors"):
        Demonstrations.load(path)
    model = nn.Linear(1, 1)
    optimiser = torch.optim.SGD(model.parameters())
    with pytest.raises(ValueError, match=r"file\.safetensors"):
        restore_checkpoint(path, "run", model, optimiser)
    assert not flag.exists()


def test_arrays_of_objects_are_refused(flag, tmp_path) -> None:
    objects = np.array([Bomb(flag)], dtype=object)
    path = tmp_path / "table.npz"
    write_arrays(path, "key", {"numbers": np.zeros(3)})
    assert read_arrays(path, "key")["numbers"].tolist() == [0.0] * 3
    np.savez(path, allow_pickle=True, numbers=objects)
    with pytest.raises(ValueError, match=r"table\.npz"):
        read_arrays(path, "key")
    folder = tmp_path / "a-run"
    result = execute(Run(agent="coach", environment=ENV, episodes=2), folder, lambda _: None)
    assert result.evaluation.returns.shape == (2,)
    with np.load(folder / "evaluation.npz") as whole:
        arrays = {**whole, "actions": objects}
    np.savez(folder / "evaluation.npz", allow_pickle=True, **arrays)
    with pytest.raises(ValueError, match="a-run"):
        assert result.evaluation is None
    assert not flag.exists()


def test_an_archive_is_read_and_never_unpacked(tmp_path, monkeypatch) -> None:
    """Names that lead elsewhere, and links, change nothing outside and inside of the folder."""
    monkeypatch.chdir(tmp_path)
    log = "Date,Distance (km),Time\n" + "".join(
        f"2026-01-{day:02d},{5 + day % 3},00:{28 + day % 5}:00\n" for day in range(1, 15)
    )
    archive = tmp_path / "export.zip"
    link = zipfile.ZipInfo("link.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("../../runs.csv", log)
        content.writestr(link, "/etc/passwd")
    before = sorted(tmp_path.rglob("*"))
    history = read(archive)
    assert len(history.sessions) == 14
    assert "root:" not in repr(history)
    assert sorted(tmp_path.rglob("*")) == before
    assert not (tmp_path.parent.parent / "runs.csv").exists()


def test_pages_escape_what_they_show() -> None:
    templates = page_templates()
    source = "<p title='{{ name }}'>{{ name }}</p>"
    templates.loader = jinja2.DictLoader({"paper.html.j2": source})
    shown = templates.get_template("paper.html.j2").render(name="<img src=x onerror='alert(1)'>")
    assert "<img" not in shown
    assert "'alert" not in shown
    pages = [path for path in (ROOT / "benchmarks").rglob("*.j2") if ".html" in path.name]
    assert all(path.name.endswith(".html.j2") for path in pages)
    # Nothing is marked safe but drawings, which are made here.
    for path in pages:
        assert "|safe" not in path.read_text(encoding="utf-8").replace(" ", "")
