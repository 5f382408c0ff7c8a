"""Finds of the search box as pages show them: where each leads, what it is called, how it is marked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from urllib.parse import quote
from uuid import UUID

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from crm.search.models import Found, FoundKind, Hit

ICONS = {
    FoundKind.CONTACT: "person",
    FoundKind.COMPANY: "company",
    FoundKind.DEAL: "deals",
    FoundKind.LEAD: "person",
    FoundKind.TASK: "task",
    FoundKind.MEETING: "calendar",
    FoundKind.NOTE: "note",
    FoundKind.FILE: "clip",
    FoundKind.MESSAGE: "chat",
    FoundKind.DOCUMENT: "doc",
}
_RECORD = re.compile(r"/\{[^/]+\}$")
_FOLDERS = {
    FoundKind.CONTACT: "contacts",
    FoundKind.COMPANY: "companies",
    FoundKind.DEAL: "deals",
    FoundKind.LEAD: "leads",
    FoundKind.TASK: "tasks",
    FoundKind.MEETING: "meetings",
    FoundKind.DOCUMENT: "knowledge",
}
# Where on its record's pages something is read.
_SECTIONS = {FoundKind.NOTE: "notes#note-item-{id}", FoundKind.FILE: "files"}


@dataclass(frozen=True)
class Group:
    """The finds of one kind, best first."""

    kind: FoundKind
    finds: Sequence["Find"]


@dataclass(frozen=True)
class Find:
    """A hit and the address of its page."""

    hit: Hit
    href: str

    @property
    def icon(self) -> str:
        return ICONS[self.hit.kind]

    @property
    def key(self) -> str:
        """What a browser remembers of it: its kind and id, and nothing that it says."""
        return f"{self.hit.kind}:{self.hit.id}"


def groups(app: FastAPI, found: Found) -> list[Group]:
    """By kind, the kind with the best find first."""
    order = list(dict.fromkeys(hit.kind for hit in found.hits))
    hits = sorted(found.hits, key=lambda hit: order.index(hit.kind))
    return [
        Group(kind, [find(app, hit) for hit in of_kind])
        for kind, of_kind in groupby(hits, key=lambda hit: hit.kind)
    ]


def find(app: FastAPI, hit: Hit) -> Find:
    """Where a record has a page it leads there, a message to its place in the conversation, a note or a file to its
    record."""
    if hit.kind is FoundKind.MESSAGE:
        return Find(hit, f"/inbox/{hit.thread_id}?folder=all#message-{hit.id}")
    if hit.kind in _SECTIONS:
        return Find(
            hit, f"/records/{hit.record_kind}/{hit.record_id}/{_SECTIONS[hit.kind].format(id=hit.id)}"
        )
    folder = _FOLDERS[hit.kind]
    if f"/{folder}/" in _paths(app):
        return Find(hit, f"/{folder}/{hit.id}")
    return Find(hit, f"/inbox?folder=all&q={quote(hit.title.text)}")


def has_page(app: FastAPI, href: str) -> bool:
    """Whether there is a page under a path."""
    return href.partition("?")[0] in _paths(app)


@lru_cache(maxsize=4)
def _paths(app: FastAPI) -> frozenset[str]:
    """The paths of pages; one that ends in a record's id is written without it: `/contacts/`."""
    return frozenset(
        _RECORD.sub("/", str(getattr(context, "path", "")))
        for context in iter_route_contexts(app.router.routes)
        if "GET" in (getattr(context, "methods", None) or ())
    )


def remembered(text: str, most: int = 8) -> list[tuple[FoundKind, UUID]]:
    """What a browser remembers, `contact:ID,deal:ID`; whatever else it says is passed over."""
    found = []
    for part in text.split(",")[:most]:
        kind, _, id = part.partition(":")
        try:
            found.append((FoundKind(kind), UUID(id)))
        except ValueError:
            continue
    return found
