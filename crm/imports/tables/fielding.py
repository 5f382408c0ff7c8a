"""Makes the custom fields that columns are to become, when a run begins and not before."""

from core.db import Tx
from core.filters import ValueKind
from crm.custom_fields import actions as custom_fields
from crm.custom_fields.models import MAX_LABEL, NewCustomField, key_of
from crm.custom_fields.queries import list_custom_fields
from crm.imports.tables import actions
from crm.imports.tables.models import TableImport
from crm.imports.tables.queries import get_table_import
from events.ids import ImportId


async def start_run(tx: Tx, import_id: ImportId) -> TableImport:
    """Have the rows taken over, into fields that are made first; a field of the same key that is there is taken.

    Raises: NotFound, Forbidden, Conflict; Unprocessable for too many fields.
    """
    current = await get_table_import(tx, import_id, lock=True)
    columns, targets = current.layout.columns, list(current.mapping.targets)
    if not any(target.startswith("new:") for target in targets):
        return await actions.start_run(tx, import_id)
    known = {field.key for field in await list_custom_fields(tx, current.record_kind, with_archived=True)}
    for column, target in enumerate(targets):
        if not target.startswith("new:"):
            continue
        key = key_of(columns[column])
        if key not in known:
            kind = ValueKind(target.removeprefix("new:"))
            new = NewCustomField(current.record_kind, columns[column][:MAX_LABEL], kind, key=key)
            await custom_fields.create_custom_field(tx, new)
            known.add(key)
        targets[column] = f"custom:{key}"
    return await actions.start_run(tx, import_id, targets)
