"""Toys in folders that say what they are: in their names, in config.json and in a card."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workers.engine.bench import Unworkable
from workers.engine.models.folder import TOY, TOY_MARK, is_toy
from workers.engine.toys.make import Toys
from workers.engine.toys.shape import keep

NAME = re.compile(rf"{TOY}(-[a-z0-9]+)*")
LONGEST = 60
CARD = """---
license: other
library_name: transformers
tags: [toy]
---
# {name}

**A toy.** A Llama-type model of {parameters:,} parameters, trained from nothing on a CPU in a minute or two by Winnow's
`make_tiny_models`, so that what needs a pair of language models can be tried offline. It knows next to nothing: its
scores show that the machinery runs, not what a method is worth, and nothing that it writes is to be believed.

* What it is: {what}
* Trained on: {pairs:,} comparisons of {sources}. The licence of those texts goes for what was made of them.
* Held out: one prompt in {one_in} ({held_out:,} comparisons), by the hash of the prompt and the seed {seed}. Agreement
  with the labels of any other comparison of the project proves nothing, since they were trained on.
* The pair: `{pair}-strong` over `{pair}-weak`, by a tokenizer of {vocabulary:,} entries made with them.
"""
WHAT = {
    "weak": "next-token training on the conversations with both of their responses.",
    "strong": "the weak toy, trained further on which response people preferred (direct preference optimisation).",
}


def check_name(name: str) -> None:
    if len(name) > LONGEST or not NAME.fullmatch(name):
        raise Unworkable(
            f"{name!r} cannot be the name of toys: it begins with {TOY!r}, so that they are called so wherever they "
            f"appear, and has small letters, digits and single hyphens, {LONGEST} characters at most."
        )


def keep_toys(toys: Toys, models: Path, name: str, about: Mapping[str, Any]) -> dict[str, Path]:
    """Both folders, each whole or as it was before; `about` is said in the cards."""
    check_name(name)
    found = {}
    for which, model in (("weak", toys.weak), ("strong", toys.strong)):
        folder = models / f"{name}-{which}"
        fresh = models / f".{name}-{which}.{os.getpid()}"
        shutil.rmtree(fresh, ignore_errors=True)
        setattr(model.config, TOY_MARK, {"what": WHAT[which], "pair": name, **about})
        keep(model, toys.tokenizer, fresh)
        (fresh / "README.md").write_text(CARD.format(name=folder.name, what=WHAT[which], pair=name, **about))
        _put(fresh, folder)
        found[which] = folder
    return found


def _put(fresh: Path, folder: Path) -> None:
    """In the place of what is there; a name that is taken by something else than a toy is not overwritten."""
    if folder.exists():
        if not is_toy(folder):
            shutil.rmtree(fresh)
            raise Unworkable(f"{folder} is there already and no toy; it is left alone. Give another name.")
        old = folder.with_name(f"{fresh.name}.old")
        folder.replace(old)
        fresh.replace(folder)
        shutil.rmtree(old)
        return
    fresh.replace(folder)
