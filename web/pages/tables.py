"""Contacts, companies and other records as tables: filter, sort, columns, scroll, edit in place."""

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response
from pydantic import StringConstraints

from core.errors import AppError, Conflict, NotFound, Stale, Unprocessable
from core.filters import ValueKind
from crm.conversations.inbox import count_folders
from crm.pipelines.moves import MoveRefused
from web import tables
from web.fields import WANTED
from web.links import Unclear
from web.pages import views
from web.refusals import refusal_text
from web.tables import Opened, State, Table
from web.viewer import CurrentSession, Session

Text = Annotated[str, Query(max_length=8000)]
Word = Annotated[str, Query(max_length=100)]
Values = Annotated[list[str], Query(max_length=200)]
Given = Annotated[list[Annotated[str, StringConstraints(max_length=8000)]], Form(max_length=10)]


def router_of(table: Table) -> APIRouter:
    """The pages of one kind of record as a table."""
    router = APIRouter(prefix=table.path)

    @router.get("", name=f"show_{table.kind}_table")
    async def show_table(
        session: CurrentSession,
        q: Word = "",
        filter: Text = "",
        sort: Word = "",
        columns: Annotated[list[str] | None, Query(max_length=100)] = None,
        view: Word = "",
        cursor: Text = "",
        adding: Word = "",
        part: Word = "",
        field: Word = "",
        op: Word = "",
        value: Values = [],  # noqa: B006
    ) -> Response:
        """The table; `field`, `op` and `value` add a condition to its filter."""
        state = State(table.path, q.strip(), filter, sort, ",".join(columns or ()), view)
        if not session.request.query_params and (first := await views.first_of(session, table)):
            return RedirectResponse(first, 303)
        if part == "tabs":
            tabs = await views.load(session, table, state, counted=True)
            return session.page("tables/_tabs.html", table=table, state=state, **tabs)
        opened = await _open(session, table, state)
        asked = None
        if field and op:
            try:
                return RedirectResponse(
                    await tables.with_condition(session.tx, opened, field, op, value), 303
                )
            except Unclear as err:
                adding, asked = field, err
        shown = await tables.load_view(session.tx, opened, cursor or None, adding)
        if asked is not None:
            shown = await tables.unclear(session.tx, shown, opened, op, value, asked)
        if part:
            return session.page(f"tables/_{'adding' if part == 'adding' else 'rows'}.html", view=shown)
        return session.page(
            "tables/index.html",
            status=422 if asked else 200,
            view=shown,
            state=state,
            may_export=session.principal.may("records:export"),
            **await views.load(session, table, state),
            section=table.home.removeprefix("/"),
            counts=await count_folders(session.tx),
        )

    @router.get("/{record_id}/row", name=f"show_{table.kind}_row")
    async def show_row(session: CurrentSession, record_id: UUID, columns: Text = "") -> Response:
        """One row as it is now; nothing when no list shows it any more."""
        return await _row(session, table, record_id, columns)

    @router.get("/{record_id}/cells/{name}", name=f"edit_{table.kind}_cell")
    async def edit_cell(
        session: CurrentSession, record_id: UUID, name: str, columns: Text = "", back: Text = ""
    ) -> Response:
        """A field of a row, to be changed."""
        opened = await _open(session, table, State(table.path, columns=columns))
        editor = await tables.load_editor(session.tx, opened, record_id, name)
        return await _editor(session, editor, columns, back)

    @router.post("/{record_id}/cells/{name}", name=f"save_{table.kind}_cell")
    async def save_cell(
        session: CurrentSession,
        record_id: UUID,
        name: str,
        version: Annotated[int, Form()],
        value: Given = [],  # noqa: B006
        currency: Annotated[str, Form(max_length=3)] = "",
        columns: Annotated[str, Form(max_length=2000)] = "",
        back: Annotated[str, Form(max_length=8000)] = "",
    ) -> Response:
        """Keep what was typed; what cannot be kept stays in the cell with the reason."""
        opened = await _open(session, table, State(table.path, columns=columns))
        editor = await tables.load_editor(session.tx, opened, record_id, name)
        new = None
        try:
            new = await tables.read_cell(session.tx, opened, editor, value, currency)
            async with session.tx.savepoint():
                await table.update(session.tx, record_id, new, version)
        except (Stale, Unprocessable, Conflict) as err:
            text = value[0] if value else ""
            mend = f"{table.home}/{record_id}/move?{urlencode({'stage_id': text})}"
            refused = tables.failed(
                editor,
                text,
                _reason(session, err, editor, is_typed=new is not None),
                err,
                currency=currency,
                mend=mend if isinstance(err, MoveRefused) else "",
            )
            return await _editor(session, refused, columns, back, status=err.status.value)
        if session.is_fragment:
            return await _row(session, table, record_id, columns)
        return RedirectResponse(_own(back, table), 303)

    return router


async def _open(session: Session, table: Table, state: State) -> Opened:
    return await tables.open_table(session.tx, table, state, session.words)


async def _row(session: Session, table: Table, record_id: UUID, columns: str) -> Response:
    opened = await _open(session, table, State(table.path, columns=columns))
    line = await tables.load_line(session.tx, opened, record_id)
    if line is None:
        raise NotFound(f"There is no {table.kind} {record_id} in a list.")
    return session.page("tables/_row.html", line=line, table=table, columns=columns)


async def _editor(
    session: Session, editor: tables.Editor, columns: str, back: str, status: int = 200
) -> Response:
    context: dict[str, Any] = {"editor": editor, "columns": columns, "back": _own(back, editor.table)}
    if session.is_fragment:
        fragment = session.page("tables/_editor.html", **context)
        if editor.error:  # it takes the place of the form, not of the row
            fragment.headers.update({"HX-Retarget": f"#cell-{editor.id}", "HX-Reswap": "outerHTML"})
        return fragment
    counts = await count_folders(session.tx)
    section = editor.table.home.removeprefix("/")
    return session.page("tables/edit.html", status=status, counts=counts, section=section, **context)


def _reason(session: Session, err: AppError, editor: tables.Editor, *, is_typed: bool) -> str:
    """Why a cell keeps what it held; `is_typed` says that what was typed is a value of its kind."""
    say = session.words.gettext
    match err:
        case Stale():
            now = dict(editor.options).get(editor.value, editor.value)
            return say("Somebody changed it meanwhile; it is “%(now)s” now.", now=now)
        case Unclear():
            return say(err.question)
        case Unprocessable() if not is_typed:
            return say(WANTED[ValueKind(editor.kind)])
        case _:
            return refusal_text(err, session.words)


def _own(back: str, table: Table) -> str:
    """Where a form leads back to: this table, nowhere else."""
    return back if back == table.path or back.startswith(f"{table.path}?") else table.path
