"""Every event has a route or says that nothing reacts, and every handler can be found by its name."""

import ast
from pathlib import Path

from events.types import BY_NAME, Event
from worker.jobs import InTx, Outside, Together
from worker.routes import DUE, ROUTES, names_by_event

ROOT = Path(__file__).parents[2]


def test_every_event_has_a_route_or_an_explicit_none() -> None:
    assert set(ROUTES) == set(Event.__subclasses__())


def test_event_names_are_unique_and_lower_case() -> None:
    assert len(BY_NAME) == len(Event.__subclasses__())
    assert all(name == name.lower() and "." in name for name in BY_NAME)


def test_a_handler_name_means_one_function() -> None:
    functions = {(handler.name, handler.function) for handlers in ROUTES.values() for handler in handlers}

    assert len({name for name, _ in functions}) == len(functions)
    assert "route" not in {name for names in names_by_event().values() for name in names}


def test_every_kind_of_due_work_that_is_scheduled_has_a_handler() -> None:
    kinds = {"channel.listen"} | set(DUE)
    scheduled: set[str] = set()
    for path in (ROOT / "crm").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Constant)
                and "due" in path.read_text()
            ):
                name = node.targets[0]
                if isinstance(name, ast.Name) and name.id in {
                    "QUIET",
                    "WAKE",
                    "RELEASE",
                    "UNSNOOZE",
                    "LISTEN",
                }:
                    scheduled.add(str(node.value.value))

    assert len(scheduled) == 5
    assert scheduled <= kinds


def test_handlers_are_declared_as_one_of_three_kinds() -> None:
    assert all(isinstance(h, InTx | Outside | Together) for handlers in ROUTES.values() for h in handlers)


def test_every_event_of_a_conversation_is_told_to_those_who_follow() -> None:
    """A socket that resumes reads them from the table: it must not find more there than live ones are told."""
    about = [event for event in ROUTES if event.subject_kind == "conversation"]

    assert [e.name for e in about if "publish_live" not in {h.name for h in ROUTES[e]}] == []
