"""Who may be whom in one file of people, or in two: every candidate pair with its probability, as CSV on stdout."""

import csv
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from core.errors import Unprocessable
from crm.matching.linking import THRESHOLD, score_people
from crm.matching.people import Person
from infra.bench import Report

# The pairs are the output; the figures go to stderr.
PRINTS_DATA = True

_FIELDS = ("given_name", "surname", "street", "suburb", "postcode", "state", "date_of_birth", "company")
_LARGEST_VALUE = 1_000_000


def run(file: Path, other: Path | None = None) -> Report:
    """Score the pairs inside `file`, or of one record of `file` and one of `other`."""
    started = time.perf_counter()
    left, right = read(file), None if other is None else read(other)
    scored = score_people(left, right)
    everybody = [*left, *(right or ())]
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(("left_id", "right_id", "score"))
    for (one, two), score in zip(scored.pairs.tolist(), scored.scores.tolist(), strict=True):
        rows.writerow((everybody[one].id, everybody[two].id, f"{score:.6f}"))
    report = Report("dedupe")
    report.add("records", len(everybody), "rows", len(everybody))
    report.add("candidates", len(scored.pairs), "pairs", len(everybody))
    report.add("matches_at_threshold", int((scored.scores >= THRESHOLD).sum()), "pairs", len(scored.pairs))
    report.add("took", time.perf_counter() - started, "s", len(everybody))
    return report


def read(file: Path) -> list[Person]:
    """The people of a CSV with a header; columns that are missing count as empty, others are passed over.

    Raises: Unprocessable: no column `id`, an id that comes twice, or text that is not UTF-8.
    """
    csv.field_size_limit(_LARGEST_VALUE)
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            table = csv.DictReader(lines, skipinitialspace=True)
            if "id" not in (table.fieldnames or ()):
                raise Unprocessable(
                    f"{file} has no column id; its header is {', '.join(table.fieldnames or ())}."
                )
            people = [_person({name: value or "" for name, value in row.items() if name}) for row in table]
    except UnicodeDecodeError as err:
        raise Unprocessable(f"{file} is not UTF-8; save it as UTF-8 and try again.") from err
    except csv.Error as err:
        raise Unprocessable(f"{file} cannot be read as CSV: {err}.") from err
    _require_one_each(people, file)
    return people


def _person(row: dict[str, str]) -> Person:
    values = {field: row.get(field, "").strip() for field in _FIELDS}
    return Person(
        id=row["id"].strip(),
        phones=tuple(filter(None, (row.get("phone", "").strip(),))),
        emails=tuple(filter(None, (row.get("email", "").strip(),))),
        **values,
    )


def _require_one_each(people: Sequence[Person], file: Path) -> None:
    seen: set[str] = set()
    for person in people:
        if person.id in seen:
            raise Unprocessable(f"{file} has the id {person.id!r} twice.")
        seen.add(person.id)
