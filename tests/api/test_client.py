"""A typed client made from the document: it compiles, its types hold, and it does what a program needs."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from api.main import create_app
from tests.support.callers import Caller

BIN = Path(sys.executable).parent
# What a program of somebody else's would look like.
PROGRAM = '''
"""Lists, creates and changes contacts, and repeats itself without doing anything twice."""

import sys

from getsale_client import AuthenticatedClient
from getsale_client.api.contacts import create_contact, get_contact, list_contacts, update_contact
from getsale_client.models import ContactIn, ContactOut, ContactPatch, PageOutContactOut, Problem


def main(base: str, key: str) -> None:
    with AuthenticatedClient(base_url=base, token=key) as client:
        wanted = ContactIn(name="Vera Lind", title="Head of operations")
        made = create_contact.sync(client=client, body=wanted, idempotency_key="once")
        again = create_contact.sync_detailed(client=client, body=wanted, idempotency_key="once")
        assert isinstance(made, ContactOut), made
        assert isinstance(again.parsed, ContactOut), again
        assert again.parsed.id == made.id
        assert again.headers["idempotency-replayed"] == "true"

        page = list_contacts.sync(client=client, q="vera")
        assert isinstance(page, PageOutContactOut), page
        names: list[str] = [contact.name for contact in page.items]
        assert names == ["Vera Lind"], names

        changed = update_contact.sync(made.id, client=client, body=ContactPatch(version=made.version, title="CEO"))
        assert isinstance(changed, ContactOut), changed
        lost = update_contact.sync_detailed(
            made.id, client=client, body=ContactPatch(version=made.version, title="CTO")
        )
        assert lost.status_code == 412, lost
        assert isinstance(lost.parsed, Problem), lost

        read = get_contact.sync(made.id, client=client)
        assert isinstance(read, ContactOut), read
        assert (read.title, read.version) == ("CEO", 2)
    print("done")


main(sys.argv[1], sys.argv[2])
'''


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a client that was just generated, with a program that uses it."""
    folder = tmp_path_factory.mktemp("client")
    document = folder / "openapi.json"
    document.write_text(json.dumps(create_app().openapi()))
    settings = folder / "settings.yaml"
    settings.write_text(
        "package_name_override: getsale_client\nproject_name_override: getsale-client\npost_hooks: []\n"
    )
    made = subprocess.run(
        [BIN / "openapi-python-client", "generate", "--meta", "none", "--path", str(document),
         "--config", str(settings), "--output-path", str(folder / "getsale_client"), "--fail-on-warning"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    (folder / "program.py").write_text(PROGRAM)
    return folder


def test_the_client_and_a_program_that_uses_it_are_well_typed(client: Path) -> None:
    checked = subprocess.run(
        [BIN / "mypy", "--strict", "--no-incremental", "--config-file", "/dev/null", "program.py", "getsale_client"],
        cwd=client, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert checked.returncode == 0, checked.stdout


async def test_the_program_runs_against_the_live_api(client: Path, api: Caller, site: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "program.py", site, api.secret, cwd=client,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip

    said, complained = await process.communicate()

    assert (said.decode().strip(), process.returncode) == ("done", 0), complained.decode()
