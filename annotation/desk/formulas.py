"""Formulas in markdown: where they are written, and what they look like as MathML.

`$x$` and `$$x$$` are read by the dollarmath plugin; `\\(x\\)`, `\\[x\\]` and `\\begin{env}` by the rules here, each in
time that grows with the length of the text, whatever is in it. A formula that cannot be read is shown as written.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import tostring

from django.utils.html import escape
from latex2mathml import converter, exceptions
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from mdit_py_plugins.dollarmath import dollarmath_plugin

MAX_FORMULA_CHARACTERS = 2000
# The rest of a text with more of them is shown as written.
MAX_FORMULAS = 300

_ENVIRONMENT = re.compile(
    r"\\begin\{((?:align|aligned|equation|gather|multline|cases|matrix|[bpvBV]matrix|array|eqnarray)\*?)\}"
)
# A command that the converter does not know stays in its output.
_UNKNOWN_COMMAND = re.compile(r">\\[A-Za-z]")
# How many parts an element has; with another number nothing sensible would be drawn.
_PARTS = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
# What the converter raises when it cannot read a formula; the faults of its own among them.
_WRONG_FORMULA: tuple[type[Exception], ...] = (
    *(error for error in vars(exceptions).values() if isinstance(error, type) and issubclass(error, Exception)),
    ArithmeticError, AttributeError, LookupError, RecursionError, StopIteration, TypeError, ValueError,
)  # fmt: skip
# Marks around a formula, by the type of its token.
_DOLLARS = {"math_inline": "$", "math_inline_double": "$$", "math_block": "$$", "math_block_label": "$$"}


@lru_cache(maxsize=2048)
def mathml(formula: str, *, is_block: bool) -> str | None:
    """None for a formula that cannot be read."""
    if len(formula) > MAX_FORMULA_CHARACTERS or not formula.strip():
        return None
    try:
        made = converter.convert_to_element(formula.strip(), display="block" if is_block else "inline")
        if any(len(element) != _PARTS.get(element.tag, len(element)) for element in made.iter()):
            return None
        for element in made.iter():
            # The converter writes entities into the text; as characters they are escaped by whoever serialises it.
            element.text = html.unescape(element.text) if element.text else element.text
        text = tostring(made, encoding="unicode")
    except _WRONG_FORMULA:
        return None
    return None if _UNKNOWN_COMMAND.search(text) else text


def formulas(parser: MarkdownIt) -> None:
    """The plugin."""
    parser.use(dollarmath_plugin, allow_space=False, allow_digits=False, double_inline=True)
    parser.inline.ruler.before("escape", "bracket_formula", _inline_brackets)
    parser.block.ruler.before(
        "fence", "bracket_formula_block", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    for name, mark in _DOLLARS.items():
        parser.add_render_rule(name, _rule(mark, mark, is_block=name.startswith("math_block")))
    parser.add_render_rule("round_formula", _rule("\\(", "\\)", is_block=False))
    parser.add_render_rule("square_formula", _rule("\\[", "\\]", is_block=True))
    parser.add_render_rule("square_formula_block", _rule("\\[", "\\]", is_block=True))
    parser.add_render_rule("environment_block", _rule("", "", is_block=True))


def _rule(opening: str, closing: str, *, is_block: bool) -> Callable[..., str]:
    def render(_renderer: Any, tokens: Any, place: int, _options: Any, seen: Any) -> str:
        formula, is_paragraph = tokens[place].content, tokens[place].block
        seen["formulas"] = seen.get("formulas", 0) + 1
        made = mathml(formula, is_block=is_block) if seen["formulas"] <= MAX_FORMULAS else None
        shown = made or f'<span class="formula-as-written">{escape(f"{opening}{formula}{closing}")}</span>'
        return f"<p>{shown}</p>\n" if is_paragraph else shown

    return render


def _inline_brackets(state: StateInline, silent: bool) -> bool:
    opening = state.src[state.pos : state.pos + 2]
    if opening not in {"\\(", "\\["}:
        return False
    closing = "\\)" if opening == "\\(" else "\\]"
    start = state.pos + 2
    end = state.src.find(closing, start, start + MAX_FORMULA_CHARACTERS + 2)
    if end < 0 or not state.src[start:end].strip():
        return False
    if not silent:
        token = state.push("round_formula" if opening == "\\(" else "square_formula", "", 0)
        token.content = state.src[start:end]
    state.pos = end + 2
    return True


def _block(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """A formula that begins and ends with a line, within one paragraph's reach of characters."""
    start = state.bMarks[first] + state.tShift[first]
    if state.src.startswith("\\[", start):
        name, closing, body = "square_formula_block", "\\]", start + 2
    elif opened := _ENVIRONMENT.match(state.src, start):
        name, closing, body = "environment_block", f"\\end{{{opened[1]}}}", start
    else:
        return False
    end = state.src.find(closing, body, start + MAX_FORMULA_CHARACTERS + 40)
    line = next((n for n in range(first, last) if state.eMarks[n] >= end + len(closing)), None) if end >= 0 else None
    if line is None or state.src[end + len(closing) : state.eMarks[line]].strip(" \t.,;"):
        return False
    if silent:
        return True
    token = state.push(name, "", 0)
    token.block = True
    token.content = state.src[body : end if name == "square_formula_block" else end + len(closing)]
    token.map = [first, line + 1]
    state.line = line + 1
    return True
