"""Self-contained pages: escaped, without requests, coloured by the reader's theme."""

from __future__ import annotations

import re

import pytest

from fitgym.common.figures import COLOURS, new_figure, tidy_axes
from fitgym.common.pages import (
    bullets,
    figures,
    heading,
    html_table,
    inline_figure,
    paragraph,
    text_page,
)


def drawing(caption="a line"):
    figure = new_figure(4.0, 3.0)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=COLOURS["blue"], label="<b>")
    tidy_axes(axes, "title", "x", "y")
    axes.legend()
    return inline_figure(figure, caption)


def test_text_is_escaped_everywhere():
    page = text_page(
        "<title>",
        [
            heading("<h>"),
            paragraph("<p>"),
            bullets(["<i>"]),
            html_table(["<c>"], [["<d>"]]),
            figures([drawing()]),
        ],
    )
    for text in ("title", "h", "p", "i", "c", "d", "b"):
        assert f"&lt;{text}&gt;" in page
    assert page.count("<title>") == page.count("</title>") == 1


def test_nothing_is_requested_and_no_colour_is_fixed():
    page = text_page("t", [drawing()])
    left = page.replace("http://www.w3.org/2000/svg", "").replace(
        "http://www.w3.org/1999/xlink", ""
    )
    assert "http" not in left
    assert not re.search(r"<(?:script|link|img)|url\((?!#)", page)
    assert "prefers-color-scheme: dark" in page
    (svg,) = re.findall(r"<svg .*</svg>", page, flags=re.S)
    assert "var(--blue)" in svg
    assert not re.search(r"#0072b2|#000000|#d8dbe0", svg, flags=re.I)


def test_a_drawing_is_the_same_every_time_and_ids_differ_between_drawings():
    assert drawing() == drawing()

    def ids(text):
        return set(re.findall(r'<clipPath id="(\w+)"', text))

    assert ids(drawing("one"))
    assert not ids(drawing("one")) & ids(drawing("two"))


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="2 cells"):
        html_table(["a", "b"], [["1"]])
