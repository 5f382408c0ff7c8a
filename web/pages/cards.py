"""Pages of single contacts and companies: make one, change its fields in place, put it into the trash."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from core.errors import AppError, Conflict, Stale, Unprocessable
from crm.companies.queries import find_company_by_domain
from crm.contacts.queries import find_contact_by_handle
from crm.conversations.inbox import count_folders
from crm.facts import actions as facts
from crm.pipelines.moves import ActionRefused, MoveRefused
from crm.pipelines.rules import ROLES
from crm.tags import actions as tags
from events.ids import FactId, RecordKind, TagId
from web import cards, fields, links
from web.fields import COMPANIES, CONTACTS, DEALS, LEADS, Field, Opened, Sheet, Typed
from web.moves import missing_in_form
from web.phrases import CONSENT_CHANNELS, HANDLE_KINDS, N_, missing_text
from web.refusals import refusal_text
from web.viewer import CurrentSession, Session

Version = Annotated[int, Form()]
# What a refused form of a page says beside itself; `value` is what was typed.
_NO_PROBLEMS = {"tags": "", "handles": "", "consents": "", "stages": "", "value": ""}
_KINDS = ("email", "phone", "telegram_username", "link")


@dataclass(frozen=True)
class Seen:
    """What the reader had before them when they began to change a field."""

    version: int
    given: tuple[str, ...]


def router_of(sheet: Sheet) -> APIRouter:
    """The pages of single records of one kind."""
    router = APIRouter(prefix=sheet.path)

    @router.get("/new", name=f"new_{sheet.kind}")
    async def show_form(
        session: CurrentSession,
        company_id: UUID | None = None,
        contact_id: UUID | None = None,
        pipeline: UUID | None = None,
    ) -> Response:
        """An empty form; the ids name the company, the person and the pipeline of what is new."""
        opened = await _open(session, sheet)
        form = await fields.load_fields(session.tx, opened, None)
        known = {RecordKind.COMPANY: company_id, RecordKind.CONTACT: contact_id}
        for kind, id in known.items():
            name = await links.name_of(session.tx, kind, id) if id is not None else ""
            form = [fields.filled(one, name) if one.name == f"{kind}_id" and name else one for one in form]
        first = next((str(one.id) for one in opened.first_stages(pipeline)), "")
        form = [fields.filled(one, first) if one.name == "stage_id" else one for one in form]
        return await _form(session, sheet, form)

    @router.post("", name=f"create_{sheet.kind}")
    async def create(session: CurrentSession) -> Response:
        """Keep a new record; what cannot be kept stays in the form with the reason beside it."""
        opened = await _open(session, sheet)
        given = await session.request.form()
        form = await fields.load_fields(session.tx, opened, None)
        form += await missing_in_form(session.tx, opened, given)
        typed = {one.name: await fields.read_typed(session.tx, opened, one, given, None) for one in form}
        form = [fields.refused(one, typed[one.name]) for one in form]
        handles = _handles(given)
        problem, twin = await _twin(session, handles, typed)
        if not problem and not any(one.error for one in form):
            more = {"handles": tuple(handles.items())} if sheet.kind is RecordKind.CONTACT else {}
            try:
                async with session.tx.savepoint():
                    made = await sheet.create(session.tx, fields.new_of(opened, typed, **more))
                return RedirectResponse(f"{sheet.path}/{made.id}", 303)
            except MoveRefused as err:
                problem = session.words.gettext(
                    "Not added, for the stage asks for more: %(what)s.",
                    what=missing_text(err.missing, session.words),
                )
                form += await missing_in_form(session.tx, opened, given, err.missing)
            except (Unprocessable, Conflict) as err:
                problem = refusal_text(err, session.words)
        return await _form(session, sheet, form, handles=handles, problem=problem, twin=twin, status=422)

    @router.get("/{record_id}", name=f"show_{sheet.kind}")
    async def show(session: CurrentSession, record_id: UUID) -> Response:
        return await render(session, sheet, record_id)

    @router.get("/{record_id}/fields/{name}", name=f"edit_{sheet.kind}_field")
    async def edit_field(session: CurrentSession, record_id: UUID, name: str) -> Response:
        """A field, to be changed in its place."""
        opened = await _open(session, sheet)
        record = await sheet.get(session.tx, record_id)
        shown = await fields.load_field(session.tx, opened, record, name)
        return await _editing(session, sheet, record_id, shown, Seen(record.version, shown.given))

    @router.post("/{record_id}/fields/{name}", name=f"save_{sheet.kind}_field")
    async def save_field(session: CurrentSession, record_id: UUID, name: str, version: Version) -> Response:
        """Keep what was typed. Somebody else's change of another field is no conflict; of this one it is shown."""
        opened = await _open(session, sheet)
        record = await sheet.get(session.tx, record_id)
        shown = await fields.load_field(session.tx, opened, record, name)
        given = await session.request.form()
        typed = await fields.read_typed(session.tx, opened, shown, given, record)
        seen = Seen(version, tuple(map(str, given.getlist("before"))))
        if typed.error:
            return await _editing(session, sheet, record_id, fields.refused(shown, typed), seen, 422)
        is_same = seen.given == shown.given
        try:
            async with session.tx.savepoint():
                edit = fields.edit_of(opened, name, typed.value)
                await sheet.update(
                    session.tx, record_id, edit, version=record.version if is_same else version
                )
        except (Stale, Unprocessable, Conflict) as err:
            refused = fields.refused(shown, Typed(typed.given, error=_reason(session, err, shown)))
            seen = Seen(record.version, shown.given)
            return await _editing(session, sheet, record_id, refused, seen, err.status.value)
        return await done(session, sheet, record_id)

    @router.post("/{record_id}/tags", name=f"tag_{sheet.kind}")
    async def add_tag(
        session: CurrentSession, record_id: UUID, tag: Annotated[str, Form(max_length=200)] = ""
    ) -> Response:
        await sheet.get(session.tx, record_id)
        try:
            async with session.tx.savepoint():
                made = await tags.ensure_tag(session.tx, tag)
                await tags.put_tag(session.tx, sheet.kind, record_id, made.id)
        except Unprocessable as err:
            problems = {"tags": refusal_text(err, session.words)}
            return await render(session, sheet, record_id, err.status.value, problems=problems)
        return await done(session, sheet, record_id)

    @router.post("/{record_id}/tags/{tag_id}/removal", name=f"untag_{sheet.kind}")
    async def remove_tag(session: CurrentSession, record_id: UUID, tag_id: TagId) -> Response:
        await sheet.get(session.tx, record_id)
        await tags.take_tag(session.tx, sheet.kind, record_id, tag_id)
        return await done(session, sheet, record_id)

    @router.post("/{record_id}/facts/{fact_id}/confirmation", name=f"confirm_{sheet.kind}_fact")
    async def confirm_fact(session: CurrentSession, record_id: UUID, fact_id: FactId) -> Response:
        await facts.confirm_fact(session.tx, fact_id)
        return await done(session, sheet, record_id)

    @router.post("/{record_id}/facts/{fact_id}/retraction", name=f"retract_{sheet.kind}_fact")
    async def retract_fact(session: CurrentSession, record_id: UUID, fact_id: FactId) -> Response:
        await facts.retract_fact(session.tx, fact_id)
        return await done(session, sheet, record_id)

    @router.post("/{record_id}/removal", name=f"remove_{sheet.kind}")
    async def remove(session: CurrentSession, record_id: UUID, version: Version) -> Response:
        """Into the trash, from which the page offers the way back; a stage may keep what stands in it."""
        try:
            async with session.tx.savepoint():
                await sheet.delete(session.tx, record_id, version=version)
        except ActionRefused as err:
            problems = {"stages": refusal_text(err, session.words)}
            return await render(session, sheet, record_id, err.status.value, problems=problems)
        return await done(session, sheet, record_id)

    @router.post("/{record_id}/restoration", name=f"restore_{sheet.kind}")
    async def restore(session: CurrentSession, record_id: UUID) -> Response:
        await sheet.restore(session.tx, record_id)
        return await done(session, sheet, record_id)

    return router


