"""The three gaps as a picture: how much further the strong toy was trained, and what its ratio then agrees with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmarks.density_ratio import Held

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM, APART = 250, 190, 40, 34, 10, 36, 14
LOW, HIGH = 0.35, 0.75
# One hue a line, dark enough on white and light enough on black.
COLOURS = {"preferences": "#2f7fd1", "preferred texts": "#c2630a"}
GREY = "#808080"


def drawn(found: Mapping[str, Held], form: str = "sum") -> str:
    """A panel a set: accuracy, with the sd over the seeds, by the share of the training pairs; length is dashed."""
    width = len(found) * (WIDTH + APART) + 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT + 24}" font-family="sans-serif" '
        f'font-size="11" fill="{GREY}" role="img"><title>Held-out accuracy of the density ratio ({form}) by how much '
        "further the strong toy was trained</title>"
    ]
    for number, (name, held) in enumerate(found.items()):
        parts.append(f'<g transform="translate({number * (WIDTH + APART)} 0)">')
        parts += _panel(name, held, form)
        parts.append("</g>")
    parts.append(_legend())
    return "".join([*parts, "</svg>\n"])


def _panel(name: str, held: Held, form: str) -> Iterator[str]:
    from benchmarks.toy_sets import ARMS, OBJECTIVES, SHARES

    yield f'<text x="{LEFT}" y="16" font-size="13">{name}, n = {len(held.sign)}</text>'
    for tick in (0.4, 0.5, 0.6, 0.7):
        yield _line(LEFT, _y(tick), WIDTH - RIGHT, _y(tick), GREY, 'stroke-opacity=".3"')
        yield f'<text x="{LEFT - 6}" y="{_y(tick) + 4:.1f}" text-anchor="end">{tick:.1f}</text>'
    length = float(held.mean("length").mean())
    yield _line(LEFT, _y(length), WIDTH - RIGHT, _y(length), GREY, 'stroke-dasharray="5 4" stroke-width="1.5"')
    xs = [_x(place, len(SHARES)) for place in range(len(SHARES))]
    for x, share in zip(xs, SHARES, strict=True):
        said = "all" if share == 1 else f"1/{round(1 / share)}"
        yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{said}</text>'
    for shift, objective in zip((-3, 3), OBJECTIVES, strict=True):
        shares = [share for one, share in ARMS if one == objective]
        places = [xs[SHARES.index(share)] for share in shares]
        by_seed = [[float(hits.mean()) for hits in held.hits[f"{objective}, {share:.2f}, {form}"]] for share in shares]
        means = [float(np.mean(values)) for values in by_seed]
        colour = COLOURS[objective]
        points = " ".join(f"{x + shift:.1f},{_y(mean):.1f}" for x, mean in zip(places, means, strict=True))
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for x, mean, values in zip(places, means, by_seed, strict=True):
            spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
            yield _line(x + shift, _y(mean - spread), x + shift, _y(mean + spread), colour, 'stroke-width="1.5"')
            yield f'<circle cx="{x + shift:.1f}" cy="{_y(mean):.1f}" r="3.5" fill="{colour}"/>'


def _legend() -> str:
    words = [(colour, f"trained on {objective}", "") for objective, colour in COLOURS.items()]
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
