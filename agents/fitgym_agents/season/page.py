"""The season's page: one HTML file that needs no network."""

from __future__ import annotations

import json
from importlib import resources

from fitgym.profile.drawing import chart_page
from fitgym_agents.season.content import season_content


def season_page() -> str:
    """Return the page."""
    folder = resources.files("fitgym_agents") / "season"
    style, body, script = (
        (folder / f"season.{ending}").read_text(encoding="utf-8")
        for ending in ("css", "html", "js")
    )
    # What ends a script must not stand in one.
    content = json.dumps(season_content(), separators=(",", ":")).replace("<", "\\u003c")
    parts = [
        body,
        f'<script type="application/json" id="content">{content}</script>',
        f"<script>\n{script}</script>",
    ]
    return chart_page("A season of training, day by day", style, parts)
