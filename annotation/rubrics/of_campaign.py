"""The rubric that a campaign asks by: chosen when it is made, changed to another version while it runs."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from accounts.audit import record
from accounts.models import Project, User
from accounts.problems import Invalid
from annotation.models import Campaign, Rubric, Unit
from annotation.rubrics.document import criteria_of
from annotation.rubrics.queries import newest_named, version_named
from annotation.rubrics.read import criteria_in
from annotation.rubrics.save import save_rubric

KIND, COMPARATIVE = "rubric", "comparative"
WHAT_TO_SEND = (
    "send the name of a rubric of this project, or the criteria themselves: "
    '[{"id": "polite", "text": "Is it polite?", "kind": "hard", "answers": "yes_no"}]'
)


class RubricNeeded(Invalid):
    code = "rubric_needed"


class UnknownRubricVersion(Invalid):
    code = "unknown_rubric_version"


def rubric_for_campaign(campaign: Campaign, given: Any) -> Rubric | None:
    """The rubric of a campaign that is being made, in its transaction; None for kinds without one.

    `given` or settings["rubric"] names a rubric of the project, whose newest version it is, or is the document itself,
    which then becomes a rubric with the name of the campaign. The settings keep the name.
    """
    project, settings = campaign.project, campaign.settings
    if campaign.kind != KIND:
        if given is not None:
            problem = f"is not asked for by kind {campaign.kind}"
            raise RubricNeeded("A rubric goes with kind rubric.", {"rubric": problem})
        return None
    if settings.get("mode") == COMPARATIVE and campaign.unit != Unit.COMPARISON:
        raise RubricNeeded("Comparative criteria need two responses.", {"unit": "must be comparison"})
    wanted = given if given is not None else settings.get("rubric")
    is_named = isinstance(wanted, str)
    rubric = _named(project, wanted) if is_named else _written(project, campaign.name, wanted, campaign.created_by)
    _refuse_without_questions(rubric, settings)
    settings["rubric"] = rubric.name
    return rubric


def _named(project: Project, name: str) -> Rubric:
    found = newest_named(project, name) if "\0" not in name else None
    if found is None:
        raise RubricNeeded(f"There is no rubric {name[:120]!r} in this project.", {"rubric": WHAT_TO_SEND})
    return found


def _written(project: Project, name: str, document: Any, by: User | None) -> Rubric:
    if document is None:
        raise RubricNeeded("A campaign of kind rubric needs a rubric.", {"rubric": WHAT_TO_SEND})
    return save_rubric(project=project, name=name, criteria=criteria_in(document), by=by, origin="campaign")


def _refuse_without_questions(rubric: Rubric, settings: dict[str, Any]) -> None:
    of_pairs = settings.get("mode") == COMPARATIVE
    if not any(criterion.is_asked(of_pairs=of_pairs) for criterion in criteria_of(rubric.criteria)):
        wanted = "pairs" if of_pairs else "responses"
        raise RubricNeeded(f"No criterion of {rubric.name!r} applies to {wanted}.", {"settings.mode": "asks nothing"})


def change_rubric(*, campaign: Campaign, version: int, by: User | None) -> Campaign:
    """From now on the campaign asks by this version. Who holds an item has to look at it again."""
    if campaign.rubric is None:
        raise UnknownRubricVersion("This campaign has no rubric.", {"rubric_version": "is not asked for here"})
    name = campaign.rubric.name
    wanted = version_named(campaign.project, name, version) if 0 < version < 2**31 else None
    if wanted is None:
        raise UnknownRubricVersion(f"{name!r} has no version {version}.", {"rubric_version": "is unknown"})
    _refuse_without_questions(wanted, campaign.settings)
    change = {"rubric": name, "from": campaign.rubric.version, "to": version}
    with transaction.atomic():
        campaign.rubric = wanted
        campaign.save(update_fields=["rubric"])
        record(actor=by, project=campaign.project, action="change rubric", subject=campaign, details=change)
    return campaign
