"""Custom fields: what the organization adds to its contacts, companies and deals."""

from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from core.errors import Conflict, Stale, Unprocessable
from core.filters import ValueKind
from core.money import CURRENCIES
from crm.conversations.inbox import count_folders
from crm.custom_fields import actions as custom_fields
from crm.custom_fields.models import (
    EXTENSIBLE,
    FIELD_KINDS,
    MAX_CHOICES,
    MAX_LABEL,
    Choice,
    CustomField,
    CustomFieldEdit,
    NewCustomField,
    key_of,
)
from crm.custom_fields.queries import get_custom_field, list_custom_fields
from crm.custom_fields.uses import count_choices, count_values, list_uses
from events.ids import CustomFieldId, RecordKind
from web.phrases import N_
from web.viewer import CurrentSession, Session

router = APIRouter(prefix="/settings/fields")
HOME = "/settings/fields"
Label = Annotated[str, Form(max_length=200)]
Lines = Annotated[str, Form(max_length=40_000)]
Listed = Annotated[list[str] | None, Form()]
_EMPTY: dict[str, object] = {
    "label": "",
    "kind": ValueKind.TEXT,
    "choices": "",
    "currency": "EUR",
    "target_kind": None,
    "is_required": False,
}
# A problem by the field of the form that it is about.
PROBLEMS = {
    "label": N_("Write a name of at most 100 characters."),
    "choices": N_("Write at least one choice, each once, one on a line."),
    "currency": N_("Write a currency of three letters, such as EUR."),
    "target_kind": N_("Say what it leads to."),
    "key": N_("There is a field of this name already, perhaps an archived one. Choose another name."),
}


@router.get("")
async def show_fields(session: CurrentSession, kind: RecordKind = RecordKind.CONTACT) -> Response:
    return await _index(session, kind)


@router.post("")
async def create_field(
    session: CurrentSession,
    record_kind: Annotated[RecordKind, Form()],
    value_kind: Annotated[ValueKind, Form()],
    label: Label = "",
    choices: Lines = "",
    currency: Annotated[str, Form(max_length=3)] = "",
    target_kind: Annotated[RecordKind | None, Form()] = None,
    is_required: Annotated[bool, Form()] = False,
) -> Response:
    """What does not belong to the kind of value is passed over, for the form shows all of it without a script."""
    has_choices = value_kind in (ValueKind.CHOICE, ValueKind.CHOICES)
    new = NewCustomField(
        record_kind,
        label,
        value_kind,
        choices=_chosen(choices.splitlines()) if has_choices else (),
        target_kind=target_kind if value_kind is ValueKind.RECORD else None,
        currency=currency.strip().upper() or None if value_kind is ValueKind.MONEY else None,
        is_required=is_required,
    )
    try:
        made = await custom_fields.create_custom_field(session.tx, new)
    except (Unprocessable, Conflict) as err:
        form = {"label": label, "kind": value_kind, "choices": choices, "currency": currency,
                "target_kind": target_kind, "is_required": is_required}  # fmt: skip
        return await _index(
            session, record_kind, status=err.status, problems=_problems(session, err), form=form
        )
    return RedirectResponse(f"{HOME}/{made.id}", 303)


def _chosen(labels: list[str], known: tuple[Choice, ...] = ()) -> tuple[Choice, ...]:
    """Choices with keys made of their labels, after those that are there."""
    made = list(known)
    for label in filter(None, (" ".join(line.split()) for line in labels)):
        taken = {choice.key for choice in made}
        key = key_of(label)
        made.append(Choice(next(each for each in _numbered(key) if each not in taken), label))
    return tuple(made)


def _numbered(key: str) -> list[str]:
    return [key, *(f"{key}_{number}" for number in range(2, MAX_CHOICES + 3))]


@router.get("/{custom_field_id}")
async def show_field(session: CurrentSession, custom_field_id: CustomFieldId) -> Response:
    return await _show(session, await get_custom_field(session.tx, custom_field_id))


