"""Wrapping the data keys of sealed secrets with the current key; the secrets themselves stay as they are sealed."""

from psycopg import sql

from core.db import Tx
from core.envelopes import Keyring, rewrap
from crm.sealed_secrets.models import SealedColumn

BATCH = 100


async def rewrap_batch(tx: Tx, column: SealedColumn, keys: Keyring, limit: int = BATCH) -> int:
    """Wrap the next envelopes that another key wraps; returns how many, 0 when there is none left.

    What is done is not chosen again, so whoever is killed goes on. Readers are not waited for: an envelope opens before
    and after. Raises: NotFound, naming a key that is not here; Unprocessable for an envelope of another row.
    """
    names = {"table": sql.Identifier(column.table), "column": sql.Identifier(column.column)}
    found = await tx.connection.execute(
        sql.SQL(
            """
            SELECT {id} AS id, {column} AS sealed
              FROM {table}
             WHERE {column} IS NOT NULL
               AND substring({column} FROM 1 FOR 12) <> %(head)s
             ORDER BY {id}
             LIMIT %(limit)s
               FOR UPDATE
            """
        ).format(id=sql.Identifier(column.row_id), **names),
        {"head": keys.current.head, "limit": limit},
    )
    rows = await found.fetchall()
    for row in rows:
        wrapped = rewrap(keys, bytes(row["sealed"]), column.place(tx.organization_id, row["id"]))
        await tx.connection.execute(
            sql.SQL("UPDATE {table} SET {column} = %(sealed)s WHERE {id} = %(row_id)s").format(
                id=sql.Identifier(column.row_id), **names
            ),
            {"sealed": wrapped, "row_id": row["id"]},
        )
    return len(rows)
