"""The keys of the desk: actions with their default keys, and what a person has bound otherwise.

A key is named by what it writes ("h", "Shift+H", "[", "Space"), never by where it sits, so that every keyboard has it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.problems import Invalid
from annotation.models import KeyBindings


class KeysRefused(Invalid):
    code = "keys_refused"


@dataclass(frozen=True)
class Action:
    """Something that a key asks for. `kinds` = judgment kinds that use it; empty = all of them."""

    name: str
    key: str
    words: str
    group: str
    kinds: tuple[str, ...] = ()

    def is_used_by(self, kind: str) -> bool:
        return not self.kinds or kind in self.kinds

    def meets(self, other: Action) -> bool:
        """Whether both are there at the same desk."""
        return not self.kinds or not other.kinds or bool(set(self.kinds) & set(other.kinds))


ANSWER, MOVE, LOOK, ITEM = "Answer", "Move", "Look", "Item"
_STEPS = (
    "A much better (or A, of three steps)",
    "A better (or tie, of three steps)",
    "A slightly better (or B, of three steps)",
    "Tie",
    "B slightly better",
    "B better",
    "B much better",
)
_SCALED = ("rating", "rubric", "ranking")
ACTIONS = (
    *(
        Action(f"choose{place}", str(place), words, ANSWER, ("pairwise",))
        for place, words in enumerate(_STEPS, start=1)
    ),
    Action("bothBad", "0", "Both bad", ANSWER, ("pairwise",)),
    Action("bothGood", "g", "Both good, where it is offered", ANSWER, ("pairwise",)),
    Action("yes", "y", "Yes", ANSWER, ("rubric",)),
    Action("no", "n", "No", ANSWER, ("rubric",)),
    Action("notApplicable", "x", "Not applicable", ANSWER, ("rubric",)),
    *(Action(f"digit{n}", str(n), f"{n} for the question in focus", ANSWER, _SCALED) for n in (*range(1, 10), 0)),
    Action("moveUp", "Shift+K", "Rank the response in focus higher", ANSWER, ("ranking",)),
    Action("moveDown", "Shift+J", "Rank the response in focus lower", ANSWER, ("ranking",)),
    Action("tie", "=", "Tie with the response above, or part from it", ANSWER, ("ranking",)),
    Action("justification", "c", "Write a justification", ANSWER),
    Action("highlightGood", "h", "Mark the selected words as good", ANSWER),
    Action("highlightBad", "Shift+H", "Mark the selected words as bad", ANSWER),
    Action("removeHighlight", "Shift+X", "Remove the mark from the selected words", ANSWER),
    Action("nextQuestion", "j", "Next question", MOVE),
    Action("previousQuestion", "k", "Previous question", MOVE),
    Action("focusA", "a", "To response A", MOVE),
    Action("focusB", "b", "To response B", MOVE),
    Action("scroll", "Space", "Scroll the response", MOVE),
    Action("scrollBack", "Shift+Space", "Scroll the response back", MOVE),
    Action("earlier", "[", "Earlier answer of mine", MOVE),
    Action("later", "]", "Later answer of mine", MOVE),
    Action("diff", "d", "Mark the differences", LOOK),
    Action("raw", "m", "Text as written, or rendered", LOOK),
    Action("fold", "z", "Fold or unfold long parts", LOOK),
    Action("width", "w", "Side by side, or one above the other", LOOK),
    Action("scrollLock", "l", "Scroll together by share, line by line, or apart", LOOK),
    Action("guidelines", "i", "Guidelines", LOOK),
    Action("theme", "t", "Light or dark", LOOK),
    Action("undo", "u", "Take back the answer just submitted", ITEM),
    Action("skip", "s", "Skip, with a reason", ITEM),
    Action("takeSkipBack", "Shift+S", "Take the skip back", ITEM),
    Action("flag", "f", "Flag for the curator", ITEM),
)
_BY_NAME = {action.name: action for action in ACTIONS}
# What stays as it is, for whoever reads the list.
FIXED = (
    ("Enter", "Submit, and on to the next"),
    ("Ctrl+Enter", "The same from inside a text field"),
    ("Ctrl+Z", "Undo inside the form"),
    ("Esc", "Leave a text field, a drawer or an earlier answer"),
    ("?", "Show this list"),
)


def default_keys() -> dict[str, str]:
    return {action.name: action.key for action in ACTIONS}


def keys_of(user: User) -> dict[str, str]:
    """The key of every action, as this person has it."""
    held = KeyBindings.objects.filter(user=user).values_list("bindings", flat=True).first() or {}
    return default_keys() | {name: key for name, key in held.items() if name in _BY_NAME}


def actions_of(kind: str) -> list[Action]:
    return [action for action in ACTIONS if action.is_used_by(kind)]


def bind_keys(*, user: User, keys: dict[str, str]) -> dict[str, str]:
    """Sets these, leaves the others as they are; all or none. The key of every action afterwards."""
    problems = {name: "is no action of the desk" for name in keys if name not in _BY_NAME}
    wanted: dict[str, str] = {}
    for name, written in keys.items():
        if name in problems:
            continue
        try:
            wanted[name] = key_named(written)
        except ValueError as reason:
            problems[name] = str(reason)
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        after = keys_of(user) | wanted
        problems = _clashes(after, wanted) | problems
        if problems:
            raise KeysRefused("These keys cannot be used; nothing was changed.", problems)
        differing = {name: key for name, key in after.items() if key != _BY_NAME[name].key}
        KeyBindings.objects.update_or_create(user=user, defaults={"bindings": differing, "updated_at": timezone.now()})
    return after


def reset_keys(*, user: User, action: str | None = None) -> dict[str, str]:
    """One action's default key again, or all of them. Refused where another action has that key by now."""
    if action is None:
        KeyBindings.objects.filter(user=user).delete()
        return default_keys()
    if action not in _BY_NAME:
        raise KeysRefused("This key cannot be reset.", {action: "is no action of the desk"})
    return bind_keys(user=user, keys={action: _BY_NAME[action].key})


