"""Which key seals how much of an organization."""

from collections import Counter

from psycopg import sql

from core.db import Tx
from core.envelopes import key_id_of
from crm.sealed_secrets.models import SEALED, SealedColumn


async def count_by_key(tx: Tx, columns: tuple[SealedColumn, ...] = SEALED) -> Counter[str]:
    """Key id -> envelopes; "" for what was sealed before there were envelopes."""
    counts: Counter[str] = Counter()
    for column in columns:
        rows = await tx.connection.execute(
            sql.SQL(
                "SELECT substring({column} FROM 1 FOR 12) AS head FROM {table} WHERE {column} IS NOT NULL"
            ).format(column=sql.Identifier(column.column), table=sql.Identifier(column.table))
        )
        counts.update((key_id_of(bytes(row["head"])) or b"").hex() for row in await rows.fetchall())
    return counts
