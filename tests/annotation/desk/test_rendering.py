from __future__ import annotations

import pytest

from annotation.desk.rendering import MAX_MARKDOWN_CHARACTERS, rendered


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![track](https://example.org/pixel.png)",
        "[click](javascript:alert(1))",
        '<a href="x" onclick="alert(1)">x</a>',
        "<iframe src='https://example.org'></iframe>",
        "<style>*{display:none}</style>",
        "```<script>\nalert(1)\n```",
    ],
)
def test_nothing_in_a_response_acts_or_loads(text: str) -> None:
    html = rendered(text)
    for opening in ("<script", "<img", "<iframe", "<style", 'href="javascript', '<a href="x"'):
        assert opening not in html


def test_markdown_is_shown_as_meant() -> None:
    html = rendered("# Title\n\n* **bold** and `code`\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    for tag in ("<h1>", "<li>", "<strong>bold</strong>", "<code>code</code>", "<table>"):
        assert tag in html


def test_code_is_marked_by_classes_not_styles() -> None:
    html = rendered("```python\ndef f():\n    return 1\n```")
    assert '<span class="k">def</span>' in html
    assert "style=" not in html


def test_links_give_nothing_away() -> None:
    assert 'rel="noopener noreferrer nofollow"' in rendered("[a](https://example.org)")


def test_a_very_long_text_is_shown_as_it_is() -> None:
    html = rendered("<b>" + "x" * MAX_MARKDOWN_CHARACTERS)
    assert html.startswith("<pre>")
    assert "&lt;b&gt;" in html
