"""Text that models wrote, as safe HTML: markdown without raw HTML, cleaned once more, nothing loaded from elsewhere.

Formulas become MathML, and each block is written in the direction of its own script.
"""

from __future__ import annotations

from functools import lru_cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from annotation.desk.formulas import formulas

# Longer texts are shown as they are written: the parser's time would be felt.
MAX_MARKDOWN_CHARACTERS = 200_000
MAX_HIGHLIGHT_CHARACTERS = 20_000

# Blocks that may be written in another direction than their neighbours; what is inside a block follows it.
BLOCKS = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "table")
# What presents a formula, and nothing that carries an address, a script or other markup.
MATHML_ATTRIBUTES = {
    "math": {"display"},
    "mrow": set(),
    "mi": {"mathvariant"},
    "mn": {"mathvariant"},
    "mo": {"stretchy", "fence", "separator", "form", "lspace", "rspace", "minsize", "maxsize", "movablelimits"},
    "ms": set(),
    "mtext": {"mathvariant"},
    "mspace": {"width", "height", "depth"},
    "mfrac": {"linethickness"},
    "msqrt": set(),
    "mroot": set(),
    "mstyle": {"displaystyle", "scriptlevel"},
    "mpadded": {"width", "height", "depth", "lspace", "voffset"},
    "mphantom": set(),
    "msub": set(),
    "msup": set(),
    "msubsup": set(),
    "munder": {"accentunder"},
    "mover": {"accent"},
    "munderover": {"accent", "accentunder"},
    "mmultiscripts": set(),
    "mtable": {"columnalign", "rowspacing", "columnspacing"},
    "mtr": set(),
    "mtd": {"columnalign"},
}
TAGS = {
    "br", "hr", "strong", "em", "s", "del", "code", "pre", "span", "div", "a", "li", "thead", "tbody", "tr", "th", "td",
    *BLOCKS, *MATHML_ATTRIBUTES,
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title"},
    "ol": {"start"},
    "code": {"class"},
    "span": {"class"},
    "th": {"class"},
    **MATHML_ATTRIBUTES,
}
# The only thing to be said, so that a text cannot turn what stands around it.
ATTRIBUTE_VALUES = {tag: {"dir": {"auto"}} for tag in BLOCKS}


def _highlighted(code: str, language: str, _attributes: str) -> str:
    if not language or len(code) > MAX_HIGHLIGHT_CHARACTERS:
        return ""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return ""
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))


def _turn_by_script(state: StateCore) -> None:
    for token in state.tokens:
        if token.level == 0 and token.nesting == 1 and token.tag in BLOCKS:
            token.attrSet("dir", "auto")


@lru_cache
def _parser() -> MarkdownIt:
    options = {"html": False, "linkify": False, "typographer": False, "breaks": True, "highlight": _highlighted}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"]).use(formulas)
    parser.core.ruler.push("turn_by_script", _turn_by_script)
    # An image would tell its server who reads what; its alternative text stays as a link does.
    return parser.disable("image")


@lru_cache(maxsize=512)
def rendered(text: str) -> SafeString:
    """Markdown as HTML, or the bare text when it is very long."""
    if len(text) > MAX_MARKDOWN_CHARACTERS:
        return mark_safe(f"<pre>{nh3.clean_text(text)}</pre>")  # noqa: S308 - clean_text escapes it
    html = nh3.clean(
        _parser().render(text, {}),
        tags=TAGS,
        attributes=ATTRIBUTES,
        tag_attribute_values=ATTRIBUTE_VALUES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(html)  # noqa: S308 - nh3 has cleaned it
