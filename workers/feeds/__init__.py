"""What methods are fed with, one file per kind of record: how a run is divided, read, checked and written.

A feed is a module with:

    drafts(run, method, params) -> list[Draft]      the shards, or CannotRun
    read(run, shard) -> records                     what `method.run` is given
    check(method, records, outcome) -> None         WrongOutcome where the method broke its contract
    write(run, shard, outcome) -> result            in the transaction that marks the shard done
    about(params) -> dict                           what to add to the result of the run
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

from ledger.models import Run, Shard
from ledger.shards import Draft
from workers.methods._base import Method, Outcome


class Feed(Protocol):
    def drafts(self, run: Run, method: Method, params: Any) -> list[Draft]: ...

    def read(self, run: Run, shard: Shard) -> Any: ...

    def check(self, method: Method, records: Any, outcome: Outcome) -> None: ...

    def write(self, run: Run, shard: Shard, outcome: Outcome) -> dict[str, Any]: ...

    def about(self, params: Any) -> dict[str, Any]: ...


def feed_of(needs: Sequence[str]) -> Feed:
    from workers.feeds import candidates, comparisons, prompts, recipes, votes

    if "prompts" in needs:
        return cast(Feed, prompts)
    if "candidates" in needs:
        return cast(Feed, candidates)
    if "recipe" in needs:
        return cast(Feed, recipes)
    return cast(Feed, votes if "votes" in needs else comparisons)
