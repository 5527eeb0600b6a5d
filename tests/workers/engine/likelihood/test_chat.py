"""Which ids a conversation becomes, and which of them are scored: four families of templates, a tokenizer of bytes."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from workers.engine.bench import Unworkable
from workers.engine.likelihood.chat import Chat, Read
from workers.engine.likelihood.tokens import OwnTokens

SPECIAL = ["<s>", "</s>", "<|im_start|>", "<|im_end|>"]
_TURNS = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
TEMPLATES = {
    "chatml": _TURNS + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    # Writes the beginning itself, as Llama's do.
    "llama": "{{ bos_token }}" + _TURNS + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    # Refuses a system turn and trims what people wrote, as Gemma's do.
    "gemma": "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('System role not "
    "supported') }}{% endif %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    # No mark behind a turn, only lines.
    "lines": "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}",
}
ASKED = [{"role": "user", "content": "How long do eggs boil?"}]


def tokenizer(*, adds_bos: bool = False, merges: tuple[tuple[str, str], ...] = ()) -> Any:
    tokenizers, transformers = import_module("tokenizers"), import_module("transformers")
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate(alphabet)}
    for one, other in merges:
        vocabulary[one + other] = len(vocabulary)
    made = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, list(merges)))
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    made.add_special_tokens(SPECIAL)
    if adds_bos:
        bos = made.token_to_id("<s>")
        made.post_processor = tokenizers.processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", bos)])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="<|im_end|>")


def chat(template: str, context: int = 1000, **options: Any) -> Chat:
    how = {name: options.pop(name) for name in ("adds_bos", "merges") if name in options}
    return Chat(OwnTokens(tokenizer(**how), TEMPLATES[template]), context, **options)


def scored(of: Chat, read: Read) -> str:
    return str(of.tokens.said(read.passage.ids[read.passage.begin :]))


def given(of: Chat, read: Read) -> str:
    return str(of.tokens.said(read.passage.ids[: read.passage.begin]))


@pytest.mark.parametrize("template", ["chatml", "llama", "gemma"])
def test_the_response_and_the_end_of_its_turn_are_scored_and_no_newline(template: str) -> None:
    of = chat(template)
    one, other = of.responses(ASKED, ["Seven minutes.", "Ten\n"])
    assert scored(of, one) == "Seven minutes.<|im_end|>"
    assert scored(of, other) == ("Ten<|im_end|>" if template == "gemma" else "Ten\n<|im_end|>")
    assert given(of, one).endswith("How long do eggs boil?<|im_end|>\n<|im_start|>assistant\n")
    assert one.is_clean
    assert one.n_bytes == 14


def test_the_end_of_the_turn_can_be_left_out() -> None:
    of = chat("chatml", with_eot=False)
    assert scored(of, of.responses(ASKED, ["Seven."])[0]) == "Seven."


def test_without_a_mark_behind_the_turn_only_the_text_is_scored() -> None:
    of = chat("lines")
    assert scored(of, of.responses(ASKED, ["Seven."])[0]) == "Seven."


@pytest.mark.parametrize(("template", "adds_bos"), [("chatml", True), ("llama", False), ("llama", True)])
def test_the_beginning_stands_once(template: str, adds_bos: bool) -> None:
    of = chat(template, adds_bos=adds_bos)
    ids = of.responses(ASKED, ["Seven."])[0].passage.ids
    bos = of.tokens.bos
    assert (ids[0], ids.count(bos)) == (bos, 1)


def test_a_model_without_a_beginning_gets_none() -> None:
    of = chat("chatml")
    assert of.tokens.bos not in of.responses(ASKED, ["Seven."])[0].passage.ids


def test_what_is_written_in_a_text_ends_no_turn_of_the_template() -> None:
    of = chat("chatml")
    [read] = of.responses(ASKED, ["Seven.<|im_end|>\nand more"])
    assert scored(of, read) == "Seven.<|im_end|>\nand more<|im_end|>"


def test_a_token_that_spans_the_boundary_is_flagged_and_moves_it_for_all() -> None:
    of = chat("lines", merges=(("Ġ", "S"),))
    reads = of.responses(ASKED, ["Seven.", "ten."])
    assert [read.boundary_merge for read in reads] == [True, True]
    assert {read.passage.begin for read in reads} == {len("user: How long do eggs boil?\nassistant:")}
    assert [scored(of, read) for read in reads] == [" Seven.", " ten."]


def test_a_long_prompt_loses_its_front_but_not_the_beginning() -> None:
    of = chat("llama", context=60)
    reads = of.responses([{"role": "user", "content": "x" * 100}], ["Seven.", "Eight minutes."])
    assert all(read.truncated and len(read.passage.ids) <= 60 for read in reads)
    assert reads[0].passage.ids[0] == of.tokens.bos
    assert len({read.passage.begin for read in reads}) == 1
    assert scored(of, reads[1]) == "Eight minutes.<|im_end|>"


def test_a_long_response_loses_its_end_and_others_are_cut_at_the_same_place() -> None:
    of = chat("chatml", context=100)
    long, short, longer = of.responses(ASKED, ["y" * 200, "Seven.", "z" * 90])
    assert [read.truncated for read in (long, longer)] == [True, True]
    assert len(long.passage.ids) == len(longer.passage.ids) == 100
    assert scored(of, short) == "Seven.<|im_end|>"


def test_an_empty_response_scores_the_end_alone_and_without_it_nothing() -> None:
    of = chat("chatml")
    assert scored(of, of.responses(ASKED, [""])[0]) == "<|im_end|>"
    [read] = chat("chatml", with_eot=False).responses(ASKED, [""])
    assert read.is_empty
    assert not read.is_clean


def test_a_system_turn_that_the_template_refuses_stands_before_the_first_question() -> None:
    said = [{"role": "system", "content": "Be brief."}, *ASKED]
    merged, plain = chat("gemma"), chat("chatml")
    [read] = merged.responses(said, ["Seven."])
    assert read.system_merged
    assert "user\nBe brief.\n\nHow long do eggs boil?" in given(merged, read)
    assert not plain.responses(said, ["Seven."])[0].system_merged
    assert not merged.responses(ASKED, ["Seven."])[0].system_merged


@pytest.mark.parametrize("template", ["chatml", "llama", "gemma", "lines"])
def test_of_a_remark_its_own_text_is_scored(template: str) -> None:
    of = chat(template)
    reads = of.remarks(ASKED, "Seven minutes.", ["Thank you!", "That is wrong."])
    assert [scored(of, read) for read in reads] == ["Thank you!", "That is wrong."]
    assert "Seven minutes." in given(of, reads[0])
    assert all(read.is_clean for read in reads)


def test_without_a_template_there_is_a_sentence() -> None:
    with pytest.raises(Unworkable, match="has no chat template"):
        Chat(OwnTokens(tokenizer()), 100)


def test_a_template_that_refuses_conversations_is_a_sentence() -> None:
    with pytest.raises(Unworkable, match="refuses a question and an answer: never"):
        Chat(OwnTokens(tokenizer(), "{{ raise_exception('never') }}"), 100)


@pytest.mark.parametrize("template", ["chatml", "llama", "gemma", "lines"])
@pytest.mark.parametrize("merges", [(), (("Ġ", "T"), ("Ċ", "T"))])
def test_remarks_behind_many_responses_have_the_ids_of_each_written_out(
    template: str, merges: tuple[tuple[str, str], ...]
) -> None:
    said = ["Thank you!", " That is wrong.", "<|im_end|>", ""]
    at_once = chat(template, merges=merges)
    for response in ("Seven minutes.", "T", "ends in <|im_start|>", "", "Ten\n"):
        written_out = [at_once._ids([*ASKED, *_said(response, text)]) for text in said]
        for read, whole in zip(at_once.remarks(ASKED, response, said), written_out, strict=True):
            assert read.passage.ids == whole[: len(read.passage.ids)]
        assert at_once.remarks(ASKED, response, said) == chat(template, merges=merges).remarks(ASKED, response, said)


def test_a_remark_is_written_out_once_for_all_conversations(monkeypatch: pytest.MonkeyPatch) -> None:
    of = chat("chatml")
    own, rendered = of.tokens.rendered, []

    def counted(turns: Any, *, opens: bool) -> tuple[int, ...]:
        rendered.append(turns)
        return own(turns, opens=opens)

    monkeypatch.setattr(of.tokens, "rendered", counted)
    said = [f"Remark {number}." for number in range(20)]
    for number in range(10):
        of.remarks(ASKED, f"Answer {number}.", said)
    assert len(rendered) == 20 + 2 * 10


def _said(response: str, remark: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": response}, {"role": "user", "content": remark}]
