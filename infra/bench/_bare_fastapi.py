"""A bare FastAPI endpoint that reads one contact with psycopg: the measure to stay near. Run by the CRM bench."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

POOL: AsyncConnectionPool[Any] = AsyncConnectionPool(
    os.environ["BARE_URL"],
    min_size=1,
    max_size=4,
    open=False,
    kwargs={"row_factory": dict_row, "autocommit": True},
)


@asynccontextmanager
async def _pool(app: FastAPI) -> AsyncIterator[None]:
    await POOL.open(wait=True)
    yield
    await POOL.close()


app = FastAPI(lifespan=_pool)


@app.get("/contacts/{organization_id}/{contact_id}")
async def read(organization_id: UUID, contact_id: UUID) -> dict[str, Any]:
    """One statement and no tenant, key or policy."""
    async with POOL.connection() as connection:
        cursor = await connection.execute(
            """
            SELECT id, name, title, company_id, language, time_zone, note, version
              FROM contacts
             WHERE organization_id = %s AND id = %s
            """,
            (organization_id, contact_id),
        )
        found = await cursor.fetchone()
    return dict(found or {})
