"""Self-contained HTML pages: one file without requests, for light and dark, from 390 px on."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fitgym.common.figures import COLOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What the palette's colours become on a dark page: the same hues, lighter.
_DARK = {
    "blue": "#5AB4E8",
    "orange": "#F0B83A",
    "green": "#2EC49A",
    "red": "#F08A4B",
    "purple": "#E0A0C4",
    "sky": "#3E86B0",
    "grey": "#9BA1AA",
    "ink": "#E4E6EA",
}
_RULE = "#D8DBE0"
_FLUSH_LEFT = ' class="left"'

_STYLE = """
:root { color-scheme: light dark; --paper: #FFFFFF; --rule: #D8DBE0; --soft: #F4F5F7; %(light)s }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181C; --rule: #3A3E46; --soft: #20232A; %(dark)s }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 1120px; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; }
p, figcaption, li { max-width: 72ch; }
.table { margin: 0 0 1rem; overflow-x: auto; overflow-wrap: normal; }
table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.6rem; border-bottom: 1px solid var(--rule); text-align: right;
  vertical-align: top; }
td:not(.left) { white-space: nowrap; }
th { background: var(--soft); font-weight: 600; vertical-align: bottom; }
.left { text-align: left; min-width: 9rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%%, 21rem), 1fr));
  gap: 1rem; }
figure { margin: 0; min-width: 0; max-width: 36rem; }
figure svg { width: 100%%; height: auto; display: block; }
figcaption { font-size: 0.875rem; }
svg text { fill: var(--ink); }
"""


def text_page(title: str, body: Iterable[str]) -> str:
    """Return a page.

    Args:
        title: Its title, plain text.
        body: Pieces of HTML, from the functions below.
    """
    colours = {
        "light": " ".join(f"--{name}: {value};" for name, value in COLOURS.items()),
        "dark": " ".join(f"--{name}: {value};" for name, value in _DARK.items()),
    }
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            '<head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{_STYLE % colours}</style></head>",
            f"<body><main><h1>{html.escape(title)}</h1>",
            *body,
            "</main></body></html>",
            "",
        ]
    )


def heading(text: str) -> str:
    """Return a heading of the second level."""
    return f"<h2>{html.escape(text)}</h2>"


def paragraph(text: str) -> str:
    """Return a paragraph of plain text."""
    return f"<p>{html.escape(text)}</p>"


def bullets(items: Iterable[str]) -> str:
    """Return a list of plain texts."""
    return f"<ul>{''.join(f'<li>{html.escape(item)}</li>' for item in items)}</ul>"


def html_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """Return a table that scrolls by itself where it is wider than the page.

    Args:
        columns: Heads of the columns.
        rows: Cells of each row, as many as columns.
        left: How many columns are flush left.
    """

    def line(cells: Sequence[str], tag: str) -> str:
        if len(cells) != len(columns):
            raise ValueError(f"a row must have {len(columns)} cells, got {list(cells)!r}")
        return "".join(
            f"<{tag}{_FLUSH_LEFT if number < left else ''}>{html.escape(cell)}</{tag}>"
            for number, cell in enumerate(cells)
        )

    body = "\n".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return (
        f'<div class="table" tabindex="0"><table><thead><tr>{line(columns, "th")}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )


def figures(pieces: Iterable[str]) -> str:
    """Return figures side by side, where there is room."""
    return f'<div class="figures">{"".join(pieces)}</div>'


def inline_figure(figure: Figure, caption: str) -> str:
    """Return a drawing as part of the page, in colours that follow light and dark.

    Args:
        figure: A figure in the palette's colours.
        caption: Words below it, which also describe it to those who cannot see it.
    """
    import matplotlib

    for patch in (figure.patch, *(axes.patch for axes in figure.axes)):
        patch.set_alpha(0.0)
    buffer = io.StringIO()
    # Ids of clip paths must differ between the figures of a page, and not between two runs.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": caption}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    # Metadata name vocabularies by address, and a page should hold none.
    drawing = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    for name, value in COLOURS.items():
        drawing = drawing.replace(value.lower(), f"var(--{name})")
    drawing = drawing.replace("#000000", "var(--ink)").replace(_RULE.lower(), "var(--rule)")
    label = html.escape(caption, quote=True)
    drawing = drawing.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    return f"<figure>{drawing}<figcaption>{html.escape(caption)}</figcaption></figure>"
