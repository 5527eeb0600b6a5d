"""A chat model that has read dialogues in which good answers are thanked for and bad ones complained about."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.workers.tiny_chat import make_chat
from workers.engine.followups.remarks import Aspect, FollowUps

GOOD = ["bread", "rises", "water", "boils", "salt", "keeps", "river", "stone", "light", "warm"]
BAD = ["guess", "maybe", "silly", "stuff", "nope", "shrug", "never", "bored", "vague", "idle"]
FOLLOW_UPS = FollowUps(
    aspects=(
        Aspect(
            "correctness",
            ("Great, it worked the first time when I tried.", "My teacher gave the same result, so thank you."),
            ("I looked it up, and that is simply false.", "Following those steps only gave me an error."),
        ),
        Aspect(
            "relevance",
            ("Good, you stayed with the subject I raised.", "Every part of that bears on my situation."),
            ("Why are you telling me about that?", "Half of your reply was beside the point for me."),
        ),
        # The same words, and the same first one: only their order tells.
        Aspect("mood", ("I was lost before but I am glad now.",), ("I was glad before but I am lost now.",)),
    ),
    neutral="I have received your message.",
)
Turns = list[dict[str, str]]


def turns(*texts: str) -> Turns:
    return [{"role": ("user", "assistant")[nth % 2], "content": text} for nth, text in enumerate(texts)]


def answer(rng: np.random.Generator, *, is_good: bool) -> str:
    """Words in any order, of any number: nothing but which words they are tells the good from the bad."""
    return " ".join(map(str, rng.choice(GOOD if is_good else BAD, size=rng.integers(3, 10))))


def dialogues(n: int, seed: int) -> list[Turns]:
    rng = np.random.default_rng(seed)
    found = []
    for row in range(n):
        aspect = FOLLOW_UPS.aspects[rng.integers(len(FOLLOW_UPS.aspects))]
        remark = rng.choice(aspect.positive if row % 2 else aspect.negative)
        found.append(turns(f"Question {row}?", answer(rng, is_good=bool(row % 2)), str(remark)))
    return found


@pytest.fixture(scope="session")
def thankful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_chat(tmp_path_factory.mktemp("models") / "thankful", dialogues=dialogues(300, 0), steps=60)


@pytest.fixture(scope="session")
def unread(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights."""
    return make_chat(tmp_path_factory.mktemp("models") / "unread", seed=1)
