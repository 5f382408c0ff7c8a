from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from channels.telegram.export import Export, ExportedChat
from core.errors import Unprocessable

EXPORTS = Path(__file__).parent / "exports"


def chats_of(export: Export) -> dict[str, ExportedChat]:
    return {chat.name: chat for chat in export.private_chats(export.survey().owner)}


def test_a_survey_says_whose_export_it_is_and_what_is_passed_over() -> None:
    survey = Export(EXPORTS / "sales").survey()

    assert (survey.owner.user_id, survey.owner.name) == ("900100200", "Пётр Савин")
    assert survey.chats == {"Vera Lind": 1, "Олег Дорн": 1, "": 1}
    assert survey.passed_over == {"private_supergroup": 1, "bot_chat": 1, "saved_messages": 1}
    assert [person.name for person in survey.people] == ["Олег Дорн", "Lena Brandt", "No Number"]


def test_a_chat_holds_what_both_sides_said_in_order_without_calls() -> None:
    vera = chats_of(Export(EXPORTS / "sales"))["Vera Lind"]

    assert [(line.id, line.is_own) for line in vera.messages] == [
        ("2", False),
        ("3", True),
        ("4", True),
        ("5", False),
        ("6", False),
        ("7", False),
        ("8", False),
    ]
    assert vera.messages[0].at == datetime(2026, 3, 2, 9, 5, tzinfo=UTC)
    assert vera.messages[1].text == (
        "Hello Vera, here it is: the offer (https://norrwick.example/offer). 17 EUR each a month."
    )
    assert vera.messages[3].text == "[Voice message, 0:42]"
    assert vera.messages[5].text == "[Sticker 👍]"


def test_a_file_is_read_from_the_folder_and_from_nowhere_else() -> None:
    vera = chats_of(Export(EXPORTS / "sales"))["Vera Lind"]

    offer, voice, outside = (line.files[0] for line in vera.messages if line.files and line.id in "458")
    assert offer.path is not None
    assert offer.path.read_text() == "40 scanners, 17 EUR a month each\n"
    assert (voice.path, voice.refusal) == (None, "The file is not part of the export")
    assert (outside.path, outside.refusal) == (None, "The file is not part of the export")


def test_a_russian_chat_has_russian_placeholders_and_counts_what_it_cannot_read() -> None:
    oleg = chats_of(Export(EXPORTS / "sales"))["Олег Дорн"]

    assert oleg.messages[3].text == "Контакт: Марина Зуева, +79165550011"
    assert oleg.messages[4].text == "[Пересланное сообщение]\nКоллега пишет: нам бы ещё и планшеты"
    assert (oleg.language, oleg.unread) == ("ru", 1)


def test_a_file_over_the_limit_is_refused_by_size() -> None:
    vera = chats_of(Export(EXPORTS / "sales", file_limit_bytes=10))["Vera Lind"]

    assert [file.refusal for line in vera.messages if line.id == "4" for file in line.files] == [
        "The file is larger than 0 MB"
    ]


def test_an_export_of_one_chat_names_its_owner_by_what_they_wrote_and_has_local_times() -> None:
    export = Export(EXPORTS / "one_chat", zone=ZoneInfo("Europe/Moscow"))

    oleg = chats_of(export)["Олег Дорн"]

    assert export.survey().owner.user_id == "900100200"
    assert [line.is_own for line in oleg.messages] == [False, True, False, False, False]
    assert oleg.messages[0].at == datetime(2026, 4, 10, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a whole JSON document"),
        (b'{"chats": {"list": [{"name": "A", "type": "personal_chat", "id": 1, "mess', "not a whole JSON"),
        (b'{"about": "nothing else"}', "holds no chats"),
        (b'{"chats": {"list": [{"name": "A"}]}}', "is not as expected"),
        (b'{"chats": {"list": []}}', "does not say whose chats these are"),
    ],
)
def test_a_file_that_is_no_export_is_refused_by_name(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "result.json").write_bytes(content)

    with pytest.raises(Unprocessable, match=reason):
        Export(tmp_path).survey()


def test_an_html_export_and_a_missing_folder_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "messages.html").touch()

    with pytest.raises(Unprocessable, match="export again and choose machine-readable JSON"):
        Export(tmp_path)
    with pytest.raises(Unprocessable, match="does not exist"):
        Export(tmp_path / "nothing")
