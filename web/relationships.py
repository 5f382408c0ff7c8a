"""The small picture of who knows whom around one contact, placed on the server: an SVG without a script."""

from dataclasses import dataclass
from uuid import UUID

from core.principal import Principal
from graph.schema import EdgeType, Label
from graph.store import Edge, GraphStore, Neighbourhood, Node
from web.i18n import Words
from web.phrases import initials

# Columns of circles, own people on the left, theirs on the right; (x, y). A name stands under its circle.
_LEFT = ((46, 26), (46, 142), (46, 84))
_RIGHT = ((250, 26), (250, 142), (250, 84))
_MIDDLE = (148, 84)
_STRONG, _WEAK = 0.7, 0.35
_KINDS = {Label.USER: "self", Label.PERSON: "person", Label.COMPANY: "company"}
# Of several relations between the same two, the picture shows the one that says most.
_TELLING = (EdgeType.WORKS_AT, EdgeType.KNOWS, EdgeType.INTERACTED)


@dataclass(frozen=True)
class Place:
    """A circle with initials and a name."""

    x: int
    y: int
    name_y: int
    radius: int
    kind: str
    name: str
    initials: str


@dataclass(frozen=True)
class Line:
    """An edge between two circles, as an SVG path; `kind` is strong, weak, proposed or plain."""

    path: str
    kind: str


@dataclass(frozen=True)
class Picture:
    places: list[Place]
    lines: list[Line]
    sentences: list[str]
    is_copy: bool


async def draw(graph: GraphStore, principal: Principal, contact_id: UUID, words: Words) -> Picture:
    """Ask the graph once and place the closest neighbours."""
    found = await graph.neighbourhood(principal, contact_id, hops=2, limit=8)
    return place(found, principal.id, words)


def place(found: Neighbourhood, reader_id: UUID, words: Words) -> Picture:
    """Put the contact in the middle, our own people on its left, theirs on its right."""
    nodes = {node.id: node for node in found.nodes}
    if found.center not in nodes:
        return Picture([], [], [], found.is_copy)
    edges = _one_per_pair(found.edges)
    places = {found.center: _circle(nodes[found.center], _MIDDLE, 20, reader_id, words)}
    left, right = list(_LEFT), list(_RIGHT)
    for node in _closest(nodes, edges, found.center):
        side = left if node.label is Label.USER else right
        if side:
            places[node.id] = _circle(node, side.pop(0), 16, reader_id, words)
    shown = [edge for edge in edges if edge.source in places and edge.target in places]
    lines = [_line(edge, places) for edge in shown]
    sentences = [_sentence(edge, nodes, reader_id, words) for edge in shown]
    return Picture(list(places.values()), lines, sentences, found.is_copy)


def _one_per_pair(edges: tuple[Edge, ...]) -> list[Edge]:
    """The strongest first, one between any two."""
    kept: dict[frozenset[UUID], Edge] = {}
    for edge in sorted(edges, key=lambda edge: (_TELLING.index(edge.type), -edge.weight)):
        kept.setdefault(frozenset((edge.source, edge.target)), edge)
    return sorted(kept.values(), key=lambda edge: -edge.weight)


def _closest(nodes: dict[UUID, Node], edges: list[Edge], center: UUID) -> list[Node]:
    """The others: those tied to the contact by strength, then colleagues; whom else our people know is noise."""
    direct = [edge for edge in edges if center in (edge.source, edge.target)]
    near = {id for edge in direct for id in (edge.source, edge.target)}
    colleagues = [edge for edge in edges if edge.type is EdgeType.WORKS_AT and edge.target in near]
    order = [id for edge in (*direct, *colleagues) for id in (edge.source, edge.target)]
    return [nodes[id] for id in dict.fromkeys(order) if id != center and id in nodes]


def _circle(node: Node, slot: tuple[int, int], radius: int, reader_id: UUID, words: Words) -> Place:
    x, y = slot
    name = words.gettext("You") if node.id == reader_id else _short(node.name)
    return Place(x, y, y + radius + 13, radius, _KINDS[node.label], name, initials(node.name))


def _short(name: str, limit: int = 16) -> str:
    return name if len(name) <= limit else name[: limit - 1].rstrip() + "…"


def _line(edge: Edge, places: dict[UUID, Place]) -> Line:
    one, two = places[edge.source], places[edge.target]
    if edge.trust != "confirmed":
        kind = "proposed"
    elif edge.weight >= _STRONG and edge.type is not EdgeType.WORKS_AT:
        kind = "strong"
    else:
        kind = "weak" if edge.weight < _WEAK else ""
    return Line(_path(one, two), kind)


def _path(one: Place, two: Place) -> str:
    """A straight line to the middle; one that passes it bends above or below."""
    if _MIDDLE in ((one.x, one.y), (two.x, two.y)) or one.x == two.x:
        return f"M{one.x} {one.y}L{two.x} {two.y}"
    bend = 8 if one.y + two.y < 2 * _MIDDLE[1] else 170
    return f"M{one.x} {one.y}Q{_MIDDLE[0]} {bend} {two.x} {two.y}"


def _sentence(edge: Edge, nodes: dict[UUID, Node], reader_id: UUID, words: Words) -> str:
    one, two = (
        words.gettext("You") if id == reader_id else nodes[id].name for id in (edge.source, edge.target)
    )
    if edge.type is EdgeType.WORKS_AT:
        return words.gettext("%(one)s: works at %(two)s", one=one, two=two)
    if edge.trust != "confirmed":
        return words.gettext("%(one)s and %(two)s may know each other", one=one, two=two)
    if edge.type is EdgeType.INTERACTED:
        return words.gettext("%(one)s and %(two)s write to each other", one=one, two=two)
    return words.gettext("%(one)s and %(two)s know each other", one=one, two=two)