async def render(
    session: Session,
    sheet: Sheet,
    record_id: UUID,
    status: int = 200,
    *,
    problems: dict[str, str] | None = None,
    **shown: Any,
) -> Response:
    """The page, or by htmx its middle, which is the same fragment."""
    card = await cards.load_card(session.tx, await _open(session, sheet), record_id)
    context = {
        "card": card,
        "editing": None,
        "seen": None,
        "problems": _NO_PROBLEMS | (problems or {}),
        "handle_kinds": HANDLE_KINDS,
        "consent_channels": CONSENT_CHANNELS,
        "roles": ROLES,
        "refused": None,
        "conversion": None,
        "asked_person": None,
        "asked_role": "",
        **shown,
    }
    if session.is_fragment:
        return session.page("cards/_card.html", status=status, **context)
    counts = await count_folders(session.tx)
    section = sheet.path.removeprefix("/")
    return session.page("cards/show.html", status=status, section=section, counts=counts, **context)


async def done(session: Session, sheet: Sheet, record_id: UUID) -> Response:
    """After a form: the page as it is now."""
    if session.is_fragment:
        return await render(session, sheet, record_id)
    return RedirectResponse(f"{sheet.path}/{record_id}", 303)


async def _editing(
    session: Session, sheet: Sheet, record_id: UUID, shown: Field, seen: Seen, status: int = 200
) -> Response:
    if not session.is_fragment:
        return await render(session, sheet, record_id, status, editing=shown, seen=seen)
    place = f"{sheet.path}/{record_id}"
    fragment = session.page("cards/_editor.html", status=status, editing=shown, place=place, seen=seen)
    if status != 200:  # it takes the place of the field, not of the page
        fragment.headers.update({"HX-Retarget": f"#field-{shown.id}", "HX-Reswap": "outerHTML"})
    return fragment


