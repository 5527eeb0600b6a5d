"""The customisation of a run: which router, which words, and what became of each prompt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workers.engine.bench import Bench, Unworkable
from workers.engine.domains.document import Domains, domains_of
from workers.engine.domains.dress import Dress, Messages
from workers.engine.domains.route import MARGIN, Route, by_centroid, by_model, by_rules

OFF = "off"


class Plain:
    """Nothing before any prompt."""

    def __call__(self, messages: Messages) -> Messages:
        return messages

    def names(self, messages: Messages) -> tuple[str, str]:
        return "", ""

    def as_record(self) -> dict[str, Any]:
        return {"by": OFF}


class Customised(Dress):
    def __init__(
        self, prompts: Iterable[Messages], by: str, route: Route, domains: Domains, bench: Bench, *, seed: int
    ) -> None:
        super().__init__(prompts, route, domains, bench, seed=seed)
        self._by, self._domains, self._seed = by, domains, seed

    def names(self, messages: Messages) -> tuple[str, str]:
        """Of the domain and of the worked case."""
        routed = self.of(messages)
        return routed.domain, routed.exemplar

    def as_record(self) -> dict[str, Any]:
        told: dict[str, Any] = {"by": self._by, "wording": self._domains.as_record(), "seed": self._seed}
        return told | ({"margin": MARGIN} if self._by == "centroid" else {})


def customised(
    prompts: Iterable[Messages], by: str, bench: Bench, *, version: int, seed: int, encoder: str, router_model: str
) -> Plain | Customised:
    if by == OFF:
        return Plain()
    routes = {"rules": by_rules, "centroid": by_centroid(encoder), "model": by_model(router_model)}
    return Customised(prompts, by, routes[by], domains_of(bench.wording("domains", version)), bench, seed=seed)


def check_router(by: str, *, encoder: str, router_model: str) -> None:
    """Unworkable before anything starts."""
    if by == "centroid":
        from workers.engine.texts.embeddings import model_folder

        model_folder(encoder)
    if by == "model" and not router_model.strip():
        raise Unworkable(
            "Name the model that reads the prompts as `router_model`, or let rules or centroid place them; any causal "
            "model will do, the strong one included."
        )
