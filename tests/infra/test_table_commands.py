"""`getsale import table`, `getsale import undo` and `getsale export`, run as commands."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.principal import Principal
from core.settings import Settings
from tests.support.tables import csv_file

PEOPLE = [
    ["Name", "Email", "Company", "Job title"],
    ["Vera Lind", "vera@lind.example", "Lind Logistics", "=HYPERLINK(1)"],
    ["Oleg Zuev", "no address", "Zuev", "Buyer"],
]


@dataclass
class Shell:
    """Runs our commands for one organization."""

    environment: dict[str, str]
    slug: str

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "infra.cli", *arguments, "--organization", self.slug]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)


@pytest.fixture
def shell(settings: Settings, organization: Principal) -> Shell:
    return Shell(
        {
            **os.environ,
            "DATABASE_URL": settings.database_url,
            "DATABASE_URL_WORKER": settings.database_url_worker,
            "DATABASE_URL_MIGRATOR": settings.database_url_migrator,
            "REDIS_URL": settings.redis_url,
            "GETSALE_DATA": str(settings.data),
            "GETSALE_SECRET_KEY": settings.secret_key.get_secret_value(),
        },
        f"test-{organization.organization_id}",
    )


def test_a_table_comes_in_goes_out_and_is_taken_back(shell: Shell, tmp_path: Path) -> None:
    done = shell.run("import", "table", str(csv_file(tmp_path, PEOPLE)))
    as_csv = shell.run("export", "contacts")
    shell.run("export", "contacts", str(tmp_path / "contacts.json"), "--format", "json")
    (undo,) = re.findall(r"^To take it back: getsale (import undo \S+)$", done.stdout, re.MULTILINE)
    undone = shell.run(*undo.split())

    assert (done.returncode, undone.returncode) == (0, 0), done.stderr + undone.stderr
    assert "made=1 updated=0 skipped=0 refused=1 companies_made=1" in done.stdout
    assert "row 3: refused: bad_email Email no address" in done.stdout
    assert [
        (row["name"], row["email"], row["title"]) for row in csv.DictReader(io.StringIO(as_csv.stdout))
    ] == [("Vera Lind", "vera@lind.example", "'=HYPERLINK(1)")]
    assert [row["title"] for row in json.loads((tmp_path / "contacts.json").read_text())] == ["=HYPERLINK(1)"]
    assert undone.stdout.strip().endswith("kept=0")


def test_a_trial_says_what_would_happen_and_offers_no_way_back(shell: Shell, tmp_path: Path) -> None:
    tried = shell.run("import", "table", str(csv_file(tmp_path, PEOPLE)), "--dry-run")

    assert "made=1 updated=0 skipped=0 refused=1" in tried.stdout
    assert "undo" not in tried.stdout


@pytest.mark.parametrize("content", [b"PK\x03\x04 and then nothing", None])
def test_a_file_that_cannot_be_read_is_told_in_one_line(
    shell: Shell, tmp_path: Path, content: bytes | None
) -> None:
    broken = tmp_path / "broken.xlsx"
    if content is not None:
        broken.write_bytes(content)

    told = shell.run("import", "table", str(broken))

    assert told.returncode == 1
    assert "broken.xlsx" in told.stderr
    assert "Traceback" not in told.stderr