async def _open(session: Session, sheet: Sheet) -> Opened:
    return await fields.open_sheet(session.tx, sheet, session.words)


def _reason(session: Session, err: AppError, shown: Field) -> str:
    say = session.words.gettext
    match err:
        case Stale() if shown.text:
            return say(
                N_("Somebody changed it meanwhile to “%(now)s”. Save again to replace it."), now=shown.text
            )
        case Stale():
            return say(N_("Somebody emptied it meanwhile. Save again to replace it."))
        case _:
            return refusal_text(err, session.words)


async def _form(
    session: Session, sheet: Sheet, form: list[Field], *, status: int = 200, **shown: Any
) -> Response:
    context: dict[str, Any] = {"handles": {}, "problem": "", "twin": None, **shown}
    return session.page(
        "cards/new.html",
        status=status,
        sheet=sheet,
        fields=form,
        handle_kinds=[(kind, HANDLE_KINDS[kind]) for kind in _KINDS if sheet.kind is RecordKind.CONTACT],
        section=sheet.path.removeprefix("/"),
        counts=await count_folders(session.tx),
        **context,
    )


def _handles(given: FormData) -> dict[str, str]:
    """The addresses of a new person, by their kind."""
    typed = {kind: str(given.get(f"handle.{kind}", "")).strip()[:300].replace("\x00", "") for kind in _KINDS}
    return {kind: value for kind, value in typed.items() if value}


async def _twin(
    session: Session, handles: dict[str, str], typed: dict[str, Typed]
) -> tuple[str, tuple[str, str] | None]:
    """Why the record may be there already, and the one that is: as (path, name)."""
    say = session.words.gettext
    for kind, value in handles.items():
        try:
            twin = await find_contact_by_handle(session.tx, kind, value)
        except Unprocessable:
            return say(N_("“%(value)s” is no address or number."), value=value), None
        if twin is not None:
            return say(N_("“%(value)s” belongs to somebody already:"), value=value), (
                f"/contacts/{twin.id}",
                twin.name,
            )
    domain = str(typed["domain"].value or "") if "domain" in typed else ""
    company = await find_company_by_domain(session.tx, domain) if domain else None
    if company is not None:
        return say(N_("“%(value)s” belongs to a company already:"), value=domain), (
            f"/companies/{company.id}",
            company.name,
        )
    return "", None


contacts = router_of(CONTACTS)
companies = router_of(COMPANIES)
leads = router_of(LEADS)
deals = router_of(DEALS)
