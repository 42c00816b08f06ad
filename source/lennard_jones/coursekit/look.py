"""How the course's figures look: one set of colours, axes and legends, and a sentence beside each.

The four colours can be told apart in grey and by the colour-blind, which a test holds. `told` is
the figure in words, made of its data: what it shows is read by everybody, also by those who listen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE = "#1f5fa8", "#cc5f12", "#45ad8a", "#541548"
INK, GREY, PALE, LIGHT = "#24292f", "#6b7580", "#c3c9d0", "#e9ecef"
SIGNS = LinearSegmentedColormap.from_list("signs", [BLUE, "#f7f7f5", ORANGE])
"""Negative blue, positive orange."""

PALES = {
    BLUE: "#bcd3ee",
    ORANGE: "#f6d3ba",
    GREEN: "#c5e8dc",
    PURPLE: "#dccbea",
    INK: "#d5d9e0",
}
"""Each colour as the wide line beneath: what is expected."""

STYLE: dict[str, Any] = {
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a919c",
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LIGHT,
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.7,
    "legend.frameon": False,
    "legend.fontsize": 9,
}
"""For `plt.rc_context`, around a figure that is shown before the context ends."""

# The rest is set on the axes: Jupyter draws after the cell, when temporary settings are gone.


def canvas(
    rows: int, cols: int, width: float = 8.6, height: float = 3.3, **keys: Any
) -> tuple[Figure, Any]:
    ratios = {name: keys.pop(name) for name in ("width_ratios", "height_ratios") if name in keys}
    return plt.subplots(
        rows, cols, figsize=(width, height), dpi=110, layout="constrained", **ratios, **keys
    )


def dress(axes: Axes, x: str, y: str, title: str = "") -> None:
    """Labels, a light grid, two spines."""
    axes.set_xlabel(x, color=INK, fontsize=10)
    axes.set_ylabel(y, color=INK, fontsize=10)
    axes.set_title(title, color=INK, fontsize=10.5, loc="left")
    axes.tick_params(color=PALE, labelcolor=INK, labelsize=9)
    axes.tick_params(which="minor", length=0)
    axes.grid(True, color=LIGHT, lw=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(PALE)
    for text in axes.texts:
        text.set_fontsize(9)


def expected_line(axes: Axes, x: Any, y: Any, label: str | None = "expected") -> None:
    """What is right: wide and pale, beneath everything, named once."""
    label = None if label in {line.get_label() for line in axes.lines} else label
    axes.plot(x, y, color=PALE, lw=6, solid_capstyle="round", zorder=1, label=label)


def across(axes: Axes) -> Any:
    """x in data, y as a part of the height."""
    return axes.get_xaxis_transform()


def legend(axes: Axes, loc: Any = "best", anchor: tuple[float, float] | None = None) -> None:
    axes.legend(loc=loc, bbox_to_anchor=anchor, frameon=False, fontsize=9, labelcolor=INK)


def told(*sentences: str | Iterable[str]) -> None:
    """Prints what a figure shows."""
    words = [one if isinstance(one, str) else "; ".join(one) for one in sentences]
    print("In words: " + " ".join(words))
