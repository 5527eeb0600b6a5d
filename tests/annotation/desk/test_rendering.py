from __future__ import annotations

import re
import time

import pytest

from annotation.desk.rendering import MATHML_ATTRIBUTES, MAX_MARKDOWN_CHARACTERS, TAGS, rendered


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
    for tag in ("<h1 ", "<li>", "<strong>bold</strong>", "<code>code</code>", "<table ", "<td>1</td>"):
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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("so $x^2$.", "<msup><mi>x</mi><mn>2</mn></msup>"),
        (r"so \(y_1\).", "<msub><mi>y</mi><mn>1</mn></msub>"),
        ("$$\nx < y\n$$", '<math display="block"><mrow><mi>x</mi><mo>&lt;</mo>'),
        ("\\[\n\\frac{1}{2}\n\\]", "<mfrac><mrow><mn>1</mn></mrow><mrow><mn>2</mn></mrow></mfrac>"),
        ("\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}", '<mtd columnalign="right"><mi>a</mi></mtd>'),
        (r"> \[ z \]", "<mi>z</mi>"),
    ],
)
def test_formulas_become_mathml(text: str, shown: str) -> None:
    assert shown in rendered(text)


@pytest.mark.parametrize(
    "text", [r"$\foo{x}$", r"\(\frac{1}\)", r"$x^$", r"\(\left( x\)", "$" + "{" * 3000 + "$", "it costs $5 and $10"]
)
def test_a_formula_that_cannot_be_read_is_shown_as_written(text: str) -> None:
    html = rendered(text)
    assert "<math" not in html
    assert text in re.sub(r"<[^>]+>", "", html)


@pytest.mark.parametrize(
    "formula",
    [
        r"\text{<script>alert(1)</script>}",
        r"\text{<img src=x onerror=alert(1)>}",
        r"\text{&lt;img src=x onerror=alert(1)&gt;}",
        r"\href{javascript:alert(1)}{x}",
        r"\class{x}{y}",
        r"\style{color:red}{x}",
        "</math><img src=x onerror=alert(1)>",
    ],
)
def test_a_formula_holds_nothing_that_acts(formula: str) -> None:
    html = rendered(f"\\({formula}\\)")
    for opening in ("<script", "<img", "href=", "style=", "<a "):
        assert opening not in html


def test_only_the_tags_that_present_a_formula_pass() -> None:
    assert {tag for tag in TAGS if tag.startswith("m")} == set(MATHML_ATTRIBUTES)
    assert not {"annotation-xml", "maction", "semantics", "script"} & TAGS
    named = {name for names in MATHML_ATTRIBUTES.values() for name in names}
    assert not {"href", "style", "class", "id", "xlink:href", "mathbackground"} & named


def test_each_block_is_written_in_the_direction_of_its_script() -> None:
    html = rendered("مرحبا\n\nhello\n\n* שלום\n* עולם")
    assert html.count('dir="auto"') == 3
    assert '<ul dir="auto">\n<li>שלום</li>' in html


@pytest.mark.parametrize("piece", ["$a ", "$a\n", "\\(", "\\[\n", "\\begin{align}\n", "[", "* "])
def test_a_hostile_text_takes_no_longer_than_a_long_one(piece: str) -> None:
    start = time.perf_counter()
    rendered(piece * (60_000 // len(piece)))
    assert time.perf_counter() - start < 5
