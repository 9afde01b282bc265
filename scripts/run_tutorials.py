"""Run the tutorials and the landing page, and write into them what their blocks print.

Run from the root of the repository: ``python scripts/run_tutorials.py``. The blocks of a page run
in one namespace, from first to last, in an empty folder. A Python block with a title is a file of
the reader's own, written there; a block of text entitled "Output" is what the block before it
prints. Where its title says that the reader's will differ, since training differs between machines,
it is written here and compared by no test.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fitgym.common.files import write_text

DOCS = Path(__file__).parent.parent / "docs"
PAGES = (DOCS / "index.md", DOCS / "faq.md", *sorted((DOCS / "tutorials").glob("*.md")))

_BLOCK = re.compile(
    r'^```python(?: title="(?P<file>[\w.]+)")?\n(?P<code>.*?)^```$'
    r'(?:\n\n^```text title="(?P<title>Output[^"]*)"\n(?P<output>.*?)^```$)?',
    flags=re.S | re.M,
)


def blocks(text: str) -> list[re.Match[str]]:
    """Return the Python blocks of a page, each with the output that stands after it."""
    return list(_BLOCK.finditer(text))


def outputs(text: str) -> list[str]:
    """Return what each Python block of a page prints, all of them run in order.

    Raises:
        Exception: Whatever a block raises.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    printed = []
    with _empty_folder():
        for number, block in enumerate(blocks(text)):
            with contextlib.redirect_stdout(io.StringIO()) as stream:
                if block["file"]:
                    Path(block["file"]).write_text(block["code"], encoding="utf-8")
                    # Somebody else's module of this name may have been imported before.
                    sys.modules.pop(Path(block["file"]).stem, None)
                    importlib.invalidate_caches()
                else:
                    exec(compile(block["code"], f"block {number}", "exec"), namespace)
            printed.append(stream.getvalue())
    return printed


def filled(text: str) -> str:
    """Return a page with the outputs that its blocks print now."""
    parts, end = [], 0
    for block, printed in zip(blocks(text), outputs(text), strict=True):
        if block["title"] is None:
            continue
        parts += [text[end : block.start("output")], printed]
        end = block.end("output")
    return "".join([*parts, text[end:]])


@contextlib.contextmanager
def _empty_folder() -> Iterator[None]:
    """Work in an empty folder whose modules can be imported, and forget them afterwards."""
    before, modules = Path.cwd(), set(sys.modules)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        sys.path.insert(0, folder)
        try:
            yield
        finally:
            sys.path.remove(folder)
            os.chdir(before)
            for name in set(sys.modules) - modules:
                if getattr(sys.modules[name], "__file__", None) and str(
                    sys.modules[name].__file__
                ).startswith(folder):
                    del sys.modules[name]


def main() -> None:
    """Fill in the outputs of every page."""
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        new = filled(text)
        if new != text:
            write_text(path, new)
        print(f"{path}: {'as it was' if new == text else 'written'}")


if __name__ == "__main__":
    main()
