"""What annotators want the curator to see."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.problems import NotFound
from annotation.desk.flags import open_flags
from annotation.desk.presentation import opening_of
from annotation.models import Campaign, Flag, Task

SHOWN = 100


class NoSuchFlag(NotFound):
    code = "no_such_flag"


@dataclass(frozen=True)
class FlagRow:
    flag: Flag
    opening: str


def flag_rows(campaign: Campaign) -> list[FlagRow]:
    """The open ones, oldest first."""
    return [FlagRow(flag, task_opening(flag.task)) for flag in open_flags(campaign)[:SHOWN]]


def flag_in(campaign: Campaign, flag_id: int) -> Flag:
    flag = Flag.objects.filter(campaign=campaign, id=flag_id).first()
    if flag is None:
        raise NoSuchFlag(f"There is no flag {flag_id} in {campaign.name}.")
    return flag


def task_opening(task: Task) -> str:
    """The beginning of what was asked, to recognise it by."""
    shown = task.comparison or task
    return (opening_of(shown.prompt.messages) if shown.prompt else "") or "(no text)"
