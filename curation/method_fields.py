"""Fields of the methods whose signals are read as they were written: one line per field, (name, type, help, SQL).

In the SQL `{s}` is the signal's jsonb, `{value}` its number, `{direction}` 1 or -1 toward the label. A new method needs
its lines here and nothing else: `curation.standing` joins the signals of its newest run by the method's name.
"""

from __future__ import annotations

from typing import Literal

Line = tuple[str, Literal["number", "text", "boolean"], str, str]

PREFERRED = "(CASE WHEN {direction} > 0 THEN {s}->'flags_b' WHEN {direction} < 0 THEN {s}->'flags_a' END)"
DEGENERATE_FLAGS = {
    "empty": "nothing in it but white space",
    "key": "one of the words that fool judges, and nothing else",
    "echo": "the prompt over again",
    "refusal": "it refuses",
    "truncated": "it ends in the middle of a sentence or of code",
    "repetitive": "the same words over and over",
    "wrong_language": "it is in another language than the prompt",
}


# Those of the bundled follow-ups; a project's own have no field.
ASPECTS = {
    "understanding": "Praise less complaint that the question was understood.",
    "relevance": "Praise less complaint that it stays with the matter.",
    "correctness": "Praise less complaint that it is true and works.",
    "engagingness": "Praise less complaint that one wants to go on.",
    "informativeness": "Praise less complaint that it tells enough.",
    "instruction_following": "Praise less complaint that it does as it was told.",
}


def _of_aspect(name: str) -> str:
    return f"(({{s}}->'aspects_b'->>'{name}')::float8 - ({{s}}->'aspects_a'->>'{name}')::float8)"


def _either(flag: str) -> str:
    return f"({{s}}->'flags_a' ? '{flag}' OR {{s}}->'flags_b' ? '{flag}')"


SCORED: list[Line] = [
    ("mean", "number", "Score of response_b minus that of response_a; positive = response_b better.", "{value}"),
    ("strength", "number", "The same toward the label: negative = the scores speak against it.",
     "({direction} * {value})"),
    ("flagged", "boolean", "The scores are not to be compared, so nothing is labelled by them.",
     "({s}->>'flagged')::boolean"),
]  # fmt: skip

LINES: dict[str, list[Line]] = {
    "density_ratio": [
        *SCORED,
        ("domain", "text", "The domain by which the prompt was customised; missing where none was.",
         "NULLIF({s}->>'domain', '')"),
    ],
    "follow_up": [
        *SCORED,
        *((aspect, "number", f"{words} Of response_b less that of response_a.", _of_aspect(aspect))
          for aspect, words in ASPECTS.items()),
        ("echo", "number", "The larger share of the follow-ups' own words in a response, 0..1.",
         "GREATEST(({s}->>'echo_a')::float8, ({s}->>'echo_b')::float8)"),
    ],
    "degenerate": [
        *((flag, "boolean", f"Of a response: {words}.", _either(flag)) for flag, words in DEGENERATE_FLAGS.items()),
        ("any", "boolean", "A response raised a flag.", "jsonb_array_length({s}->'flags_a' || ({s}->'flags_b')) > 0"),
        ("flags_preferred", "number", "Flags of the preferred response; missing without a label.",
         f"jsonb_array_length({PREFERRED})"),
        ("mean", "number", "Flags of response_a minus those of response_b; positive = b is sounder.", "{value}"),
        ("strength", "number", "The same toward the label: negative = the preferred response has more flags.",
         "({direction} * {value})"),
    ],
    "bias_audit": [
        ("mean", "number", "How far length and format speak for response_b; positive = for it.", "{value}"),
        ("strength", "number", "The same toward the label: negative = the label goes against length and format.",
         "({direction} * {value})"),
        ("length_strength", "number", "How far length alone speaks for the label.",
         "({direction} * ({s}->>'length_mean')::float8)"),
    ],
    "contamination": [
        ("contaminated", "boolean", "The prompt is one of a benchmark, by a run of words or by meaning.",
         "({s}->>'contaminated')::boolean"),
        ("overlap", "number", "Largest share of a benchmark prompt's runs of words, 0..1.",
         "({s}->>'overlap')::float8"),
        ("cosine", "number", "Largest cosine to a benchmark prompt.", "({s}->>'cosine')::float8"),
    ],
    "cycles": [
        ("in_cycle", "boolean", "The label lies on a circle of labels of its prompt.", "({s}->>'in_cycle')::boolean"),
        ("feedback", "boolean", "The label is in the smallest set without which its prompt has no circle.",
         "({s}->>'feedback')::boolean"),
        ("value", "number", "How far it is at odds with labels through third responses, 0..1.", "{value}"),
        ("circles", "number", "Circles of three through the label.", "({s}->>'circles')::float8"),
        ("exact", "boolean", "The set of its prompt is known to be smallest.", "({s}->>'exact')::boolean"),
    ],
    "item_strength": [
        ("mean", "number", "Gap of the strengths of the two responses; positive = response_b better.", "{value}"),
        ("strength", "number", "The same toward the label: negative = its other comparisons speak against the label.",
         "({direction} * {value})"),
        ("spread", "number", "Standard error of the gap.", "({s}->>'spread')::float8"),
        ("share", "number", "Probability that the preferred response is the stronger one, 0..1.",
         "(CASE WHEN {direction} > 0 THEN ({s}->>'share_b')::float8"
         " WHEN {direction} < 0 THEN 1 - ({s}->>'share_b')::float8 END)"),
        ("others", "number", "Other labelled comparisons of the response that has fewer of them.",
         "({s}->>'others')::float8"),
    ],
    "next_to_annotate": [
        ("worth", "number", "What a further answer of a person is worth, 0..1.", "{value}"),
        ("place", "number", "Place in the order in which to ask people, 1 = first.", "({s}->>'place')::float8"),
        ("uncertainty", "number", "How near the votes of models are to even, 0..1.", "({s}->>'uncertainty')::float8"),
        ("disagreement", "number", "How far models, people and label contradict each other, 0..1.",
         "({s}->>'disagreement')::float8"),
        ("retrieval", "number", "How many of the nearest answered comparisons people overruled, 0..1.",
         "({s}->>'retrieval')::float8"),
        ("open", "number", "How much a further answer can still change, 0..1.", "({s}->>'open')::float8"),
        ("is_random", "boolean", "It is in the order by chance.", "({s}->>'is_random')::boolean"),
    ],
    "peer_review": [
        ("keep_frequency", "number", "How often two models would have kept the label for each other, 0..1.", "{value}"),
        ("margin", "number", "Held-out margin of both models toward the label that the run saw.",
         "({s}->>'margin')::float8"),
        ("n_epochs", "number", "Epochs in which the row was ranked, over all models.", "({s}->>'n_epochs')::float8"),
    ],
}  # fmt: skip

METHODS = frozenset(LINES)


def sql_of(method: str, sql: str, direction: str) -> str:
    """In brackets, since a line may be a comparison itself."""
    said = sql.replace("{s}", f"{method}.fields").replace("{value}", f"{method}.value")
    return f"({said.replace('{direction}', direction)})"