@router.post("/{custom_field_id}")
async def update_field(
    session: CurrentSession,
    custom_field_id: CustomFieldId,
    version: Annotated[int, Form()],
    label: Label = "",
    choice_key: Listed = None,
    choice_label: Listed = None,
    more_choices: Lines = "",
    currency: Annotated[str, Form(max_length=3)] = "",
    is_required: Annotated[bool, Form()] = False,
    move: Annotated[str, Form(max_length=80)] = "",
    drop: Annotated[str, Form(max_length=80)] = "",
) -> Response:
    """Keeps what the form says; a button of a choice moves it (`up KEY`, `down KEY`) or takes it off the list."""
    field = await get_custom_field(session.tx, custom_field_id)
    edit = CustomFieldEdit(label=label, is_required=is_required)
    if field.kind is ValueKind.MONEY and currency.strip():
        edit = CustomFieldEdit(label=label, is_required=is_required, currency=currency)
    if field.choices:
        listed = zip(choice_key or (), choice_label or (), strict=False)
        kept = [Choice(key, " ".join(words.split())) for key, words in listed if key != drop]
        choices = _chosen(more_choices.splitlines(), tuple(_moved(kept, move)))
        edit = CustomFieldEdit(label=label, is_required=is_required, choices=choices)
    try:
        async with session.tx.savepoint():
            await custom_fields.update_custom_field(session.tx, custom_field_id, edit, version=version)
    except (Unprocessable, Conflict, Stale) as err:
        shown = {"label": label, "is_required": is_required}
        return await _show(session, field, status=err.status, problems=_problems(session, err), form=shown)
    return RedirectResponse(f"{HOME}/{custom_field_id}", 303)


def _moved(choices: list[Choice], move: str) -> list[Choice]:
    """The choices with one of them a place further up or down."""
    way, _, key = move.partition(" ")
    here = next((place for place, choice in enumerate(choices) if choice.key == key), None)
    if here is not None:
        there = min(max(here + (-1 if way == "up" else 1), 0), len(choices) - 1)
        choices.insert(there, choices.pop(here))
    return choices


@router.post("/{custom_field_id}/place")
async def place_field(
    session: CurrentSession, custom_field_id: CustomFieldId, by: Annotated[int, Form(ge=-1, le=1)]
) -> Response:
    """One place up or down."""
    field = await custom_fields.move_custom_field(session.tx, custom_field_id, places=by)
    return _back(field)


@router.post("/{custom_field_id}/archival")
async def archive_field(session: CurrentSession, custom_field_id: CustomFieldId) -> Response:
    return _back(await custom_fields.archive_custom_field(session.tx, custom_field_id))


@router.post("/{custom_field_id}/restoration")
async def restore_field(session: CurrentSession, custom_field_id: CustomFieldId) -> Response:
    return _back(await custom_fields.restore_custom_field(session.tx, custom_field_id))


def _back(field: CustomField) -> Response:
    return RedirectResponse(f"{HOME}?kind={field.record_kind}", 303)


async def _index(session: Session, kind: RecordKind, *, status: int = 200, **shown: Any) -> Response:
    kind = kind if kind in EXTENSIBLE else RecordKind.CONTACT
    fields = await list_custom_fields(session.tx, kind, with_archived=True)
    context = {
        "kind": kind,
        "kinds": EXTENSIBLE,
        "fields": [field for field in fields if field.archived_at is None],
        "archived": [field for field in fields if field.archived_at is not None],
        "held": await count_values(session.tx),
        "value_kinds": FIELD_KINDS,
        "form": _EMPTY,
        **await _frame(session),
    }
    return session.page("custom_fields/index.html", status=status, **{**context, **shown})


async def _show(session: Session, field: CustomField, *, status: int = 200, **shown: Any) -> Response:
    held = await count_choices(session.tx, field)
    context = {
        "field": field,
        "records": (await count_values(session.tx)).get((field.record_kind, field.key), 0),
        "held": held,
        "dropped": sorted(held.keys() - {choice.key for choice in field.options}),
        "uses": await list_uses(session.tx, field),
        "form": {"label": field.label, "is_required": field.is_required},
        **await _frame(session),
    }
    return session.page("custom_fields/show.html", status=status, **{**context, **shown})


async def _frame(session: Session) -> dict[str, Any]:
    return {
        "section": "settings",
        "counts": await count_folders(session.tx),
        "may_change": session.principal.may("fields:write"),
        "currencies": sorted(CURRENCIES),
        "max_label": MAX_LABEL,
        "problems": {},
    }


def _problems(session: Session, err: Unprocessable | Conflict | Stale) -> dict[str, str]:
    """What was not taken, in the reader's words, by the field of the form."""
    say, name = session.words.gettext, str(err.fields.get("field", ""))
    if isinstance(err, Stale):
        return {"": say(N_("Somebody changed this field meanwhile. Look at it again, then change it."))}
    if isinstance(err, Conflict) and name == "currency":
        return {
            name: say(N_("Records hold amounts in another currency. Change them first, or make a new field."))
        }
    if name in PROBLEMS:
        return {"label" if name == "key" else name: say(PROBLEMS[name])}
    return {"": say(N_("There are too many fields already. A kind of record takes a hundred."))}
