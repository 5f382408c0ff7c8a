"""What a call is to the policy: its risk, whom it reaches, what it may spoil, and what is decided."""

from enum import StrEnum


class Risk(StrEnum):
    """What a tool does to the world."""

    READ = "read"
    WRITE = "write"
    PROPOSE = "propose"
    EXTERNAL = "external"


class Reach(StrEnum):
    """Whom it touches: our rows, the counterpart of the run's thread, somebody new, colleagues, the system."""

    SELF = "self"
    THREAD = "thread"
    NEW = "new"
    ORG = "org"
    SYSTEM = "system"


class Impact(StrEnum):
    """What a write may spoil: notes, tags, tasks, stages, next steps | other fields | handle, consent, owner, money."""

    LOW = "low"
    ORDINARY = "ordinary"
    SENSITIVE = "sensitive"


class Decision(StrEnum):
    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"
