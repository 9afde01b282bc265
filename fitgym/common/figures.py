"""Figures without global state: the palette and the helpers every drawing of fitgym uses."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from fitgym.common.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# Okabe and Ito's palette, which stays apart for the colour-blind.
COLOURS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "red": "#D55E00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "grey": "#8A8F98",
    "ink": "#2B2F36",
}


def new_figure(width: float = 8.0, height: float = 4.5) -> Figure:
    """Return an empty figure of ``width`` x ``height`` inches that pyplot knows nothing of.

    Figures made this way need no display and are freed with their last reference.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def tidy_axes(axes: Axes, title: str = "", x_label: str = "", y_label: str = "") -> None:
    """Give ``axes`` the common look: labels, a light grid, no upper and right frame."""
    axes.set_title(title, loc="left", fontsize=10, color=COLOURS["ink"])
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.grid(True, color="#D8DBE0", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write ``figure`` to ``path`` atomically; the suffix chooses the format (png, svg, pdf)."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)
