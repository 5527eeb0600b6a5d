"""Text that models wrote, as safe HTML: markdown without raw HTML, cleaned once more, nothing loaded from elsewhere."""

from __future__ import annotations

from functools import lru_cache

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

# Longer texts are shown as they are written: the parser's time would be felt.
MAX_MARKDOWN_CHARACTERS = 200_000
MAX_HIGHLIGHT_CHARACTERS = 20_000

TAGS = {
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "s", "del", "code", "pre", "span", "div",
    "blockquote", "ul", "ol", "li", "a", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "code": {"class"}, "span": {"class"}, "th": {"class"}}


def _highlighted(code: str, language: str, _attributes: str) -> str:
    if not language or len(code) > MAX_HIGHLIGHT_CHARACTERS:
        return ""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return ""
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))


@lru_cache
def _parser() -> MarkdownIt:
    options = {"html": False, "linkify": False, "typographer": False, "breaks": True, "highlight": _highlighted}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    # An image would tell its server who reads what; its alternative text stays as a link does.
    return parser.disable("image")


@lru_cache(maxsize=512)
def rendered(text: str) -> SafeString:
    """Markdown as HTML, or the bare text when it is very long."""
    if len(text) > MAX_MARKDOWN_CHARACTERS:
        return mark_safe(f"<pre>{nh3.clean_text(text)}</pre>")  # noqa: S308 - clean_text escapes it
    html = nh3.clean(
        _parser().render(text),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(html)  # noqa: S308 - nh3 has cleaned it
