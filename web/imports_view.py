"""Turns imports into what their pages show: columns to map, reasons in the reader's words, choices of a form."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from babel import Locale
from babel.numbers import list_currencies

from core.tables.formulas import escaped
from core.tables.headers import letter
from core.tables.models import Fault, Unreadable
from crm.custom_fields.models import EXTENSIBLE, CustomField
from crm.imports.tables import sniffing
from crm.imports.tables.headings import cells_of
from crm.imports.tables.models import IMPORTABLE, Reason, RowNote, TableImport
from crm.imports.tables.targets import NEW_FIELDS, TARGETS
from web.i18n import Words
from web.phrases import N_

EXPORTS = {
    "contact": N_("Contacts"),
    "company": N_("Companies"),
    "lead": N_("Leads"),
    "deal": N_("Deals"),
    "note": N_("Notes"),
    "task": N_("Tasks"),
    "meeting": N_("Meetings"),
}
KINDS = {"contact": N_("Contacts"), "company": N_("Companies"), "lead": N_("Leads"), "deal": N_("Deals")}
LISTS = {"contact": "contacts", "company": "companies", "lead": "leads", "deal": "deals"}
STATUSES = {
    "draft": N_("Columns to check"),
    "checking": N_("Being tried"),
    "checked": N_("Ready to import"),
    "running": N_("Running"),
    "paused": N_("Paused"),
    "cancelled": N_("Stopped"),
    "failed": N_("Failed"),
    "finished": N_("Done"),
    "undoing": N_("Being undone"),
    "undone": N_("Undone"),
}
SOURCES = {
    "hubspot": "HubSpot",
    "pipedrive": "Pipedrive",
    "amocrm": "amoCRM",
    "bitrix24": "Bitrix24",
    "getsale": "GetSale",
}
VERDICTS = {
    "made": N_("imported, with a remark"),
    "updated": N_("updated"),
    "skipped": N_("skipped"),
    "refused": N_("left out"),
}
TARGET_NAMES = {
    "name": N_("Name"),
    "first_name": N_("First name"),
    "last_name": N_("Last name"),
    "middle_name": N_("Middle name"),
    "email": N_("Email"),
    "phone": N_("Phone"),
    "telegram": N_("Telegram"),
    "link": N_("Link"),
    "title": N_("Job title"),
    "company": N_("Company name"),
    "company_domain": N_("Company website"),
    "note": N_("Note"),
    "language": N_("Language"),
    "consent_email": N_("Consent to email"),
    "consent_sms": N_("Consent to SMS"),
    "consent_telegram": N_("Consent to Telegram"),
    "consent_marketing": N_("Consent to marketing"),
    "owner": N_("Owner"),
    "tags": N_("Tags"),
    "external_id": N_("Id in the other system"),
    "domain": N_("Website"),
    "city": N_("City"),
    "country": N_("Country"),
    "industry": N_("Industry"),
    "employees": N_("Employees"),
    "about": N_("About the company"),
    "amount": N_("Amount"),
    "currency": N_("Currency"),
    "stage": N_("Stage"),
    "close_date": N_("Close date"),
    "contact_email": N_("Contact’s email"),
    "contact_phone": N_("Contact’s phone"),
    "contact_telegram": N_("Contact’s Telegram"),
    "source": N_("Source"),
    "lost_reason": N_("Lost reason"),
    "next_step": N_("Next step"),
}
FIELD_KINDS = {
    "text": N_("text"),
    "number": N_("number"),
    "money": N_("money"),
    "date": N_("date"),
    "boolean": N_("yes or no"),
}
DUPLICATES = {
    "skip": N_("Skip the row"),
    "fill": N_("Fill fields that are empty"),
    "overwrite": N_("Overwrite with the row"),
}
DATES = {"dmy": N_("Day first: 31/12/2026"), "mdy": N_("Month first: 12/31/2026")}
WHY = {
    "no_name": N_("Nothing in the row names the record. Add a name, an email or a phone."),
    "bad_email": N_("This is no email address. Correct it."),
    "bad_phone": N_("This is no phone number. Write it with the country code, or choose the right country."),
    "bad_telegram": N_("This is no Telegram name or id. Write it as @name."),
    "bad_domain": N_("This is no website. Write it as example.com."),
    "bad_number": N_("This is no number. Write figures only."),
    "bad_money": N_("This is no amount. Write it as 1200.50 EUR."),
    "bad_currency": N_("This is no currency. Use a code of three letters, as in EUR."),
    "bad_date": N_("This is no date. Write it as 2026-12-31."),
    "bad_boolean": N_("This is neither yes nor no."),
    "too_long": N_("The text is too long. Shorten it, or map the column to a note."),
    "too_many_cells": N_("The row has more cells than the header. Is a quote missing around a comma?"),
    "unknown_owner": N_("No member has this name or email. The record has no owner."),
    "unknown_stage": N_("No pipeline has a stage of this name. Correct it, or leave the column out."),
    "unknown_choice": N_("The field has no such choice. Correct it, or add the choice to the field."),
    "unknown_contact": N_("No contact has this address. The deal stays without a contact."),
    "same_email": N_("A contact with this email is there already."),
    "same_phone": N_("A contact with this phone is there already."),
    "same_telegram": N_("A contact with this Telegram is there already."),
    "same_domain": N_("A company with this website is there already."),
    "same_name": N_("A company of this name is there already."),
    "same_lead": N_("This person is in the pipeline already."),
    "same_external_id": N_("The record was imported before: the other system’s id is known."),
    "several_people": N_("Several contacts are called so. Add an email or a phone that tells which one."),
    "unknown_record": N_("No such record is there. Write its id, its address or its whole name."),
    "several_records": N_(
        "Several records are called so. Write the id or the address of the one that is meant."
    ),
    "handle_taken": N_("Somebody else has this address already. It stays with them."),
    "erased": N_("This person was erased at their wish. An import does not bring them back."),
    "in_trash": N_("The contact is in the trash. Restore it and import the row again."),
}
FAULTS = {
    "empty": N_("The file is empty. Export it again and upload it."),
    "no_rows": N_("The file has a header and no rows below it. Export it again with its rows."),
    "not_a_table": N_("This is neither CSV nor XLSX. Save the table as one of them and upload that."),
    "nul_bytes": N_("Line %(line)s holds NUL bytes, so this is no text. Save the table as CSV UTF-8 again."),
    "old_excel": N_("This is the old Excel format (XLS). Save it as XLSX and upload that."),
    "encrypted": N_("The workbook is protected by a password. Save it without one and upload that."),
    "broken": N_("The workbook is damaged or was cut off on its way. Export it again and upload it."),
    "no_sheet": N_("The workbook has no sheet with rows. Put the table on its first sheet."),
    "too_large": N_("The file is larger than %(detail)s. Split it and upload the parts."),
    "too_large_inside": N_(
        "Unpacked, the workbook is larger than is read. Save the table as CSV and upload that."
    ),
    "line_too_long": N_(
        "Line %(line)s is longer than a megabyte. Is its line end missing? Export the file again."
    ),
    "cell_too_long": N_(
        "A cell near line %(line)s does not end. Is a closing quote missing? Correct it and upload the file again."
    ),
    "wrong_encoding": N_(
        "Line %(line)s holds bytes that are not %(detail)s. Choose another encoding, or save the table as CSV UTF-8."
    ),
    "too_many_rows": N_("The file has more than %(detail)s rows. Split it and upload the parts."),
    "too_many_columns": N_("The file has more than %(detail)s columns. Leave out those that are not needed."),
    "too_slow": N_("Reading the file takes too long. Save the table as CSV and upload that."),
}
ENCODINGS = {
    "utf-8": "UTF-8",
    "cp1251": "Windows-1251",
    "utf-16": "UTF-16",
    "koi8_r": "KOI8-R",
    "cp866": "CP866",
    "cp1252": "Windows-1252",
}
DELIMITERS = {",": N_("Comma"), ";": N_("Semicolon"), "\t": N_("Tab"), "|": N_("Bar")}
_REGIONS = ("RU", "BY", "KZ", "UA", "UZ", "AM", "GE", "US", "GB", "DE", "AT", "CH", "FR", "ES", "IT", "NL", "PL", "TR", "AE", "IL", "IN")  # fmt: skip
_USUAL_CURRENCIES = (
    "EUR",
    "USD",
    "RUB",
    "GBP",
    "CHF",
    "PLN",
    "TRY",
    "KZT",
    "BYN",
    "UAH",
    "AED",
    "INR",
    "CNY",
)
_EXAMPLES = 3


@dataclass(frozen=True)
class Column:
    """One column of the table with its first filled cells and what it becomes."""

    place: int
    letter: str
    name: str
    examples: list[str]
    target: str
    new_kind: str


@dataclass(frozen=True)
class Group:
    """Choices of a select under one heading, as (value, text)."""

    heading: str
    choices: list[tuple[str, str]]


def columns_of(current: TableImport, targets: Sequence[str] | None = None) -> list[Column]:
    """The columns; `targets` are those of a form that was refused."""
    chosen = targets or current.mapping.targets
    return [
        Column(
            place,
            letter(place),
            name,
            [cell for cell in cells_of(current.sample, place) if cell][:_EXAMPLES],
            chosen[place],
            _new_kind(cells_of(current.sample, place)),
        )
        for place, name in enumerate(current.layout.columns)
    ]


def _new_kind(cells: Sequence[str]) -> str:
    """As which kind of field a column would come in best."""
    kind = sniffing.kind_of_cells(cells).value
    return kind if kind in FIELD_KINDS else "text"


def targets_of(current: TableImport, fields: Sequence[CustomField], words: Words) -> list[Group]:
    """What a column can become: nothing, a field of the record, a custom field, a new field."""
    built_in = [
        (target.key, words.gettext(TARGET_NAMES[target.key])) for target in TARGETS[current.record_kind]
    ]
    custom = [(f"custom:{field.key}", field.label) for field in fields]
    new = [
        (f"new:{kind}", words.gettext("New field: %(kind)s", kind=words.gettext(FIELD_KINDS[kind])))
        for kind in NEW_FIELDS
    ]
    groups = [Group(words.gettext(KINDS[current.record_kind.value]), built_in)]
    if custom:
        groups.append(Group(words.gettext("Custom fields"), custom))
    if current.record_kind in EXTENSIBLE:
        groups.append(Group(words.gettext("A field that is made now"), new))
    return groups


def regions(words: Words) -> list[tuple[str, str]]:
    names = Locale.parse(words.locale).territories
    return sorted(((code, names.get(code, code)) for code in _REGIONS), key=lambda pair: pair[1])


def currencies() -> tuple[str, ...]:
    return _USUAL_CURRENCIES


def is_currency(code: str) -> bool:
    return code in list_currencies()


def kinds() -> list[tuple[str, str]]:
    return [(kind.value, KINDS[kind.value]) for kind in IMPORTABLE]


def fault_text(err: Unreadable, words: Words) -> str:
    return words.gettext(FAULTS[err.fault.value], line=err.line, detail=err.detail)


def stored_fault(current: TableImport, words: Words) -> str:
    """Why an import failed."""
    if current.fault is None:
        return words.gettext(
            "The file is gone, or a fault on our side stopped the work. Undo it, or upload the file again."
        )
    fault = current.fault
    return fault_text(Unreadable(Fault(fault["fault"]), line=fault["line"], detail=fault["detail"]), words)


def reason_text(reason: Reason, words: Words) -> str:
    """Where, what stood there, and what it means: `Email “vera at lind”: This is no email address.`"""
    text = words.gettext(WHY[reason.why.value])
    place = " ".join(part for part in (reason.column, f"“{reason.value}”" if reason.value else "") if part)
    return f"{place}: {text}" if place else text


async def reasons_csv(notes: AsyncIterator[RowNote], words: Words) -> AsyncIterator[bytes]:
    """What is said about rows as a table, line by line; with the mark by which Excel knows UTF-8."""
    line = io.StringIO()
    writer = csv.writer(line)

    def taken() -> bytes:
        text = line.getvalue()
        line.seek(0)
        line.truncate()
        return text.encode()

    writer.writerow(
        [
            words.gettext(name)
            for name in (N_("Row"), N_("Result"), N_("Record"), N_("Column"), N_("Value"), N_("Reason"))
        ]
    )
    yield b"\xef\xbb\xbf" + taken()
    async for note in notes:
        for reason in note.reasons:
            verdict, why = words.gettext(VERDICTS[note.verdict.value]), words.gettext(WHY[reason.why.value])
            writer.writerow(
                [note.number, verdict, *map(escaped, (note.label, reason.column, reason.value)), why]
            )
        yield taken()
