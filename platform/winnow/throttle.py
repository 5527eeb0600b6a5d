"""How fast one token or one person may call: counted in this process, so that Redis may be down."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from django.http import HttpRequest
from ninja.throttling import BaseThrottle

from accounts.access import Caller

# Callers remembered; whoever was quiet longest is forgotten first, which only ever lets them do more.
REMEMBERED = 10_000


class PerCaller(BaseThrottle):
    """A bucket of `burst` requests per caller that fills again at `rate` a second."""

    def __init__(self, *, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self.burst = burst
        self.clock = clock
        self._lock = threading.Lock()
        # Caller -> (requests left, when that was counted).
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def allow_request(self, request: HttpRequest) -> bool:
        who, now = _identity(request), self.clock()
        with self._lock:
            left, counted_at = self._buckets.pop(who, (float(self.burst), now))
            left = min(self.burst, left + (now - counted_at) * self.rate)
            is_allowed = left >= 1
            self._buckets[who] = (left - 1 if is_allowed else left, now)
            if len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
        return is_allowed

    def wait(self) -> float:
        """Seconds until one more request is allowed."""
        return 1 / self.rate


def _identity(request: HttpRequest) -> Hashable:
    caller = getattr(request, "auth", None)
    if not isinstance(caller, Caller):
        return "address", request.META.get("REMOTE_ADDR")
    if caller.token_id is not None:
        return "token", caller.token_id
    return "user", caller.user.pk
