"""The graph of an agent as a small picture: its nodes one below the other, and the ways between them."""

from collections.abc import Collection
from dataclasses import dataclass

from crm.runs.graphs import END, START, Shape

WIDTH, BOX, HEIGHT, GAP = 280, 120, 28, 24
RADIUS = 7
_LEFT, _RIGHT = (WIDTH - BOX) // 2, (WIDTH + BOX) // 2


@dataclass(frozen=True)
class Node:
    """A box; the first and the last have no name."""

    name: str
    y: int
    is_visited: bool
    is_end: bool = False

    @property
    def middle(self) -> int:
        return self.y + HEIGHT // 2


@dataclass(frozen=True)
class Way:
    """A line from one box to another; `is_visited` when the run went along it."""

    path: str
    is_visited: bool


@dataclass(frozen=True)
class Picture:
    nodes: list[Node]
    ways: list[Way]
    height: int
    width: int = WIDTH
    box: int = BOX
    box_height: int = HEIGHT
    left: int = _LEFT


def draw(shape: Shape, visited: Collection[str]) -> Picture:
    """The picture of a graph with the nodes marked that a run went through."""
    order = [START, *shape.nodes, END]
    nodes = {
        name: Node(name, place * (HEIGHT + GAP), name in visited, is_end=name in (START, END))
        for place, name in enumerate(order)
    }
    ways = [
        _way(nodes, order, *edge, is_visited=_is_taken(shape, order, visited, *edge)) for edge in shape.edges
    ]
    return Picture(list(nodes.values()), ways, len(order) * (HEIGHT + GAP) - GAP)


def _is_taken(shape: Shape, order: list[str], visited: Collection[str], start: str, end: str) -> bool:
    """Whether the run went this way: it met both ends, and nothing on a longer way unless that led back here."""
    if not all(node in visited or node in (START, END) for node in (start, end)):
        return False
    between = order[order.index(start) + 1 : order.index(end)]
    return not any(node in visited and (node, start) not in shape.edges for node in between)


def _way(nodes: dict[str, Node], order: list[str], start: str, end: str, *, is_visited: bool) -> Way:
    one, other = nodes[start], nodes[end]
    steps = order.index(end) - order.index(start)
    if steps == 1:
        return Way(f"M{WIDTH // 2} {one.y + HEIGHT}V{other.y}", is_visited)
    # ways on pass on the right, ways back on the left; the farther, the wider
    side, bend = (_RIGHT, 14 * steps) if steps > 0 else (_LEFT, 20 * steps)
    x, y = (WIDTH // 2 + RADIUS, other.y + RADIUS) if other.is_end else (side, other.middle)
    return Way(f"M{side} {one.middle}C{side + bend} {one.middle} {side + bend} {y} {x} {y}", is_visited)
