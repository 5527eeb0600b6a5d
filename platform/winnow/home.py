"""What needs a person now, in each of their projects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count
from django.urls import reverse

from accounts.access import ROLES, role_in
from accounts.models import Project, Role, User
from annotation.campaigns.mine import open_to
from annotation.campaigns.queries import CampaignWork, has_simulated_votes, work_among
from corpus.models import Source
from curation import review_queue
from curation.freshness import is_large
from curation.models import Release
from ledger.models import FINISHED_STATES, Run, State

RECENT = timedelta(days=7)


@dataclass(frozen=True)
class Need:
    """One thing to do: a sentence, what it is called on its button, and where it is done."""

    sentence: str
    verb: str
    href: str
    is_first: bool = False


@dataclass(frozen=True)
class ProjectAtHome:
    project: Project
    role: Role
    needs: list[Need]
    # Somebody made up has answered here; see accounts.User.is_simulated.
    has_simulated_votes: bool = False


def at_home(user: User, projects: list[Project], *, now: datetime) -> list[ProjectAtHome]:
    found = []
    for project in projects:
        role = role_in(user, project) or Role.ANNOTATOR
        needs = list(_for_annotator(user, project, role))
        if ROLES.index(role) >= ROLES.index(Role.CURATOR):
            needs += _for_curator(project, now)
        found.append(ProjectAtHome(project, role, needs, has_simulated_votes(project)))
    return found


def _for_annotator(user: User, project: Project, role: Role) -> Iterator[Need]:
    for work in work_among(open_to(project, user), user):
        if work.left_for_me:
            yield Need(_left_sentence(work), "Continue" if work.mine else "Start judging", _desk(project, work), True)


def _left_sentence(work: CampaignWork) -> str:
    done = f", {work.mine:,} answered by you" if work.mine else ""
    return f"{work.campaign.name}: {work.left_for_me:,} left to judge{done}"


def _desk(project: Project, work: CampaignWork) -> str:
    return reverse("annotation:judge", args=[project.slug, work.campaign.id])


def _for_curator(project: Project, now: datetime) -> Iterator[Need]:
    slug = [project.slug]
    if not Source.objects.filter(project=project).exists():
        yield Need("No comparisons yet", "Import a file", reverse("corpus:import", args=slug), True)
        return
    # Counting what waits reads the whole standing; a very large project is asked on its own page.
    if not is_large(project) and (waiting := review_queue.left(project)).count:
        more = "or more " if waiting.is_more else ""
        yield Need(f"{waiting.count:,} {more}labels to look at", "Review", reverse("curation:review", args=slug))
    runs = Run.objects.filter(project=project)
    by_state = dict(runs.exclude(state__in=FINISHED_STATES).order_by().values_list("state").annotate(n=Count("id")))
    if by_state:
        words = " and ".join(f"{count} {state}" for state, count in sorted(by_state.items()))
        yield Need(f"Background work: {words}", "Show runs", reverse("ledger:runs", args=slug))
    failed = runs.filter(state=State.FAILED, finished_at__gte=now - RECENT).order_by("-id")
    for run in failed[:3]:
        yield Need(f"{run.method} failed", "Show why", reverse("ledger:run", args=[project.slug, run.id]))
    if not Release.objects.filter(project=project).exists():
        yield Need("Nothing frozen yet", "Choose a recipe", reverse("curation:recipes", args=slug))
