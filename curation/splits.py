"""Which prompts go where: by hash, so that a prompt keeps its split from release to release.

Prompts that are the same but for case, spacing and letter forms stay together, and so do those that a near_duplicates
run put in one group. The whole corpus counts, whatever a recipe keeps, so that no recipe moves a prompt.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256

from django.db import connection

from accounts.models import Project
from accounts.problems import Invalid
from corpus.models import Prompt
from curation.models import Split

BATCH = 5_000


class InvalidSplits(Invalid):
    code = "invalid_splits"


@dataclass(frozen=True)
class Shares:
    """Percent of the prompts; they add up to 100."""

    train: float = 90
    validation: float = 5
    test: float = 5

    def __post_init__(self) -> None:
        for name, share in asdict(self).items():
            if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 100:
                raise InvalidSplits(
                    f"The share of {name} is a percentage, 0 to 100.", fields={f"splits.{name}": "0..100"}
                )
        if abs(self.train + self.validation + self.test - 100) > 1e-6:
            raise InvalidSplits("The shares of train, validation and test add up to 100.", fields={"splits": "sum"})

    def split_of(self, key: bytes) -> Split:
        place = int.from_bytes(sha256(b"winnow split\0" + key).digest()[:8], "big") / 2**64 * 100
        if place < self.train:
            return Split.TRAIN
        return Split.VALIDATION if place < self.train + self.validation else Split.TEST


def split_prompts(project: Project, shares: Shares, *, duplicates_run_id: int | None) -> Iterator[tuple[int, Split]]:
    """Every prompt of the project with its split."""
    families = _Families()
    keys: dict[int, bytes] = {}
    first_of: dict[bytes, int] = {}
    for prompt_id, messages in _prompts(project):
        keys[prompt_id] = key = normalised_hash(messages)
        families.join(prompt_id, first_of.setdefault(key, prompt_id))
    for one, other in _linked(project, duplicates_run_id):
        families.join(one, other)
    least: dict[int, bytes] = {}
    for prompt_id, key in keys.items():
        head = families.head(prompt_id)
        least[head] = min(least.get(head, key), key)
    for prompt_id in keys:
        yield prompt_id, shares.split_of(least[families.head(prompt_id)])


def normalised_hash(messages: list[dict[str, str]]) -> bytes:
    turns = "\0".join(f"{message.get('role', '')}\1{_normalised(message.get('content') or '')}" for message in messages)
    return sha256(turns.encode()).digest()


def _normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class _Families:
    """Union-find over prompt ids."""

    def __init__(self) -> None:
        self.parent: dict[int, int] = {}

    def head(self, member: int) -> int:
        parent = self.parent
        while (above := parent.setdefault(member, member)) != member:
            parent[member] = parent.setdefault(above, above)
            member = parent[member]
        return member

    def join(self, one: int, other: int) -> None:
        one, other = self.head(one), self.head(other)
        self.parent[max(one, other)] = min(one, other)


def _prompts(project: Project) -> Iterator[tuple[int, list[dict[str, str]]]]:
    """Page by page, so that no cursor has to live through a long read."""
    last = 0
    while page := list(
        Prompt.objects.filter(project=project, id__gt=last).order_by("id").values_list("id", "messages")[:BATCH]
    ):
        yield from page
        last = page[-1][0]


def _linked(project: Project, run_id: int | None) -> list[tuple[int, int]]:
    """Pairs of prompts whose comparisons are in one group."""
    if run_id is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT c.prompt_id, first.prompt_id
            FROM curation_signal s
            JOIN corpus_comparison c ON c.id = s.comparison_id
            JOIN corpus_comparison first ON first.id = (s.fields->>'group')::bigint AND first.project_id = %(project)s
            WHERE s.run_id = %(run)s AND c.project_id = %(project)s AND (s.fields->>'is_duplicate')::boolean
              AND first.prompt_id <> c.prompt_id
            """,
            {"project": project.pk, "run": run_id},
        )
        return [(one, other) for one, other in cursor.fetchall()]
