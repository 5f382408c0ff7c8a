"""Invented records for the living design page, one set per theme so that no id stands there twice."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid5

from core import clock
from core.principal import PrincipalKind
from crm.conversations import inbox
from crm.conversations.models import Attachment
from crm.tasks.models import Priority, TaskLine
from events.ids import AttachmentId, MessageId, TaskId
from graph.schema import EdgeType, Label
from graph.store import Adapter, Edge, Neighbourhood, Node
from web import inbox_view, relationships
from web.i18n import Words

_NAMESPACE = UUID("0b7c9f52-4f5e-4c7e-9d3a-5a1c2f0e8d11")
_TEXT = (
    "40 scanners paid for the year come to €17 each a month. "
    "I will make out the invoice to billing@brindle-pay.example."
)


@dataclass(frozen=True)
class Specimens:
    """What one theme's half of the page shows."""

    theme: str
    list: inbox_view.ListView
    thread: inbox_view.ThreadView
    rejected: inbox_view.ThreadView
    about: inbox_view.AboutView
    picture: relationships.Picture


def specimens(theme: str, words: Words) -> Specimens:
    make = _Maker(theme)
    thread = make.thread(words)
    rejected = inbox_view.ThreadView(make.head(), [], make.draft("rejected", 2))
    rows = inbox_view.ListView(
        "mine", "", [inbox_view.RowGroup("", make.rows())], inbox.FolderCounts(7, 3, 5, 4), []
    )
    return Specimens(theme, rows, thread, rejected, make.about(), make.picture(words))


