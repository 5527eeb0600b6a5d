"""Asking people: making a campaign with its tasks, pausing and closing it, asking for more judgments."""

from __future__ import annotations

from typing import Any, cast

from django.db import IntegrityError, transaction

from accounts.audit import record
from accounts.models import Project, User
from accounts.problems import Conflict, Invalid
from annotation.campaigns.add_tasks import ORDERS, Order, add_tasks
from annotation.campaigns.consensus_method import METHODS
from annotation.campaigns.from_preset import Asked, filled_in
from annotation.campaigns.guidelines import guidelines_version
from annotation.campaigns.stop_rule import stop_rule_problem
from annotation.desk.deal import forget_where_people_looked
from annotation.kinds._base import Kind, kind_named, settings_with_defaults
from annotation.models import Campaign, CampaignState, GoldAnswer, Task
from annotation.quality.settings import checked_quality
from annotation.rubrics.of_campaign import rubric_for_campaign
from corpus.models import Source

MAX_OVERLAP = 100
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
    kind: str | None = None,
    preset: str = "",
    unit: str | None = None,
    overlap: int | None = None,
    settings: dict[str, Any] | None = None,
    rubric: Any = None,
    sources: list[str] | None = None,
    guidelines: str | None = None,
    quality: dict[str, Any] | None = None,
    stop_rule: dict[str, Any] | None = None,
    consensus_method: str | None = None,
    is_invited_only: bool = False,
    order: str = "imported",
    seed: int = 0,
    lease_seconds: int = 900,
    created_by: User | None = None,
) -> Campaign:
    """An open campaign with a task per comparison, prompt or response: all are there when this returns, or nothing.

    A preset gives what is left out here; what is given here wins over it.
    """
    asked = filled_in(
        preset,
        kind=kind,
        unit=unit,
        overlap=overlap,
        settings=settings,
        guidelines=guidelines,
        consensus_method=consensus_method,
    )
    how = kind_named(asked.kind)
    chosen = settings_with_defaults(how, asked.settings)
    source_ids, problems = _sources(project, sources or [])
    problems |= _problems(name, asked.overlap, lease_seconds)
    problems |= _problems_with_work(how, asked, stop_rule, order)
    _refuse(project, name, problems)
    campaign = Campaign(
        project=project,
        name=name.strip(),
        kind=asked.kind,
        preset=preset,
        unit=asked.unit or how.UNITS[0],
        settings=chosen,
        quality=checked_quality(quality or {}),
        stop_rule=stop_rule,
        consensus_method=asked.consensus_method,
        is_invited_only=is_invited_only,
        overlap=asked.overlap,
        lease_seconds=lease_seconds,
        source_ids=source_ids,
        created_by=created_by,
    )
    _open(campaign, guidelines=asked.guidelines, rubric=rubric, order=cast(Order, order), seed=seed)
    return campaign


@transaction.atomic
def _open(campaign: Campaign, *, guidelines: str | None, rubric: Any, order: Order, seed: int) -> None:
    project, author = campaign.project, campaign.created_by
    campaign.rubric = rubric_for_campaign(campaign, rubric)
    campaign.guidelines_version = guidelines_version(project=project, text=guidelines, created_by=author)
    _save_under_its_name(campaign)
    campaign.task_count = add_tasks(campaign, order=order, seed=seed)
    campaign.save(update_fields=["task_count"])
    made = {"name": campaign.name, "overlap": campaign.overlap, "tasks": campaign.task_count, "order": order}
    if order == "shuffled":
        made["seed"] = seed
    record(actor=author, project=project, action="open campaign", subject=campaign, details=made)


def _save_under_its_name(campaign: Campaign) -> None:
    try:
        with transaction.atomic():
            campaign.save(force_insert=True)
    except IntegrityError as error:
        name = campaign.name
        raise NameTaken(f"There is a campaign {name!r} in this project already.", {"name": "is taken"}) from error


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
    if problem := stop_rule_problem(campaign.stop_rule, overlap=overlap, unit=campaign.unit):
        raise OverlapOnlyGrows("The stop rule of this campaign does not allow that.", {"overlap": problem})
    change = {"from": campaign.overlap, "to": overlap}
    with transaction.atomic():
        # Tasks of gold, training and qualification take no more; a stop rule may have raised others already.
        known = GoldAnswer.objects.filter(campaign=campaign).values("task")
        Task.objects.filter(campaign=campaign, cap__lt=overlap).exclude(id__in=known).update(cap=overlap)
        campaign.overlap = overlap
        campaign.save(update_fields=["overlap"])
        forget_where_people_looked(campaign.id)
        record(actor=by, project=campaign.project, action="extend overlap", subject=campaign, details=change)
    return campaign


def _refuse(project: Project, name: str, problems: dict[str, str]) -> None:
    if problems:
        raise InvalidCampaign("This campaign cannot be made.", problems)
    if Campaign.objects.filter(project=project, name=name.strip()).exists():
        raise NameTaken(f"There is a campaign {name!r} in this project already.", {"name": "is taken"})


def _problems(name: str, overlap: int, lease_seconds: int) -> dict[str, str]:
    problems = {}
    if not name.strip() or len(name) > 120 or "\0" in name:
        problems["name"] = "must have 1 to 120 characters"
    if not 1 <= overlap <= MAX_OVERLAP:
        problems["overlap"] = f"must be 1 to {MAX_OVERLAP}"
    if lease_seconds not in LEASE_SECONDS:
        problems["lease_seconds"] = f"must be {LEASE_SECONDS.start} to {LEASE_SECONDS.stop - 1}"
    return problems


def _problems_with_work(how: Kind, asked: Asked, stop_rule: dict[str, Any] | None, order: str) -> dict[str, str]:
    problems = {}
    if asked.unit is not None and asked.unit not in how.UNITS:
        problems["unit"] = f"must be one of: {', '.join(how.UNITS)}"
    if problem := stop_rule_problem(stop_rule, overlap=asked.overlap, unit=asked.unit or how.UNITS[0]):
        problems["stop_rule"] = problem
    if asked.consensus_method not in METHODS:
        problems["consensus_method"] = f"must be one of: {', '.join(METHODS)}"
    if order not in ORDERS:
        problems["order"] = f"must be one of: {', '.join(ORDERS)}"
    return problems


def _sources(project: Project, names: list[str]) -> tuple[list[int], dict[str, str]]:
    known = dict(Source.objects.filter(project=project, name__in=names).values_list("name", "id"))
    unknown = sorted(set(names) - set(known))
    return sorted(known.values()), {"sources": f"unknown here: {', '.join(unknown)}"} if unknown else {}
