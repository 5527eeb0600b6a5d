"""The three gaps as a picture: how much further the strong toy was trained, and what its ratio then agrees with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmarks.density_ratio import Held

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM, APART = 250, 190, 40, 34, 10, 36, 14
LOW, HIGH = 0.4, 0.85
# One hue a line, dark enough on white and light enough on black.
COLOURS = {"sum": "#2f7fd1", "mean": "#c2630a"}
OBJECTIVE = "preferences"
GREY = "#808080"


def drawn(found: Mapping[str, Held]) -> str:
    """A panel a set: accuracy, with the sd over the seeds, by the share of the training pairs; length is dashed."""
    width = len(found) * (WIDTH + APART) + 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT + 24}" font-family="sans-serif" '
        f'font-size="11" fill="{GREY}" role="img"><title>Held-out accuracy of the density ratio by how much '
        "further the strong toy was trained</title>"
    ]
    for number, (name, held) in enumerate(found.items()):
        parts.append(f'<g transform="translate({number * (WIDTH + APART)} 0)">')
        parts += _panel(name, held)
        parts.append("</g>")
    parts.append(_legend())
    return "".join([*parts, "</svg>\n"])


def _panel(name: str, held: Held) -> Iterator[str]:
    from benchmarks.toy_sets import SHARES

    yield f'<text x="{LEFT}" y="16" font-size="13">{name}, n = {len(held.sign)}</text>'
    for tick in (0.4, 0.5, 0.6, 0.7, 0.8):
        yield _line(LEFT, _y(tick), WIDTH - RIGHT, _y(tick), GREY, 'stroke-opacity=".3"')
        yield f'<text x="{LEFT - 6}" y="{_y(tick) + 4:.1f}" text-anchor="end">{tick:.1f}</text>'
    length = float(held.mean("length").mean())
    yield _line(LEFT, _y(length), WIDTH - RIGHT, _y(length), GREY, 'stroke-dasharray="5 4" stroke-width="1.5"')
    xs = [_x(place, len(SHARES)) for place in range(len(SHARES))]
    for x, share in zip(xs, SHARES, strict=True):
        said = "all" if share == 1 else f"1/{round(1 / share)}"
        yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{said}</text>'
    for shift, form in zip((-3, 3), COLOURS, strict=True):
        by_seed = [[float(hits.mean()) for hits in held.hits[f"{OBJECTIVE}, {share:.2f}, {form}"]] for share in SHARES]
        means = [float(np.mean(values)) for values in by_seed]
        colour = COLOURS[form]
        points = " ".join(f"{x + shift:.1f},{_y(mean):.1f}" for x, mean in zip(xs, means, strict=True))
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for x, mean, values in zip(xs, means, by_seed, strict=True):
            spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
            yield _line(x + shift, _y(mean - spread), x + shift, _y(mean + spread), colour, 'stroke-width="1.5"')
            yield f'<circle cx="{x + shift:.1f}" cy="{_y(mean):.1f}" r="3.5" fill="{colour}"/>'


def _legend() -> str:
    words = [(colour, f"density ratio, {form}", "") for form, colour in COLOURS.items()]
    words.append((GREY, "length alone", 'stroke-dasharray="5 4"'))
    parts = []
    for number, (colour, said, style) in enumerate(words):
        x, y = LEFT + 185 * number, HEIGHT + 14
        parts.append(_line(x, y - 4, x + 22, y - 4, colour, f'stroke-width="2" {style}'))
        parts.append(f'<text x="{x + 28}" y="{y}">{said}</text>')
    return "".join(parts)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" {style}/>'


def _x(place: int, of: int) -> float:
    return LEFT + (place + 0.5) * (WIDTH - LEFT - RIGHT) / of


def _y(value: float) -> float:
    return TOP + (HIGH - min(max(value, LOW), HIGH)) / (HIGH - LOW) * (HEIGHT - TOP - BOTTOM)
