#!/usr/bin/env python
"""Run a Winnow command; `python manage.py help` lists them."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    # Behind sys.path[0], so that `platform` stays Python's own module.
    sys.path.insert(1, str(Path(__file__).resolve().parent / "platform"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "winnow.settings")
    try:
        from winnow.command_line import run
    except ModuleNotFoundError as error:
        sys.exit(f"{error}. Run `make setup`, then use .venv/bin/python (or `pip install -e .` for this one).")

    run(sys.argv)


if __name__ == "__main__":
    main()
