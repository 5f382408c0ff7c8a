"""A move of a lead or deal as pages show it: what it is missing, and the inputs in which that is filled in at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import JsonValue
from starlette.datastructures import FormData

from core.db import Tx
from core.money import format_amount
from crm.deals.actions import add_stakeholder
from crm.pipelines.models import Cause, Outcome, Stage
from crm.pipelines.moves import ActionRefused, Missing, MoveRefused, check_move
from crm.pipelines.queries import list_stages
from crm.pipelines.rules import ROLES, Rule
from crm.pipelines.standings import get_standing
from events.ids import ContactId, DealId, RecordKind
from web import fields, links
from web.fields import Field, Opened, Sheet, Typed
from web.i18n import Words
from web.phrases import missing_text, refused_action_text, role_text

_STAKEHOLDER = "stakeholder."
# The inputs for what rules ask about, where they are not called the same.
_INPUTS = {"company": "company_id", "contact": "contact_id", "owner": "owner_id"}


@dataclass(frozen=True)
class Refused:
    """A move that did not happen: why, and the inputs in which it can be mended right here."""

    place: str
    record_id: UUID
    stage_id: UUID
    stage: str
    version: int
    text: str
    fields: list[Field]
    has_open_tasks: bool = False


@dataclass(frozen=True)
class Step:
    """A stage that a record may be moved to."""

    stage: Stage
    is_here: bool
    is_passed: bool


def steps_of(stages: Sequence[Stage], stage_id: UUID) -> list[Step]:
    """The way through a pipeline, as seen from where a record stands."""
    here = next((stage for stage in stages if stage.id == stage_id), None)
    return [
        Step(
            stage,
            stage.id == stage_id,
            here is not None
            and stage.is_open
            and stage.position < here.position
            and here.outcome != Outcome.LOST,
        )
        for stage in stages
    ]


async def fill_and_move(
    tx: Tx, words: Words, sheet: Sheet, record_id: UUID, stage_id: UUID, version: int, given: FormData
) -> Refused | None:
    """Write what the form brought along, then move; a refused move keeps what was written.

    Raises: NotFound, Stale, Unprocessable, ActionRefused when the stage holds fields still.
    """
    opened = await fields.open_sheet(tx, sheet, words)
    record = await sheet.get(tx, record_id, lock=True)
    inputs = [await _input(tx, opened, record, name) for name in _names(opened, given)]
    typed = {one.name: await _read(tx, opened, one, given, record) for one in inputs}
    if any(one.error for one in typed.values()):
        stages = await list_stages(tx, record.pipeline_id)
        again = [fields.refused(one, typed[one.name]) for one in inputs]
        return _refused(sheet, record, stages, stage_id, "", again)
    await _write(tx, opened, record, version, {name: one.value for name, one in typed.items()})
    record = await sheet.get(tx, record_id)
    if sheet.move is None:
        raise RuntimeError(f"{sheet.kind} has no stages")
    try:
        await sheet.move(tx, record_id, stage_id, version=record.version)
    except MoveRefused as err:
        return await missing_in(tx, opened, record, stage_id, err.missing)
    except ActionRefused as err:
        stages = await list_stages(tx, record.pipeline_id)
        return _refused(sheet, record, stages, stage_id, refused_action_text(err, words), [])
    return None


async def look_ahead(tx: Tx, words: Words, sheet: Sheet, record_id: UUID, stage_id: UUID) -> Refused | None:
    """What a move would be missing, before anybody tries it; None when nothing is in its way. Raises: NotFound."""
    opened = await fields.open_sheet(tx, sheet, words)
    record = await sheet.get(tx, record_id)
    try:
        await check_move(tx, await get_standing(tx, sheet.kind, record_id), stage_id, Cause.MOVED)
    except MoveRefused as err:
        return await missing_in(tx, opened, record, stage_id, err.missing)
    except ActionRefused as err:
        stages = await list_stages(tx, record.pipeline_id)
        return _refused(sheet, record, stages, stage_id, refused_action_text(err, words), [])
    return None


async def missing_in(
    tx: Tx, opened: Opened, record: Any, stage_id: UUID, missing: Sequence[Missing]
) -> Refused:
    """What a move was missing, with an input for each of it."""
    names = dict.fromkeys(name for one in missing if (name := input_of(one.rule)))
    inputs = [await _input(tx, opened, record, name) for name in names if _is_known(opened, name)]
    least = {one.rule.currency: one.rule.amount_minor for one in missing if one.rule.currency}
    inputs = [_with_least(one, least) if one.name == "amount" else one for one in inputs]
    stages = await list_stages(tx, record.pipeline_id)
    has_tasks = any(one.rule.rule == "no_open_tasks" for one in missing)
    text = missing_text(missing, opened.words)
    return _refused(opened.sheet, record, stages, stage_id, text, inputs, has_tasks)


async def missing_in_form(
    tx: Tx, opened: Opened, given: FormData, missing: Sequence[Missing] = ()
) -> list[Field]:
    """Further inputs of a form for a new record: those that it had before, and those that its stage asks for."""
    asked = set(opened.asked_names)
    before = [name for name in given if name in opened.all_names and name not in asked]
    wanted = [input_of(one.rule) for one in missing]
    names = [name for name in wanted if name in opened.all_names and name not in given] if missing else before
    return [
        await fields.load_field(tx, opened, None, name) for name in dict.fromkeys(names) if name not in asked
    ]


def input_of(rule: Rule) -> str:
    """The input that a rule can be met by; empty when it takes more than a value."""
    match rule.rule:
        case "field":
            return _INPUTS.get(rule.field, rule.field)
        case "minimum_amount":
            return "amount"
        case "stakeholder":
            return _STAKEHOLDER + rule.role
        case _:
            return ""


def _refused(
    sheet: Sheet,
    record: Any,
    stages: Sequence[Stage],
    stage_id: UUID,
    text: str,
    inputs: list[Field],
    has_open_tasks: bool = False,
) -> Refused:
    stage = next((one.name for one in stages if one.id == stage_id), "")
    place = f"{sheet.path}/{record.id}"
    return Refused(place, record.id, stage_id, stage, record.version, text, inputs, has_open_tasks)


def _names(opened: Opened, given: FormData) -> list[str]:
    return [name for name in dict.fromkeys(given.keys()) if _is_known(opened, name)]


def _is_known(opened: Opened, name: str) -> bool:
    if name.startswith(_STAKEHOLDER):
        return opened.sheet.kind is RecordKind.DEAL and name.removeprefix(_STAKEHOLDER) in ROLES
    return name in opened.all_names


async def _input(tx: Tx, opened: Opened, record: Any, name: str) -> Field:
    if not name.startswith(_STAKEHOLDER):
        return replace(await fields.load_field(tx, opened, record, name), prefix="fill-")
    called = ""
    if record.contact_id is not None:
        called = await links.name_of(tx, RecordKind.CONTACT, record.contact_id)
    shown = person_input(opened.words, name.removeprefix(_STAKEHOLDER))
    return fields.filled(replace(shown, name=name, prefix="fill-", is_required=False), called)


def person_input(words: Words, role: str) -> Field:
    """The input that asks who has a role in a deal."""
    label = words.gettext("Who is the %(role)s", role=role_text(role, words))
    return Field(
        "contact",
        label,
        "record",
        "",
        (),
        [],
        target=RecordKind.CONTACT,
        is_required=True,
        prefix="stakeholder-",
    )


def day(text: str) -> date | None:
    """Raises: ValueError."""
    return date.fromisoformat(text.strip()) if text.strip() else None


def amount_of(money: JsonValue) -> dict[str, Any]:
    """An amount with its currency, as deals keep them; nothing for no money."""
    return dict(money) if isinstance(money, Mapping) else {}


def _with_least(field: Field, least: Mapping[str, int]) -> Field:
    """The least amount that is asked for, in its currency, where there is another one or none."""
    amount, currency = (*field.given, "", "")[:2]
    wanted = currency if currency in least else next(iter(least), currency)
    if wanted != currency or not amount or amount == format_amount(0, currency):
        return replace(
            field, given=(format_amount(least[wanted], wanted), wanted) if least else ("", currency)
        )
    return field


async def _read(tx: Tx, opened: Opened, shown: Field, given: FormData, record: Any) -> Typed:
    """What was typed; an empty input says nothing rather than to empty the field."""
    if not any(isinstance(one, str) and one.strip() for one in given.getlist(shown.name)):
        return Typed()
    if shown.name == "amount" and not str(given.get(shown.name, "")).strip():
        return Typed()
    if shown.name.startswith(_STAKEHOLDER):
        names = tuple(one for one in given.getlist(shown.name) if isinstance(one, str))
        kept = record.contact_id if names == shown.given else None
        return await fields.read_link(tx, opened, RecordKind.CONTACT, shown, names, kept)
    return await fields.read_typed(tx, opened, shown, given, record)


async def _write(tx: Tx, opened: Opened, record: Any, version: int, new: Mapping[str, object]) -> None:
    values = {
        name: value for name, value in new.items() if value is not None and not name.startswith(_STAKEHOLDER)
    }
    await opened.sheet.update(tx, record.id, fields.edit_all(opened, values), version=version)
    for name, contact_id in new.items():
        if name.startswith(_STAKEHOLDER) and contact_id is not None:
            role = name.removeprefix(_STAKEHOLDER)
            await add_stakeholder(tx, DealId(record.id), ContactId(UUID(str(contact_id))), role)
