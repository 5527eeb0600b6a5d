"""One chat template for two models, which makes sense only where their tokenizers are one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workers.engine.bench import Bench, Unworkable

if TYPE_CHECKING:
    from workers.engine.likelihood.tokens import Messages, Tokens

PROBES: tuple[Messages, ...] = (
    ({"role": "user", "content": "Grüße, ça va? 12 + 30 = 42\n\n\tprint('naïve')"},),
    (
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two 二 🙂"},
        {"role": "user", "content": ""},
    ),
)


def shared_template(strong: str, weak: str, bench: Bench) -> str:
    """The template of the strong model; Unworkable where the weak model's tokenizer is another one."""
    own: Any = bench.scorer(strong).chat().tokens
    template = getattr(own, "template", None)
    if not isinstance(template, str):
        raise Unworkable(
            f"The chat template of {strong} is not known here, so {weak} cannot use it; let each model use its own."
        )
    other: Any = bench.scorer(weak).chat(template=template).tokens
    if not _is_same(own, other):
        raise Unworkable(
            f"The tokenizers of {strong} and {weak} differ, so one template cannot serve both; let each model use its "
            "own (template=own)."
        )
    return template


def _is_same(one: Any, other: Any) -> bool:
    """Every token has the same number, and the template comes out the same."""
    if _vocabulary(one) != _vocabulary(other) or one.bos != other.bos:
        return False
    return all(_ids(one, turns) == _ids(other, turns) for turns in PROBES)


def _vocabulary(tokens: Any) -> dict[str, int] | None:
    """None where a server keeps it to itself; then the ids of PROBES must do."""
    tokenizer = getattr(tokens, "tokenizer", None)
    return dict(tokenizer.get_vocab()) if tokenizer is not None else None


def _ids(tokens: Tokens, turns: Messages) -> tuple[int, ...] | str:
    from workers.engine.likelihood.tokens import TemplateRefuses

    try:
        return tokens.rendered(turns, opens=True)
    except TemplateRefuses as reason:
        return str(reason)
