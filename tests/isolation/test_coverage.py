"""Nothing new comes in without a case: tables, text columns, keys, functions, routes and tools."""

import pytest

from tests.support.isolation import functions, graphs, http, sql, streams, tools
from tests.support.isolation.completion import EXEMPT
from tests.support.isolation.harness import Harness
from tests.support.isolation.theatre import Theatre
from tools import registry

# one worker builds the theatre once
pytestmark = pytest.mark.xdist_group("isolation")


async def test_every_text_column_of_the_victim_holds_a_canary(theatre: Theatre) -> None:
    rows = await theatre.victims_rows()
    silent = [
        column.place
        for table in theatre.catalogue.tenant_tables
        for column in table.textual
        if column.place not in EXEMPT and not theatre.canaries.stand_in(column.place, rows[table.name])
    ]

    assert silent == [], "say in tests/support/isolation/completion.py how a canary gets there"


async def test_every_exemption_is_still_needed(theatre: Theatre) -> None:
    columns = {column.place for table in theatre.catalogue.tenant_tables for column in table.textual}

    assert EXEMPT.keys() - columns == set()


async def test_the_same_people_chats_and_messages_are_in_both(theatre: Theatre) -> None:
    shared = """
        SELECT kind AS "what", value FROM contact_handles WHERE organization_id = %(id)s
        UNION ALL SELECT 'chat', external_id FROM conversations WHERE organization_id = %(id)s
        UNION ALL SELECT 'message', external_id FROM messages WHERE organization_id = %(id)s
        UNION ALL SELECT 'contact', name FROM contacts WHERE organization_id = %(id)s
        UNION ALL SELECT 'domain', domain FROM companies WHERE organization_id = %(id)s
    """
    ours, theirs = [
        {tuple(row.values()) for row in await (await theatre.admin.execute(shared, {"id": id})).fetchall()}
        for id in (theatre.attacker.id, theatre.victim.id)
    ]

    assert {kind for kind, _ in ours & theirs} == {
        "email", "phone", "telegram_id", "telegram_username", "chat", "message", "contact", "domain"
    }  # fmt: skip


async def test_every_definer_function_has_a_case(theatre: Theatre) -> None:
    assert functions.unexplained_definers(theatre) == [], "name it in isolation/functions.py, DEFINERS"


async def test_every_unique_key_starts_from_the_organization(theatre: Theatre) -> None:
    assert sql.unexplained_keys(theatre) == [], "give the reason in isolation/sql.py, GLOBAL_KEYS"


async def test_every_route_has_a_case(harness: Harness) -> None:
    assert list(harness.surface.without_case) == [], "name it in tests/support/isolation/surface.py"
    for operation in harness.surface.operations:
        http.slots_of(harness.theatre, operation)  # raises with the name of a parameter nobody has explained


async def test_every_tool_has_a_case(theatre: Theatre) -> None:
    for tool in registry.TOOLS:
        tools.slots_of(theatre, tool)  # raises with the name of an argument nobody has explained


async def test_every_stream_socket_topic_and_frame_has_a_case(harness: Harness) -> None:
    assert set(streams.STREAMS) == http.ENDLESS, "list it in isolation/streams.py, STREAMS"
    assert set(harness.surface.sockets) == streams.SOCKETS, "probe it in isolation/streams.py, SOCKETS"
    assert streams.kinds_of_topics() == set(streams.TOPICS), "list it in isolation/streams.py, TOPICS"
    assert streams.kinds_of_frames() == set(streams.FRAMES), "list it in isolation/streams.py, FRAMES"


async def test_every_question_to_the_graph_has_a_case(theatre: Theatre) -> None:
    assert graphs.methods_without_case(theatre) == set(), "ask it in isolation/graphs.py"
