"""Asking people: making a campaign with its tasks, pausing and closing it, asking for more judgments."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, connection, transaction

from accounts.audit import record
from accounts.models import Project, User
from accounts.problems import Conflict, Invalid
from annotation.kinds._base import kind_named, settings_with_defaults
from annotation.models import Campaign, CampaignState, Guidelines, Task, Unit
from corpus.models import Source

MAX_OVERLAP = 100
# Of more responses to a prompt, these many are ranked, the oldest first.
MAX_RANKED = 12
LEASE_SECONDS = range(30, 24 * 3600 + 1)


class InvalidCampaign(Invalid):
    code = "invalid_campaign"


class NameTaken(Conflict):
    code = "name_taken"


class OverlapOnlyGrows(Invalid):
    code = "invalid_overlap"


def create_campaign(
    *,
    project: Project,
    name: str,
    kind: str = "pairwise",
    unit: str | None = None,
    overlap: int = 1,
    settings: dict[str, Any] | None = None,
    sources: list[str] | None = None,
    guidelines: str | None = None,
    lease_seconds: int = 900,
    created_by: User | None = None,
) -> Campaign:
    """An open campaign with a task per comparison, prompt or response: all are there when this returns, or nothing."""
    how = kind_named(kind)
    chosen = settings_with_defaults(how, settings or {})
    problems = _problems(name, overlap, lease_seconds)
    if unit is not None and unit not in how.UNITS:
        problems["unit"] = f"must be one of: {', '.join(how.UNITS)}"
    source_ids, unknown = _sources(project, sources or [])
    if unknown:
        problems["sources"] = f"unknown here: {', '.join(sorted(unknown))}"
    if problems:
        raise InvalidCampaign("This campaign cannot be made.", problems)
    try:
        with transaction.atomic():
            campaign = Campaign.objects.create(
                project=project,
                name=name.strip(),
                kind=kind,
                unit=unit or how.UNITS[0],
                settings=chosen,
                overlap=overlap,
                lease_seconds=lease_seconds,
                source_ids=source_ids,
                guidelines_version=guidelines_version(project=project, text=guidelines, created_by=created_by),
                created_by=created_by,
            )
            campaign.task_count = _add_tasks(campaign)
            campaign.save(update_fields=["task_count"])
            made = {"name": campaign.name, "overlap": overlap, "tasks": campaign.task_count}
            record(actor=created_by, project=project, action="open campaign", subject=campaign, details=made)
    except IntegrityError as error:
        raise NameTaken(f"There is a campaign {name!r} in this project already.", {"name": "is taken"}) from error
    return campaign


def guidelines_version(*, project: Project, text: str | None, created_by: User | None) -> int | None:
    """The newest version, or a new one if the text differs from it; None text leaves them as they are."""
    newest = Guidelines.objects.filter(project=project).order_by("-version").first()
    if text is None or not text.strip() or (newest is not None and newest.text == text):
        return newest.version if newest else None
    version = newest.version + 1 if newest else 1
    Guidelines.objects.create(project=project, version=version, text=text, created_by=created_by)
    return version


def set_state(*, campaign: Campaign, state: CampaignState, by: User | None) -> Campaign:
    """Pause, open again or close. Who holds an item of a paused campaign may still answer it."""
    change = {"from": campaign.state, "to": str(state)}
    with transaction.atomic():
        campaign.state = state
        campaign.save(update_fields=["state"])
        record(actor=by, project=campaign.project, action="change campaign", subject=campaign, details=change)
    return campaign


def extend_overlap(*, campaign: Campaign, overlap: int, by: User | None) -> Campaign:
    """Asks for more judgments per comparison; never for fewer, since they may be in already."""
    if not campaign.overlap < overlap <= MAX_OVERLAP:
        limit = f"must be more than {campaign.overlap} and at most {MAX_OVERLAP}"
        raise OverlapOnlyGrows("The overlap of a campaign can only grow.", {"overlap": limit})
    change = {"from": campaign.overlap, "to": overlap}
    with transaction.atomic():
        Task.objects.filter(campaign=campaign).update(cap=overlap)
        campaign.overlap = overlap
        campaign.save(update_fields=["overlap"])
        record(actor=by, project=campaign.project, action="extend overlap", subject=campaign, details=change)
    return campaign


def _problems(name: str, overlap: int, lease_seconds: int) -> dict[str, str]:
    problems = {}
    if not name.strip() or len(name) > 120 or "\0" in name:
        problems["name"] = "must have 1 to 120 characters"
    if not 1 <= overlap <= MAX_OVERLAP:
        problems["overlap"] = f"must be 1 to {MAX_OVERLAP}"
    if lease_seconds not in LEASE_SECONDS:
        problems["lease_seconds"] = f"must be {LEASE_SECONDS.start} to {LEASE_SECONDS.stop - 1}"
    return problems


def _sources(project: Project, names: list[str]) -> tuple[list[int], set[str]]:
    known = dict(Source.objects.filter(project=project, name__in=names).values_list("name", "id"))
    return sorted(known.values()), set(names) - set(known)


def _add_tasks(campaign: Campaign) -> int:
    """One statement, also for a million; then fresh statistics, so that the first claims are planned well."""
    where = "AND source_id = ANY(%(sources)s)" if campaign.source_ids else ""
    names: dict[str, Any] = {
        "campaign": campaign.id,
        "project": campaign.project_id,
        "cap": campaign.overlap,
        "sources": campaign.source_ids,
        "most": MAX_RANKED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADD_TASKS[Unit(campaign.unit)].format(where=where), names)
        count = int(cursor.rowcount)
        if count > 1000:
            cursor.execute("ANALYZE annotation_task")
        return count


_ADD_COMPARISONS = """
INSERT INTO annotation_task (campaign_id, comparison_id, priority, cap, slots_a_first, slots_b_first, judged)
SELECT %(campaign)s, id, 0, %(cap)s, 0, 0, 0 FROM corpus_comparison WHERE project_id = %(project)s {where} ORDER BY id
"""
_ADD_RESPONSES = """
WITH listed AS (
    SELECT DISTINCT prompt_id, unnest(ARRAY[response_a_id, response_b_id]) AS response_id
    FROM corpus_comparison WHERE project_id = %(project)s {where}
)
"""
_ADD_SETS = (
    _ADD_RESPONSES
    + """
INSERT INTO annotation_task (campaign_id, prompt_id, response_ids, priority, cap, slots_a_first, slots_b_first, judged)
"""
)
_ADD_PROMPTS = (
    _ADD_SETS
    + """
SELECT %(campaign)s, prompt_id, (array_agg(response_id ORDER BY response_id))[1:%(most)s], 0, %(cap)s, 0, 0, 0
FROM listed GROUP BY prompt_id HAVING count(*) > 1 ORDER BY prompt_id
"""
)
_ADD_SINGLES = (
    _ADD_SETS
    + """
SELECT %(campaign)s, prompt_id, ARRAY[response_id], 0, %(cap)s, 0, 0, 0 FROM listed ORDER BY prompt_id, response_id
"""
)
_ADD_TASKS = {Unit.COMPARISON: _ADD_COMPARISONS, Unit.PROMPT: _ADD_PROMPTS, Unit.RESPONSE: _ADD_SINGLES}
