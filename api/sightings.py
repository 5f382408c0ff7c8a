"""When sessions were seen last, so that a page that is open all day is not noted at every request."""

import time
from collections import OrderedDict
from uuid import UUID

from crm.identity.sessions import SEEN_EVERY

_REMEMBERED = 20_000


class Sightings:
    """The sessions that this process has noted lately."""

    def __init__(self) -> None:
        self._noted: OrderedDict[UUID, float] = OrderedDict()

    def is_due(self, session_id: UUID) -> bool:
        """Whether to note this session now; it then counts as noted."""
        now = time.monotonic()
        noted = self._noted.get(session_id)
        if noted is not None and now - noted < SEEN_EVERY.total_seconds():
            return False
        self._noted[session_id] = now
        self._noted.move_to_end(session_id)
        while len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)
        return True
