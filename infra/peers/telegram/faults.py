"""Faults on demand: what the next calls of a bot shall suffer."""

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """`_before`: nothing was done. `_after`: it was done, but the caller cannot know."""

    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    HALF_REPLY = "half_reply"
    GARBAGE = "garbage"
    SLOW = "slow"
    ERROR_BEFORE = "500"
    ERROR_AFTER = "500_after"
    LIMITED = "429"
    UNAUTHORIZED = "401"
    BLOCKED = "blocked"
    DEACTIVATED = "deactivated"
    CHAT_NOT_FOUND = "chat_not_found"
    DUPLICATE = "duplicate"  # method "webhook" only: the update is delivered twice


@dataclass
class Fault:
    mode: Mode
    count: int = 1
    method: str = "sendMessage"
    seconds: float = 1.0
    retry_after: int = 1


class Faults:
    """Per token and method, used up in the order in which they were asked for."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, list[Fault]] = defaultdict(list)

    def add(self, token: str, fault: Fault) -> None:
        self._waiting[token].append(fault)

    def take(self, token: str, method: str) -> Fault | None:
        """The fault that this call shall suffer, if any; counts it down."""
        for fault in self._waiting[token]:
            if fault.method.lower() == method.lower():
                fault.count -= 1
                if fault.count <= 0:
                    self._waiting[token].remove(fault)
                return fault
        return None

    def clear(self, token: str) -> None:
        self._waiting.pop(token, None)
