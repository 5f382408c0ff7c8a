"""How far a text may be believed."""

from enum import StrEnum


class Trust(StrEnum):
    """Ours or confirmed by us | from outside or an agent, and confirmed by nobody | what somebody outside wrote."""

    CONFIRMED = "confirmed"
    QUARANTINED = "quarantined"
    UNTRUSTED = "untrusted"
