"""Every call that leaves the process can be killed on both sides, so that the crash sweep finds what that breaks."""

import re
from pathlib import Path

from tests.architecture.test_transactions import ROOT, _sources

# Who calls out, and as which crash points.
CALLS = {
    "channels/telegram/outbound.py": ("send.telegram",),
    "channels/email/outbound.py": ("send.email",),
    "channels/email/imap.py": ("mail.fetch", "mail.append"),
    "agents/llm/openai_compatible.py": ("model.call",),
    "memory/embeddings/remote.py": ("embed.call",),
    "worker/webhooks.py": ("webhook.call",),
}
# Who knows an outbound library and calls nothing on its own account, or nothing that leaves a trace outside.
NEEDS_NONE = {
    "core/http.py": "makes the client that others call with",
    "core/oidc.py": "asks an issuer who somebody is; a code that is lost with the process is asked for anew",
    "channels/telegram/client.py": "sends for outbound.py; updates and files may be fetched as often as one likes",
    "channels/telegram/faults.py": "reads failures",
    "worker/services.py": "opens and closes the client that webhooks.py calls with",
    "agents/llm/clients.py": "opens and closes the clients that others call with",
    "agents/llm/wire.py": "writes requests and reads answers",
    "graph/neo4j.py": "a projection, which is repaired from the facts whenever it lacks something",
}
LIBRARY = re.compile(r"^(?:import|from) (aiogram|aiosmtplib|httpx2?|imap_tools|neo4j|openai)\b", re.M)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_outbound_client_is_named() -> None:
    clients = {_name(path) for path in _sources() if LIBRARY.search(path.read_text())}

    assert clients == CALLS.keys() | NEEDS_NONE.keys()


def test_every_call_that_leaves_the_process_has_a_crash_point_on_each_side() -> None:
    for file, names in CALLS.items():
        source = (ROOT / file).read_text()
        for name in names:
            before, after = (f'crashpoint.reach("{name}.{side}")' for side in ("before", "after"))
            assert before in source, f"{file} lacks {before}"
            assert source.index(before) < source.index(after), f"{file} lacks {after}"
