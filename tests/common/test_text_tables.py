"""Tables hold their cells in columns, in Markdown and on the terminal."""

from __future__ import annotations

import pytest

from fitgym.common.tables import markdown_table, text_table

COLUMNS = ("agent", "mean", "gain")
ROWS = [("coach", "1,602.3", "+1.5"), ("no service", "4.0", "-")]


def test_markdown_aligns_numbers_to_the_right() -> None:
    assert markdown_table(COLUMNS, ROWS).splitlines() == [
        "| agent | mean | gain |",
        "| --- | ---: | ---: |",
        "| coach | 1,602.3 | +1.5 |",
        "| no service | 4.0 | - |",
    ]
    assert markdown_table(COLUMNS, ROWS, left=2).splitlines()[1] == "| --- | --- | ---: |"


def test_text_is_as_wide_as_its_widest_cells() -> None:
    assert text_table(COLUMNS, ROWS).splitlines() == [
        "agent          mean  gain",
        "-------------------------",
        "coach       1,602.3  +1.5",
        "no service      4.0     -",
    ]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="3 cells"):
        markdown_table(COLUMNS, [("coach", "1")])
    with pytest.raises(ValueError, match="3 cells"):
        text_table(COLUMNS, [("coach", "1")])
