"""The documentation site: made pages are up to date, blocks print what they say, and it builds."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import gymnasium as gym
import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


environment_pages = script("make_environment_pages")
tutorials = script("run_tutorials")


# ----- pages of environments


def test_pages_of_environments_are_what_the_script_makes() -> None:
    made = environment_pages.pages()
    there = {path.name: path.read_text("utf-8") for path in (DOCS / "environments").glob("*.md")}
    assert there == made, "run python scripts/make_environment_pages.py"


def test_every_registered_id_has_one_page() -> None:
    kinds = [kind for kind, _ in environment_pages._PAGES.values()]
    on_pages = [env_id for kind in kinds for env_id in environment_pages.env_ids(kind)]
    assert sorted(on_pages) == sorted(one for one in gym.registry if one.startswith("fitgym/"))


# ----- tutorials


@pytest.mark.parametrize("path", tutorials.PAGES, ids=lambda path: path.stem)
def test_blocks_run_in_order_and_print_what_stands_below_them(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = tutorials.blocks(text)
    # No block escapes for the way that its fence is written.
    assert len(found) == text.count("```python")
    assert sum(block["title"] is not None for block in found) == text.count("```text title=")
    for block, printed in zip(found, tutorials.outputs(text), strict=True):
        if block["title"] == "Output":
            assert printed == block["output"]
        else:
            assert bool(printed) == bool(block["output"])


@pytest.mark.parametrize("path", sorted((DOCS / "tutorials").glob("*-*.md")), ids=lambda p: p.stem)
def test_tutorials_print_results(path: Path) -> None:
    assert tutorials.blocks(path.read_text("utf-8"))[-1]["output"]


# ----- navigation and pictures


def nav_pages(entry: object) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    parts = entry.values() if isinstance(entry, dict) else entry
    return [page for part in parts for page in nav_pages(part)]


def test_every_page_has_one_place_in_the_navigation() -> None:
    configuration = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    placed = nav_pages(configuration["project"]["nav"])
    assert sorted(placed) == sorted(pages), "the navigation is in zensical.toml"


def test_pictures_exist_and_are_described() -> None:
    pictures = 0
    for path in DOCS.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        tags = re.findall(r"<(?:img|source) [^>]+>", text)
        for tag in tags:
            (name,) = re.findall(r'src(?:set)?="([^"]+)"', tag)
            assert (path.parent / name).stat().st_size < 500_000
            assert tag.startswith("<source") or re.search(r'alt="[^"]{20,}"', tag)
        pictures += len(tags)
    assert pictures >= 14


# ----- the built site


class Page(HTMLParser):
    """What a page leads to, what it loads, and the names in it that links lead to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.names |= {told[name] for name in ("id", "name") if name in told}
        if tag == "a" and "href" in told:
            self.links.append(told["href"])
        if tag == "link" and told.get("rel") not in ("prev", "next", "canonical"):
            self.loaded.append(told["href"])
        self.loaded += [told[name] for name in ("src", "srcset") if name in told]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_spec("zensical") is None or find_spec("mkdocstrings_handlers") is None:
        pytest.skip("needs the extra docs")
    folder = tmp_path_factory.mktemp("site")
    # Copies, for links are not followed, and a build in the checkout would be in the reader's way.
    for name in ("CHANGELOG.md", "zensical.toml"):
        shutil.copy(ROOT / name, folder)
    for name in ("agents", "benchmarks", "docs", "fitgym"):
        ignored = shutil.ignore_patterns("__pycache__", "data")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return folder / "site"


def test_links_and_anchors_of_the_site_lead_somewhere(site: Path) -> None:
    parsed = {path: Page(path.read_text("utf-8")) for path in site.rglob("*.html")}
    assert len(parsed) > len(list(DOCS.rglob("*.md")))
    broken = []
    for path, page in parsed.items():
        if path.name == "404.html":
            continue
        for link in [*page.links, *page.loaded]:
            if re.match(r"(https?|data|mailto):", link):
                continue
            file, _, anchor = link.partition("#")
            target = (path.parent / unquote(file)).resolve() if file else path
            target = target / "index.html" if target.is_dir() else target
            known = parsed.get(target)
            if not target.exists() or (anchor and known and unquote(anchor) not in known.names):
                broken.append((path.name, link))
    assert broken == []


def test_the_site_asks_no_other_host_for_anything(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert pages
    for path in pages:
        loaded = Page(path.read_text("utf-8")).loaded
        assert [one for one in loaded if re.match(r"(https?:)?//", one)] == [], path
    for path in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//", path.read_text("utf-8")), path


def test_the_reference_shows_docstrings(site: Path) -> None:
    pages = list((DOCS / "reference").glob("*.md"))
    assert len(pages) > 10
    for path in pages:
        text = path.read_text(encoding="utf-8")
        built = (site / "reference" / f"{path.stem}.html").read_text("utf-8")
        for name in re.findall(r"^::: (\S+)", text, flags=re.M):
            members = re.search(rf"^::: {re.escape(name)}\n((?: .*\n)*)", text, flags=re.M)
            assert members is not None
            shown = re.findall(r"^ {8}- (\w+)", members[1], flags=re.M)
            ids = [f"{name}.{member}" for member in shown]
            assert all(f'id="{one}"' in built for one in ids), ids
            assert re.search(rf'id="{re.escape(name)}\.\w', built), f"{name} shows nothing"
        assert not re.search(r'id="fitgym[\w.]*\._', built), "private names"
