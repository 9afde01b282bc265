"""Imports point one way, as docs/architecture.md says.

Every import statement counts, those inside functions and those for type checking as well.
"""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = [
    ROOT / "fitgym",
    ROOT / "agents" / "fitgym_agents",
    ROOT / "benchmarks/fitgym_benchmarks",
]

# Each may import those before it.
PACKAGES = [folder.name for folder in SOURCES]
LAYERS = [
    "common",
    "model",
    "people",
    "logs",
    "calibration",
    "predictor",
    "adherence",
    "envs",
    "planning",
    "virtual",
    "profile",
    "coach",
    "recommend",
    "cli",
]

MODULES = {
    ".".join(path.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in SOURCES
    for path in folder.rglob("*.py")
}


def imported(source: str) -> set[str]:
    """Return what a source imports: modules of ours in full, others' by their first name."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert node.level == 0, "relative imports are not used here"
            attributes = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else node.module for name in attributes}
    return {name if name in MODULES else name.partition(".")[0] for name in names}


IMPORTS = {name: imported(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def package(module: str) -> str:
    return module.partition(".")[0]


def layer(module: str) -> str | None:
    """Return the folder of ``fitgym`` that a module is in; None if it is in none of them."""
    first, *rest = module.split(".")
    return rest[0] if first == "fitgym" and rest and rest[0] in LAYERS else None


def importers(name: str) -> set[str]:
    return {module for module, names in IMPORTS.items() if name in names}


def test_every_folder_has_its_layer() -> None:
    folders = {path.name for path in SOURCES[0].iterdir() if (path / "__init__.py").exists()}
    assert folders <= set(LAYERS)


def test_packages_import_only_those_below_them() -> None:
    upward = {
        (module, name)
        for module, names in IMPORTS.items()
        for name in names
        if package(name) in PACKAGES
        and PACKAGES.index(package(name)) > PACKAGES.index(package(module))
    }
    assert upward == set()


def test_layers_import_only_those_below_them() -> None:
    upward = {
        (module, name)
        for module, names in IMPORTS.items()
        for name in names
        if (above := layer(name)) is not None
        and (below := layer(module)) is not None
        and LAYERS.index(above) > LAYERS.index(below)
    }
    assert upward == set()


def test_no_imports_run_in_a_circle() -> None:
    TopologicalSorter({name: names - {name} for name, names in IMPORTS.items()}).prepare()


def test_nothing_below_the_environments_knows_gymnasium() -> None:
    below = set(LAYERS[: LAYERS.index("envs")])
    assert importers("gymnasium")
    assert {module for module in importers("gymnasium") if layer(module) in below} == set()


def test_torch_stays_in_the_predictor_and_above_the_package() -> None:
    assert importers("torch")
    ours = {module for module in importers("torch") if package(module) == "fitgym"}
    assert {layer(module) for module in ours} == {"predictor"}


def test_the_document_tells_the_same_order() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^## The layers of fitgym\n(.*?)(?=^## )", text, flags=re.S | re.M)
    told = re.findall(r"^\| `(\w+)/` \|", table, flags=re.M)
    assert told == [name for name in LAYERS if (SOURCES[0] / name).exists()]
