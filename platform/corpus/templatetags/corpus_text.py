"""Text of our own with names in back ticks, for templates to set as code."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def code_parts(text: str) -> list[tuple[bool, str]]:
    """(is code, text), turn and turn about."""
    return [(index % 2 == 1, part) for index, part in enumerate(text.split("`"))]