def _clashes(keys: dict[str, str], changed: dict[str, str]) -> dict[str, str]:
    """Told of the changed ones: {action: sentence}."""
    found: dict[str, str] = {}
    for name in changed:
        mine = _BY_NAME[name]
        for other in ACTIONS:
            if other.name != name and keys[other.name] == keys[name] and mine.meets(other):
                found[name] = f"{keys[name]} is the key of “{other.words}” already"
                break
    return found


def key_named(written: str) -> str:
    """The one name of a key: "H" and "shift+h" are "Shift+H". ValueError says why it cannot be bound."""
    text = unicodedata.normalize("NFC", written if written == " " else written.strip())
    prefix, plus, rest = text.rpartition("+")
    if text in {"+", ""} or not rest:
        prefix, rest = "", text
    is_shifted = prefix.lower() == "shift"
    if rest == " " or rest.lower() == "space":
        rest = "Space"
    if not rest:
        raise ValueError("needs a key")
    if plus and prefix and not is_shifted:
        raise ValueError("chords with Ctrl, Alt or Meta belong to the browser")
    if rest == "Space":
        return "Shift+Space" if is_shifted else "Space"
    return _character_named(rest, is_shifted)


def _character_named(rest: str, is_shifted: bool) -> str:
    if rest == "?":
        raise ValueError("? shows the list of keys")
    if len(rest) > 1 or not rest.isprintable():
        raise ValueError("must be one letter, digit or sign, with Shift if you like, or Space")
    if rest.lower() == rest.upper():
        if is_shifted:
            raise ValueError("is named by what it writes: press it, or type the sign itself")
        return rest
    return f"Shift+{rest.upper()}" if is_shifted or rest != rest.lower() else rest
