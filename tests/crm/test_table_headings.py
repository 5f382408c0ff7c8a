"""What a table holds is told by its headers, and by its cells where no header says it."""

import pytest

from crm.imports.tables import headings
from crm.imports.tables.models import Source
from events.ids import RecordKind

HUBSPOT = "Record ID,First Name,Last Name,Email,Phone Number,Contact owner,Associated Company,Job Title,Lifecycle Stage"
PIPEDRIVE = "Person - Name,Person - Organization,Person - Email - Work,Person - Phone - Mobile,Person - Owner,Person - ID"
AMOCRM = "ID,Тип,Наименование,Имя,Фамилия,Компания,Должность,Рабочий телефон,Рабочий email,Личный email,Ответственный,Теги"
BITRIX = "ID,Обращение,Имя,Фамилия,Отчество,Должность,Рабочий телефон,Мобильный телефон,Рабочий e-mail,Компания,Ответственный"


@pytest.mark.parametrize(
    ("headers", "source", "kind", "targets"),
    [
        (HUBSPOT, Source.HUBSPOT, RecordKind.CONTACT,
         "external_id,first_name,last_name,email,phone,owner,company,title,"),
        ("Record ID,Company name,Company owner,Company Domain Name,City,Number of Employees", Source.HUBSPOT,
         RecordKind.COMPANY, "external_id,name,owner,domain,city,employees"),
        ("Record ID,Deal Name,Deal Stage,Close Date,Deal owner,Amount", Source.HUBSPOT, RecordKind.DEAL,
         "external_id,name,stage,close_date,owner,amount"),
        (PIPEDRIVE, Source.PIPEDRIVE, RecordKind.CONTACT, "name,company,email,phone,owner,external_id"),
        ("Deal - Title,Deal - Value,Deal - Currency,Deal - Stage,Deal - Owner,Deal - Organization", Source.PIPEDRIVE,
         RecordKind.DEAL, "name,amount,currency,stage,owner,company"),
        ("Организация - Название,Организация - Адрес,Организация - Владелец", Source.PIPEDRIVE, RecordKind.COMPANY,
         "name,,owner"),
        (AMOCRM, Source.AMOCRM, RecordKind.CONTACT,
         "external_id,,name,first_name,last_name,company,title,phone,email,email,owner,tags"),
        ("ID,Название сделки,Компания,Этап сделки,Бюджет,Ответственный", Source.AMOCRM, RecordKind.DEAL,
         "external_id,name,company,stage,amount,owner"),
        (BITRIX, Source.BITRIX24, RecordKind.CONTACT,
         "external_id,,first_name,last_name,middle_name,title,phone,phone,email,company,owner"),
        ("ID,Название компании,Тип компании,Сфера деятельности,Рабочий телефон,Корпоративный сайт", Source.BITRIX24,
         RecordKind.COMPANY, "external_id,name,,industry,phone,domain"),
        ("ID,Название,Стадия сделки,Сумма,Валюта,Компания", Source.BITRIX24, RecordKind.DEAL,
         "external_id,name,stage,amount,currency,company"),
        ("Full name;E-mail;Моб. телефон;ID", Source.GENERIC, RecordKind.CONTACT, "name,email,phone,"),
        ("Имя,Телефон,Источник,Статус лида,Причина отказа", Source.GENERIC, RecordKind.LEAD,
         "first_name,contact_phone,source,stage,lost_reason"),
        ("Getsale lead id,Name,Stage", Source.GETSALE, RecordKind.LEAD, "external_id,name,stage"),
        ("Company;Website;Employees", Source.GENERIC, RecordKind.COMPANY, "name,domain,employees"),
    ],
)  # fmt: skip
def test_an_export_is_recognised_and_mapped(
    headers: str, source: Source, kind: RecordKind, targets: str
) -> None:
    columns = headers.split(";" if ";" in headers else ",")

    found = headings.recognise(columns)

    assert found == (source, kind)
    assert ",".join(headings.guess(source, kind, columns, []).targets) == targets


def test_columns_without_a_telling_header_are_mapped_by_their_cells() -> None:
    sample = [
        (n, [f"Vera {n}", f"vera{n}@lind.example", f"+7 916 123-45-{n:02}", "x"]) for n in range(10, 30)
    ]

    mapping = headings.guess(Source.GENERIC, RecordKind.CONTACT, ("A", "B", "C", "D"), sample)

    assert mapping.targets == ("", "email", "phone", "")
