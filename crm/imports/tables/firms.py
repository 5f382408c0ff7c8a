"""Companies that rows name: found by domain, else by name, and made where nobody has them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from core.db import Tx
from core.ids import uuid7
from crm.imports.tables import records
from events.ids import RecordKind


@dataclass
class Firms:
    """Companies by domain and by plain name; `free` are those by name that have no domain."""

    by_domain: dict[str, UUID] = field(default_factory=dict)
    by_name: dict[str, UUID] = field(default_factory=dict)
    free: dict[str, UUID] = field(default_factory=dict)

    def find(self, name: str, domain: str) -> UUID | None:
        """By the domain where one is given; a name alone leads to the company of that name."""
        return self.by_domain.get(domain) or self.by_name.get(name.lower())


async def find(tx: Tx, names: Sequence[str], domains: Sequence[str]) -> Firms:
    """The companies that are there under these names and domains; of two of one name the older one."""
    firms = Firms()
    if domains:
        cursor = await tx.connection.execute(
            """
            SELECT domain, id
              FROM companies
             WHERE domain = ANY(%(domains)s)
               AND deleted_at IS NULL
            """,
            {"domains": list(domains)},
        )
        firms.by_domain = {row["domain"]: row["id"] for row in await cursor.fetchall()}
    if names:
        cursor = await tx.connection.execute(
            """
            SELECT plain_name, domain, id
              FROM companies
             WHERE plain_name = ANY(%(names)s)
               AND deleted_at IS NULL
             ORDER BY created_at DESC, id DESC
            """,
            {"names": [name.lower() for name in names]},
        )
        rows = await cursor.fetchall()
        firms.by_name = {row["plain_name"]: row["id"] for row in rows}
        firms.free = {row["plain_name"]: row["id"] for row in rows if row["domain"] is None}
    return firms


async def make_missing(tx: Tx, firms: Firms, wanted: Sequence[tuple[str, str]]) -> list[UUID]:
    """Make the companies of these (name, domain) pairs that are not there; returns the ids of the new ones."""
    rows: dict[UUID, tuple[str, str]] = {}
    for name, domain in wanted:
        if firms.find(name, domain) is not None:
            continue
        company_id = uuid7()
        rows[company_id] = (name, domain)
        if domain:
            firms.by_domain[domain] = company_id
        if name:
            firms.by_name.setdefault(name.lower(), company_id)
    made = await records.insert(
        tx,
        RecordKind.COMPANY,
        [
            {"id": company_id, "name": name or domain, "domain": domain or None}
            for company_id, (name, domain) in rows.items()
        ],
    )
    lost = [pair for company_id, pair in rows.items() if company_id not in made]
    if lost:  # somebody else has made a company of the same domain meanwhile
        again = await find(tx, [], [domain for _, domain in lost])
        firms.by_domain |= again.by_domain
    return list(made)
