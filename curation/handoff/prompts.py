"""Prompts as a run that writes reads them, and the candidates that it gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from accounts.models import Project
from accounts.problems import NotFound
from corpus.add import Added, NewResponse, add_responses
from corpus.models import Prompt, Source
from curation.handoff.scores import write_scores
from ledger.models import Run, State

# id * (a power of FACTOR, by the seed) mod PRIME scatters the ids of prompts.
PRIME, FACTOR = 2_147_483_647, 1_103_515_245
# How often a run wrote a text as a candidate, and how often it ended it by itself.
COPIES, ENDED = "copies", "ended"


class UnknownSource(NotFound):
    code = "unknown_source"


class NoCandidates(NotFound):
    code = "no_candidates"


@dataclass(frozen=True, slots=True)
class PromptRow:
    id: int
    messages: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class CandidatesRow:
    """A prompt with the distinct texts that a run wrote for it: (response, text, copies), in order of id."""

    id: int
    messages: list[dict[str, Any]]
    responses: list[tuple[int, str, int]]


def prompts_to_answer(project: Project, *, source: str, limit: int, seed: int) -> list[int]:
    """Of the whole project or of one source; with a limit, which ones is settled by the seed. In order of id."""
    names: dict[str, Any] = {"project": project.pk, "limit": limit or None, "prime": PRIME}
    names["factor"] = pow(FACTOR, seed + 1, PRIME)
    where = "p.project_id = %(project)s"
    if source:
        found = Source.objects.filter(project=project, name=source).first()
        if found is None:
            raise UnknownSource(f"There is no source {source[:120]!r} in {project.slug}.")
        names["source"] = found.pk
        where += " AND EXISTS (SELECT 1 FROM corpus_comparison c WHERE c.prompt_id = p.id AND c.source_id = %(source)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM (SELECT p.id FROM corpus_prompt p"  # noqa: S608 - constants, values bound
            f" WHERE {where} ORDER BY mod(p.id * %(factor)s, %(prime)s), p.id LIMIT %(limit)s) drawn ORDER BY id",
            names,
        )
        return [id_ for (id_,) in cursor.fetchall()]


def read_prompts(project: Project, ids: Sequence[int]) -> list[PromptRow]:
    rows = Prompt.objects.filter(project=project, pk__in=ids).order_by("pk").values_list("pk", "messages")
    return [PromptRow(id_, messages) for id_, messages in rows]


def write_candidates(run: Run, rows: Sequence[tuple[NewResponse, int, int]]) -> Added:
    """Each distinct text once, with how often it was written and ended; the same again is the same."""
    added = add_responses(run.project_id, [row for row, _, _ in rows])
    scores = []
    for id_, (_, copies, ended) in zip(added.ids, rows, strict=True):
        scores += [(id_, COPIES, float(copies)), (id_, ENDED, float(ended))]
    write_scores(run_id=run.pk, rows=scores)
    return added


def sampling_run(project: Project, number: int) -> Run:
    """The run of that number that wrote candidates, or the newest one."""
    done = Run.objects.filter(project=project, method="sample_responses", state=State.DONE).order_by("-pk")
    found = done.filter(pk=number).first() if number else done.first()
    if found is None:
        raise NoCandidates(
            f"Run {number} wrote no candidates in {project.slug}."
            if number
            else f"Nobody has written candidates in {project.slug} yet: run sample_responses first."
        )
    return found


def prompts_with_candidates(run: Run) -> list[int]:
    """With two texts at least, in order of id."""
    with connection.cursor() as cursor:
        cursor.execute(WITH_CANDIDATES, {"run": run.pk, "copies": COPIES})
        return [id_ for (id_,) in cursor.fetchall()]


WITH_CANDIDATES = """
    SELECT r.prompt_id FROM curation_score s JOIN corpus_response r ON r.id = s.response_id
     WHERE s.run_id = %(run)s AND s.name = %(copies)s GROUP BY 1 HAVING count(*) > 1 ORDER BY 1
"""


def read_candidates(project: Project, run_id: int, prompts: Sequence[int]) -> list[CandidatesRow]:
    with connection.cursor() as cursor:
        cursor.execute(CANDIDATES, {"run": run_id, "copies": COPIES, "prompts": list(prompts)})
        texts: dict[int, list[tuple[int, str, int]]] = {}
        for prompt_id, response_id, content, copies in cursor.fetchall():
            texts.setdefault(prompt_id, []).append((response_id, content, int(copies)))
    rows = read_prompts(project, prompts)
    return [CandidatesRow(row.id, row.messages, texts.get(row.id, [])) for row in rows]


CANDIDATES = """
    SELECT r.prompt_id, r.id, r.content, s.value FROM curation_score s JOIN corpus_response r ON r.id = s.response_id
     WHERE s.run_id = %(run)s AND s.name = %(copies)s AND r.prompt_id = ANY(%(prompts)s) ORDER BY 1, 2
"""
