"""A campaign's votes as a run reads them: arrays, a million in a second or two, in order of comparison and annotator.

What counts is what standing judgments of work say of a comparison: its own pairwise answer, also where that came with
ratings; and every pair of a ranking that is a comparison of the campaign's sources, as an answer of strength 1 or a
tie.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from accounts.models import Project
from accounts.problems import Invalid
from annotation.models import Campaign

# PostgreSQL's binary COPY: a header, then per row a count of columns and per column its length and bytes. No column is
# null, so that every row has the same length and the whole is one array.
COLUMNS = (
    ("comparison", "i8"), ("annotator", "i8"), ("a", "i8"), ("b", "i8"),
    ("choice", "i2"), ("bad", "i2"), ("first", "i2"),
)  # fmt: skip
HEADER, TRAILER = 19, 2
ROW = np.dtype([("columns", ">i2")] + [
    part for name, kind in COLUMNS for part in ((f"{name}_length", ">i4"), (name, f">{kind}"))
])  # fmt: skip


class NoVotes(Invalid):
    code = "no_votes"


class WhichCampaign(Invalid):
    code = "which_campaign"


@dataclass(frozen=True)
class VoteRows:
    """One entry per vote: ids, choice -3..3 (0 beside both bad), 1 where response_a was shown first, -1 response_b."""

    comparison: NDArray[np.int64]
    annotator: NDArray[np.int64]
    response_a: NDArray[np.int64]
    response_b: NDArray[np.int64]
    choice: NDArray[np.int64]
    is_both_bad: NDArray[np.bool_]
    first: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.comparison)


def campaign_to_read(project: Project, campaign_id: int) -> Campaign:
    """The campaign of that number, or for 0 the only one there is; a sentence where that is none."""
    campaigns = list(Campaign.objects.filter(project=project).order_by("id"))
    if campaign_id == 0 and len(campaigns) == 1:
        return campaigns[0]
    known = ", ".join(f"{campaign.pk} ({campaign.name})" for campaign in campaigns)
    if not campaigns:
        raise WhichCampaign("The project has no campaign yet, and so no votes; open one first.")
    if campaign_id == 0:
        raise WhichCampaign(f"Say which campaign: {known}.")
    for campaign in campaigns:
        if campaign.pk == campaign_id:
            return campaign
    raise WhichCampaign(f"The project has no campaign {campaign_id}; it has {known}.")


def count_votes(campaign: Campaign) -> int:
    """A vote per comparison and annotator; NoVotes where nobody has said anything that can be counted."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({VOTES}) AS votes", _names(campaign))  # noqa: S608 - the SQL below
        count = int(cursor.fetchone()[0])
    if not count:
        raise NoVotes(f"Nobody has compared anything in {campaign.name} yet; there is nothing to fit.")
    return count


def read_votes(campaign: Campaign) -> VoteRows:
    statement = f"COPY ({VOTES}) TO STDOUT (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(statement, _names(campaign)) as copy:
        raw = b"".join(bytes(block) for block in copy)
    rows = np.frombuffer(raw[HEADER : len(raw) - TRAILER], dtype=ROW)
    order = np.lexsort((rows["annotator"], rows["comparison"]))

    def column(name: str) -> NDArray[np.int64]:
        return rows[name][order].astype(np.int64)

    return VoteRows(
        comparison=column("comparison"),
        annotator=column("annotator"),
        response_a=column("a"),
        response_b=column("b"),
        choice=column("choice"),
        is_both_bad=column("bad") == 1,
        first=column("first"),
    )


def read_votes_of_project(project: Project) -> VoteRows | None:
    """Those of every campaign, one after the other; None where nobody has compared anything."""
    parts = [read_votes(campaign) for campaign in Campaign.objects.filter(project=project).order_by("id")]
    parts = [part for part in parts if len(part)]
    if not parts:
        return None
    return VoteRows(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])})


def _names(campaign: Campaign) -> dict[str, Any]:
    return {"campaign": campaign.pk, "project": campaign.project_id, "sources": campaign.source_ids}


VOTES = """
    WITH placed AS (
        SELECT j.id, j.annotator_id, j.order_shown, ranked.place, response.id::bigint AS response_id
          FROM annotation_judgment j
         CROSS JOIN LATERAL jsonb_array_elements(j.payload->'ranking') WITH ORDINALITY AS ranked(tied, place)
         CROSS JOIN LATERAL jsonb_array_elements_text(ranked.tied) AS response(id)
         WHERE j.campaign_id = %(campaign)s AND j.kind = 'ranking'
           AND j.superseded_by_id IS NULL AND j.purpose = 'work'
    )
    SELECT j.comparison_id, j.annotator_id, c.response_a_id, c.response_b_id,
           coalesce(j.choice, 0)::int2, j.is_both_bad::int::int2,
           CASE j.order_shown[1] WHEN c.response_a_id THEN 1 WHEN c.response_b_id THEN -1 ELSE 0 END::int2
      FROM annotation_judgment j JOIN corpus_comparison c ON c.id = j.comparison_id
     WHERE j.campaign_id = %(campaign)s AND j.superseded_by_id IS NULL AND j.purpose = 'work'
       AND (j.is_both_bad OR j.choice IS NOT NULL)
 UNION ALL
    SELECT c.id, one.annotator_id, c.response_a_id, c.response_b_id,
           sign(one.place - other.place)::int2, 0::int2,
           coalesce(sign(array_position(one.order_shown, c.response_b_id)
                         - array_position(one.order_shown, c.response_a_id)), 0)::int2
      FROM placed one
      JOIN placed other ON other.id = one.id
      JOIN corpus_comparison c ON c.response_a_id = one.response_id AND c.response_b_id = other.response_id
     WHERE c.project_id = %(project)s
       AND (cardinality(%(sources)s::bigint[]) = 0 OR c.source_id = ANY(%(sources)s::bigint[]))
"""
