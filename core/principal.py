"""Who acts: every transaction, event and tool call carries one Principal."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from core.errors import Forbidden


class PrincipalKind(StrEnum):
    USER = "user"
    BIDI = "bidi"
    SYSTEM = "system"


class Visibility(StrEnum):
    ALL = "all"
    ASSIGNED = "assigned"


class Via(StrEnum):
    """The door that somebody came in by."""

    PAGE = "page"
    API = "api"
    MCP = "mcp"
    COMMAND = "command"


@dataclass(frozen=True)
class Origin:
    """From where somebody acts: by which door, with which session or API key, from which address and program."""

    via: Via
    credential_id: UUID | None = None
    address: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Principal:
    """A user, an AI seat or the system, inside exactly one organization.

    `run_id` and `causation_id` say on whose behalf it acts: the agent run and the event that led here; `behalf_of` is
    the user whom a seat answers in this run, and who may do all that it may do there; `responsible_id` the user who
    answers for an AI seat. `origin` says from where a person acts; what follows from it later in a worker has none.
    """

    kind: PrincipalKind
    id: UUID
    organization_id: UUID
    scopes: frozenset[str] = field(default_factory=frozenset)
    visibility: Visibility = Visibility.ALL
    seat_id: UUID | None = None
    run_id: UUID | None = None
    behalf_of: UUID | None = None
    responsible_id: UUID | None = None
    origin: Origin | None = None
    causation_id: UUID | None = None
    correlation_id: UUID | None = None

    @property
    def person_id(self) -> UUID | None:
        """The member whose eyes these are: who acts, whom a seat works for, or who answers for it; None for the system."""
        match self.kind:
            case PrincipalKind.USER:
                return self.id
            case PrincipalKind.BIDI:
                return self.behalf_of or self.responsible_id
            case PrincipalKind.SYSTEM:
                return None

    @property
    def own_seat_id(self) -> UUID | None:
        """The seat that acts in its own name; what it holds itself is nothing to somebody whom it works for."""
        return self.seat_id if self.behalf_of is None else None

    def may(self, scope: str) -> bool:
        return "*" in self.scopes or scope in self.scopes

    def require(self, scope: str) -> None:
        """Raises: Forbidden when the scope is not held."""
        if not self.may(scope):
            raise Forbidden(f"This needs the permission {scope}; ask an administrator for it.", scope=scope)

    def require_full_sight(self) -> None:
        """Raises: Forbidden for who sees only what is assigned to them, where rows that they do not see are concerned."""
        if self.visibility is not Visibility.ALL:
            raise Forbidden("This reaches beyond what is assigned to you; ask a supervisor for it.")

    def caused_by(self, event_id: UUID, correlation_id: UUID | None) -> "Principal":
        return replace(self, causation_id=event_id, correlation_id=correlation_id or event_id)

    def on_behalf_of(self, person: "Principal") -> "Principal":
        """The same seat working for somebody: what either of the two may not do, it may not do now."""
        scopes = frozenset(
            scope for scope in self.scopes | person.scopes if self.may(scope) and person.may(scope)
        )
        is_narrow = Visibility.ASSIGNED in (self.visibility, person.visibility)
        return replace(
            self,
            scopes=scopes,
            visibility=Visibility.ASSIGNED if is_narrow else Visibility.ALL,
            behalf_of=person.id,
            origin=person.origin,
        )

    def coming_from(self, origin: Origin) -> "Principal":
        return replace(self, origin=origin)

    def in_run(self, run_id: UUID) -> "Principal":
        return replace(self, run_id=run_id)


SYSTEM_ID = UUID("00000000-0000-7000-8000-000000000001")


def system(organization_id: UUID) -> Principal:
    """The product itself, acting inside one organization."""
    return Principal(PrincipalKind.SYSTEM, SYSTEM_ID, organization_id, scopes=frozenset({"*"}))
