"""How charts, tables and sentences look: for a talk, for the colour-blind, and without network.

Every chart becomes a static SVG. What comes from the data is text wherever it is drawn, never markup.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
from altair.vegalite.v6.display import svg_renderer
from IPython.display import HTML
from markupsafe import Markup

from ingest.text import visible

# Okabe and Ito's palette, which stays apart for every kind of colour vision.
BLUE, ORANGE, GREEN, PURPLE, SKY, RED = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"
INK, FAINT, GRID = "#222222", "#8A8A8A", "#E6E6E6"
FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
WIDTH = 640  # pixels of the plot itself


@alt.theme.register("movielens", enable=True)
def theme() -> alt.theme.ThemeConfig:
    """Title and subtitle above at the left, quiet axes, no frame, white paper in dark mode too."""
    config: Any = {
        "background": "white",
        "padding": 16,
        "font": FONT,
        "view": {"stroke": None, "continuousWidth": WIDTH, "discreteWidth": WIDTH, "continuousHeight": 320},
        "title": {
            "anchor": "start", "frame": "bounds", "fontSize": 18, "fontWeight": 600, "color": INK, "offset": 18,
            "subtitleFontSize": 13, "subtitleColor": "#5A5A5A", "subtitlePadding": 6,
        },
        "axis": {
            "labelColor": INK, "labelFontSize": 12, "labelLimit": 340, "labelPadding": 6, "labelFlush": False,
            "titleColor": INK, "titleFontSize": 12, "titleFontWeight": "normal", "titlePadding": 10,
            "domain": False, "ticks": False, "gridColor": GRID,
        },
        "axisBand": {"grid": False},
        "axisQuantitative": {"tickCount": 6, "labelOverlap": True, "labelSeparation": 6},
        "axisTemporal": {"labelOverlap": True, "labelSeparation": 6},
        "header": {"labelFontSize": 13, "labelColor": INK, "title": None, "labelAnchor": "start"},
        "legend": {
            "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "labelColor": INK,
            "titleColor": INK, "labelLimit": 260,
        },
        "range": {"category": [BLUE, ORANGE, GREEN, PURPLE, SKY, RED]},
        "bar": {"color": BLUE},
        "line": {"color": BLUE, "strokeWidth": 2.5},
        "area": {"color": BLUE},
        "point": {"color": BLUE, "filled": True, "size": 70},
        "rule": {"color": FAINT},
        "text": {"color": INK, "fontSize": 12},
    }  # fmt: skip
    return {"config": config}


def _visible(value: Any) -> Any:
    """A value, or a chart's JSON, of which every text can be drawn."""
    if isinstance(value, dict):
        return {name: _visible(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_visible(inner) for inner in value]
    return visible(value) if isinstance(value, str) else value


# The chart library ends the kernel, without a word, over a character that no SVG may hold.
alt.renderers.register("visible-svg", lambda chart, **options: svg_renderer(_visible(chart), **options))
alt.renderers.enable("visible-svg")
alt.data_transformers.enable("default", max_rows=20_000)  # more would be a data frame that the engine should aggregate


def steps(**options: Any) -> alt.Axis:
    """An axis of many steps, such as years: upright labels, and no more of them than fit."""
    return alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=6, **options)


def title(text: str, *subtitle: str) -> alt.TitleParams:
    """A title that says what the chart shows, and lines below it that say how it was measured."""
    return alt.TitleParams(text, subtitle=list(subtitle))


def short(text: str, limit: int = 44) -> str:
    """A text that fits beside a bar."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def movie(row: Any, limit: int = 44) -> str:
    """A movie's title, in short, and year; its id where facts name it and the source does not list it."""
    if pd.isna(row.title):
        return f"movie {row.movie_id} (not listed)"
    return short(row.title, limit) + ("" if pd.isna(row.release_year) else f" ({row.release_year:.0f})")


def note(text: str, *values: Any) -> HTML:
    """A sentence as HTML: `text` may hold tags, and `{}` for each of the `values`, which come from the data."""
    return HTML(Markup(f"<p>{text}</p>").format(*map(_visible, values)))  # type: ignore[no-untyped-call]  # noqa: S704 - the values are escaped


def table(frame: pd.DataFrame) -> Any:
    """A small table for people: no index, thousands separated, nothing for a null, no line break in a short cell."""
    shown = frame.map(_visible)
    for column in shown.columns:
        if pd.api.types.is_datetime64_any_dtype(shown[column]):
            whole = (shown[column].dropna() == shown[column].dropna().dt.normalize()).all()
            shown[column] = shown[column].dt.strftime("%Y-%m-%d" if whole else "%Y-%m-%d %H:%M:%S")
    numbers = [column for column in shown.columns if pd.api.types.is_numeric_dtype(shown[column])]
    narrow = [column for column in shown.columns if shown[column].astype(str).str.len().max() <= 24]
    styled = shown.style.hide(axis="index").format(precision=2, thousands=",", na_rep="", escape="html")
    styled = styled.set_properties(subset=numbers, **{"text-align": "right"})
    return styled.set_properties(subset=narrow, **{"white-space": "nowrap"})
