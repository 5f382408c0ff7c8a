"""Documents from the command line: taken in, refused by name, and listed as they stand."""

from pathlib import Path

import pytest

from core.db import Database
from core.errors import NotFound
from core.principal import Principal
from core.settings import Settings
from infra import knowledge
from memory.documents import limits


@pytest.fixture
async def slug(organization: Principal) -> str:
    return f"test-{organization.organization_id}"


async def test_files_are_taken_in_and_the_others_named(
    settings: Settings, database: Database, slug: str, tmp_path: Path
) -> None:
    faq, film = tmp_path / "FAQ.md", tmp_path / "film.pdf"
    faq.write_text("# FAQ\n\nYes.\n")
    film.write_bytes(b"x" * (limits.FILE_BYTES + 1))

    first = await knowledge.add(settings, slug, [faq, film, tmp_path / "gone.txt"])
    again = await knowledge.add(settings, slug, [faq])
    (line,) = await knowledge.list_lines(settings, slug)

    assert [(one.name, one.is_refused) for one in first] == [
        ("FAQ.md", False),
        ("film.pdf", True),
        ("gone.txt", True),
    ]
    assert "larger than 20 MB" in first[1].said
    assert "No such file" in first[2].said
    assert again[0].said == "is here already, unchanged"
    assert line.startswith("FAQ.md")
    assert "pending" in line


async def test_an_organization_that_is_not_there_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no organization nowhere"):
        await knowledge.add(settings, "nowhere", [tmp_path])
