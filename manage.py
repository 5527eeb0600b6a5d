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
    from winnow.command_line import run

    run(sys.argv)


if __name__ == "__main__":
    main()
