"""Conversations that are older than memory are remembered once the schema has it."""

from pathlib import Path

import psycopg

from core.ids import uuid7
from infra import embedded
from infra.migrate import migrate

BEFORE = "0003"
CONVERSATION = """
    INSERT INTO organizations (organization_id, slug, name)
    VALUES (%(organization)s, %(slug)s, 'Old');
    INSERT INTO contacts (organization_id, id, name)
    VALUES (%(organization)s, %(contact)s, 'Vera');
    INSERT INTO channel_accounts (organization_id, id, channel, name)
    VALUES (%(organization)s, %(account)s, 'telegram', 'Bot');
    INSERT INTO conversations (organization_id, id, channel_account_id, channel, contact_id, external_id)
    VALUES (%(organization)s, %(conversation)s, %(account)s, 'telegram', %(contact)s, '1')
"""


def test_every_old_conversation_of_every_organization_is_due(tmp_path: Path) -> None:
    with embedded.start(tmp_path, embedded.Wanted(redis=False, durable=False)) as servers:
        url = servers.urls.database_url_migrator
        migrate(url, BEFORE)
        made = [_conversation(url) for _ in range(2)]

        migrate(url)

        with psycopg.connect(servers.urls.database_url_worker) as worker:
            due = worker.execute(
                "SELECT organization_id, subject_id FROM due_work WHERE kind = 'memory.remember'"
            )
            assert sorted(due.fetchall()) == sorted(made)


def _conversation(url: str) -> tuple[object, object]:
    ids = {name: uuid7() for name in ("organization", "contact", "account", "conversation")}
    with psycopg.connect(url, cursor_factory=psycopg.ClientCursor) as migrator:
        migrator.execute("SELECT set_config('app.organization_id', %s, false)", (str(ids["organization"]),))
        migrator.execute(CONVERSATION, ids | {"slug": str(ids["organization"])})
    return ids["organization"], ids["conversation"]
