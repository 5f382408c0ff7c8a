"""What the relationship graph answered, as sources: who knows whom, and through which colleague."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, JsonValue

from agents.inbox.items import Item
from core.trust import Trust
from crm.drafts.models import EvidenceKind

USER, PERSON, COMPANY = "User", "Person", "Company"


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Node(_Read):
    id: UUID
    label: str
    name: str


class _Source(_Read):
    id: UUID
    trust: Trust = Trust.CONFIRMED


class _Edge(_Read):
    type: str
    source_id: UUID
    target_id: UUID
    valid_from: datetime | None = None
    source: _Source


class _Fact(_Read):
    id: UUID
    text: str = ""


class _Answer(_Read):
    """A neighbourhood, which has a center, or a chain from a colleague to somebody, which has none."""

    center_id: UUID | None = None
    nodes: tuple[_Node, ...] = ()
    edges: tuple[_Edge, ...] = ()
    facts: tuple[_Fact, ...] = ()


def relation_items(content: JsonValue, first: int) -> list[Item]:
    """One item per relation of a neighbourhood; a chain is one item that names its first colleague."""
    answer = _Answer.model_validate(content)
    if answer.center_id is None:
        return _chain(answer, first)
    nodes = {node.id: node for node in answer.nodes}
    found: list[Item] = []
    for edge in answer.edges:
        ends = (nodes.get(edge.source_id), nodes.get(edge.target_id))
        if ends[0] is not None and ends[1] is not None:
            found.append(_relation(edge, ends[0], ends[1], answer.center_id, first + len(found)))
    return found


def _relation(edge: _Edge, source: _Node, target: _Node, center: UUID, n: int) -> Item:
    """A relation from the center's side: `person` is whom it leads to, `via` the colleague who knows them."""
    details = {"type": edge.type}
    people = [node for node in (source, target) if node.label == PERSON and node.id != center]
    if people:
        details |= {"person": people[-1].name, "person_id": str(people[-1].id)}
    colleague = next((node.name for node in (source, target) if node.label == USER), "")
    if colleague:
        details |= {"via": colleague, "hops": "1"}
    company = next((node.name for node in (source, target) if node.label == COMPANY), "")
    if company:
        details["company"] = company
    label = f"{source.name} – {target.name}"
    return Item(
        n, EvidenceKind.RELATIONSHIP, edge.source.id, label, "", edge.source.trust, edge.valid_from, details
    )


def _chain(answer: _Answer, first: int) -> list[Item]:
    if not answer.edges or not answer.nodes:
        return []
    start, target = answer.nodes[0], answer.nodes[-1]
    details = {
        "person": target.name if target.label == PERSON else "",
        "company": target.name if target.label == COMPANY else "",
        "via": start.name if start.label == USER else "",
        "hops": str(len(answer.edges)),
    }
    label = " – ".join(node.name for node in answer.nodes)
    text = "; ".join(fact.text for fact in answer.facts if fact.text)
    trusts = {edge.source.trust for edge in answer.edges}
    trust = Trust.CONFIRMED if trusts == {Trust.CONFIRMED} else Trust.QUARANTINED
    last = answer.edges[-1]
    return [
        Item(first, EvidenceKind.RELATIONSHIP, last.source.id, label, text, trust, last.valid_from, details)
    ]