class _Maker:
    """Makes records whose ids belong to one theme."""

    def __init__(self, theme: str) -> None:
        self._theme = theme
        self._now = clock.now()

    def id(self, name: str) -> UUID:
        return uuid5(_NAMESPACE, f"{self._theme} {name}")

    def task(self) -> TaskLine:
        return TaskLine(
            TaskId(self.id("task")), "Send the price for 40", "", None, None, None, Priority.NORMAL, self._now, None,
            None, PrincipalKind.USER, self.id("anna"), None, self._now, None, 1, None, None,
        )  # fmt: skip

    def head(self) -> inbox.Thread:
        return inbox.Thread(
            self.id("talk"), "telegram", "Bot", "connected", self.id("daria"), "Daria Velnikova", "en", "d_velnikova",
            "open", None, "agent", self.id("mira"), "Mira", 4, "missing_knowledge",
            "Asked which certificate covers cold rooms. The price list and two facts do not say.",
            "Ask the warehouse team for the certificate.", "Mira", "Mira", self._now,
        )  # fmt: skip

    def thread(self, words: Words) -> inbox_view.ThreadView:
        messages = [
            self._message("m1", 1, "in", "received", "Hi! Signe is in, we want to go on"),
            self._message("m2", 2, "in", "received", "price for 40 scanners?"),
            self._message("m3", 3, "out", "sent", "That is great to hear, Daria."),
            self._message("m4", 4, "out", "queued", "Отчёт о пилоте прикладываю."),
            self._message("m5", 5, "out", "unknown", "Shall we talk on Thursday?"),
            self._message("m6", 6, "out", "failed", "See you then", failure="the chat is closed"),
        ]
        files = [
            self._file("Invoice details.pdf", "m2", "stored", ""),
            self._file("Depot walk-through.mp4", "m2", "refused", "larger than 20 MB"),
        ]
        return inbox_view.ThreadView(
            self.head(), inbox_view.days(messages, files, words), self.draft("pending", 1)
        )

    def draft(self, status: str, number: int) -> inbox_view.DraftView:
        card = inbox.DraftCard(
            self.id(f"draft {number}"), self.id("talk"), status, 1, _TEXT, None, "en", 4, 4,
            [{"kind": "untrusted_value", "value": "billing@brindle-pay.example", "text": ""}], "offline",
            "Wrong price" if status == "rejected" else "", "Mira", False, "suggest", "", None, "",
            ["autonomy", "untrusted_value"], None, self._now + timedelta(hours=1), None, "Anna Lisovets", self._now,
            self._now,
        )  # fmt: skip
        evidence = [
            inbox.EvidenceLine(1, "fact", self.id("fact"), "Price list 2026", "25 to 99 devices: €17",
                               self._now - timedelta(days=23), "confirmed", "€17 each a month"),
            inbox.EvidenceLine(2, "message", self.id("m2"), "Daria", "invoice details are in the file",
                               self._now, "quarantined", ""),
        ]  # fmt: skip
        pieces = inbox_view.segments(
            _TEXT, {line.position: line.statement for line in evidence}, ["billing@brindle-pay.example"]
        )
        return inbox_view.DraftView(card, pieces, evidence, is_stale=False)

    def rows(self) -> list[inbox.InboxRow]:
        return [
            self._row("daria", "Daria Velnikova", "Brindle Freight", "and does it work offline?", draft=True),
            self._row("timur", "Тимур Аслаев", "Гремяч-Склад", "А можно показать в четверг?", unread=2),
            self._row("paulo", "Paulo Quintarelha", "Mirador Parts", "", writing="Mira"),
            self._row(
                "maeve", "Maeve Tolloran", "Pike & Tolloran", "", status="failed", failure="mailbox is full"
            ),
            self._row("inga", "Инга Соловейчик", "Кедрозор", "", handoff="customer_request"),
        ]

    def about(self) -> inbox_view.AboutView:
        person = inbox.Person(self.id("daria"), "Daria Velnikova", "Head of operations", "en", "Europe/Amsterdam", "",
                              None, self.id("brindle"), "Brindle Freight", "Rotterdam", 240)  # fmt: skip
        return inbox_view.AboutView(
            person,
            [inbox.Handle("telegram_username", "d_velnikova"), inbox.Handle("email", "daria@brindlefreight.example")],
            [inbox.DealLine(self.id("deal"), "40 scanners, two depots", 816_000, "EUR", date(2026, 12, 18),
                            "Send the price for 40", "Proposal", "open", 5, 7)],
            [self.task()],
            [
                inbox.FactLine(self.id("fact"), "contact", "Two depots; 40 people pick by hand", "confirmed", "user",
                               None, "Call notes, 12 November", None, self._now),
                inbox.FactLine(self.id("fact 2"), "contact", "Tomas decides on procurement", "quarantined", "user",
                               None, "Ilya's note", None, self._now),
            ],
        )  # fmt: skip

    def picture(self, words: Words) -> relationships.Picture:
        people = [("daria", Label.PERSON, "Daria Velnikova"), ("anna", Label.USER, "Anna Lisovets"),
                  ("ilya", Label.USER, "Илья Керн"), ("brindle", Label.COMPANY, "Brindle Freight"),
                  ("tomas", Label.PERSON, "Tomas Ferreira")]  # fmt: skip
        ties = [("anna", "daria", EdgeType.KNOWS, 0.9, "confirmed"), ("daria", "brindle", EdgeType.WORKS_AT, 1.0, "confirmed"),
                ("tomas", "brindle", EdgeType.WORKS_AT, 1.0, "confirmed"), ("ilya", "daria", EdgeType.INTERACTED, 0.3, "confirmed"),
                ("ilya", "tomas", EdgeType.KNOWS, 0.5, "quarantined")]  # fmt: skip
        found = Neighbourhood(
            self.id("daria"),
            tuple(Node(self.id(key), label, name) for key, label, name in people),
            tuple(Edge(self.id(f"{a} {b}"), kind, self.id(a), self.id(b), weight, trust, self._now)
                  for a, b, kind, weight, trust in ties),
            is_cut=False, answered_by=Adapter.POSTGRES, is_copy=True,
        )  # fmt: skip
        return relationships.place(found, self.id("anna"), words)

    def _message(
        self, key: str, seq: int, direction: str, status: str, body: str, failure: str = ""
    ) -> inbox.ThreadMessage:
        at = self._now - timedelta(minutes=30 - seq)
        author = "contact" if direction == "in" else "bidi"
        approver = None if direction == "in" else self.id("anna")
        return inbox.ThreadMessage(
            self.id(key), seq, direction, status, body, author, self.id(author), "Mira", False, approver,
            "Anna Lisovets", failure, at, at if key == "m2" else None, None, None,
        )  # fmt: skip

    def _file(self, name: str, message: str, status: str, refusal: str) -> Attachment:
        return Attachment(
            AttachmentId(self.id(name)), MessageId(self.id(message)), name, "application/pdf", 86_000, status, refusal,
            "", None,
        )  # fmt: skip

    def _row(
        self, key: str, name: str, company: str, text: str, *, unread: int = 0, draft: bool = False, writing: str = "",
        status: str = "received", failure: str = "", handoff: str | None = None,
    ) -> inbox.InboxRow:  # fmt: skip
        language = "ru" if any("а" <= letter <= "я" for letter in name) else "en"
        return inbox.InboxRow(
            self.id(f"row {key}"), "telegram", self.id(key), name, language, company, "open", None, "agent",
            self.id("mira"), "Mira", handoff, self._now, unread, text, "out" if failure else "in", "contact",
            self.id(key), "", status, failure, "", self.id("draft 1") if draft else None, None, writing,
        )  # fmt: skip
