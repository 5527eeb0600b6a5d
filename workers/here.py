"""One run, carried out by this process and nobody else: for commands on a machine where no worker lives.

python -m workers.here RUN
"""

from __future__ import annotations

import logging
import signal
import sys
from types import FrameType

import django


def main(argv: list[str]) -> None:
    django.setup()
    from ledger.models import FINISHED_STATES, Run
    from ledger.reporter import stop_requested
    from workers import tasks

    def stop(number: int, frame: FrameType | None) -> None:
        stop_requested.set()

    signal.signal(signal.SIGTERM, stop)
    logging.basicConfig(level=logging.WARNING)
    number = int(argv[0])
    while not stop_requested.is_set():
        tasks.run_method.apply(kwargs={"run_id": number})
        if Run.objects.filter(id=number, state__in=FINISHED_STATES).exists():
            return


if __name__ == "__main__":
    main(sys.argv[1:])
