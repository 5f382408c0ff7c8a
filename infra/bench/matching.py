"""How well people are matched, on generated records that nothing was tuned on: precision, recall, F1 and speed."""

import sys
import time

from crm.matching.linking import THRESHOLD, score_people
from infra.bench import Report
from infra.bench._address_people import Dirt, Labelled
from infra.bench._address_people import make as make_addresses
from infra.bench._crm_people import make as make_contacts

# Seeds below a hundred were looked at while the matching was written; these were not.
_SEEDS = (101, 102, 103)
_GARBLED = Dirt(changes_per_copy=6, changes_per_value=3, most_copies=5)
_WORST = Dirt(changes_per_copy=8, changes_per_value=3, most_copies=9)
_LOST = Dirt(lost=0.45, changes_per_copy=7)


def run() -> Report:
    """Measure at the product's own threshold; takes some minutes and needs nothing running."""
    report = Report("matching")
    for seed in _SEEDS:
        _measure(report, f"contacts_{seed}", make_contacts(10_000, 4_000, seed), precision=0.995, recall=0.95)
        _measure(report, f"contacts_sparse_{seed}", make_contacts(10_000, 4_000, seed, heavy=True))
        _measure(report, f"address_1000_{seed}", make_addresses(500, 500, Dirt(), seed), f1=0.95)
        _measure(report, f"address_5000_{seed}", make_addresses(2_000, 3_000, _GARBLED, seed), f1=0.95)
        linked = make_addresses(5_000, 5_000, Dirt(), seed, apart=True)
        _measure(report, f"address_link_{seed}", linked, f1=0.95)
        _measure(report, f"address_9_copies_{seed}", make_addresses(2_000, 8_000, _WORST, seed), f1=0.95)
        _measure(report, f"address_lossy_{seed}", make_addresses(5_000, 5_000, _LOST, seed), f1=0.95)
    return report


def _measure(
    report: Report,
    name: str,
    labelled: Labelled,
    *,
    precision: float | None = None,
    recall: float | None = None,
    f1: float | None = None,
) -> None:
    started = time.perf_counter()
    found = matched(labelled)
    took = time.perf_counter() - started
    right = len(found & labelled.matches)
    exact = right / max(len(found), 1)
    whole = right / max(len(labelled.matches), 1)
    report.add(f"{name}_precision", exact, "share", len(found), aim=precision, better="higher")
    report.add(f"{name}_recall", whole, "share", len(labelled.matches), aim=recall, better="higher")
    balance = 2 * exact * whole / max(exact + whole, 1e-9)
    report.add(f"{name}_f1", balance, "share", len(labelled.matches), aim=f1, better="higher")
    report.add(f"{name}_took", took, "s", len(labelled.people))
    print(f"{name}: {exact:.4f} {whole:.4f} in {took:.1f} s", file=sys.stderr)


def matched(labelled: Labelled) -> set[tuple[str, str]]:
    """The pairs at or above the threshold, as `Labelled.matches` gives the true ones."""
    scored = score_people(labelled.people, labelled.others)
    ids = [person.id for person in (*labelled.people, *(labelled.others or ()))]
    pairs = scored.pairs[scored.scores >= THRESHOLD].tolist()
    named = ((ids[one], ids[two]) for one, two in pairs)
    return set(named) if labelled.others is not None else {(min(pair), max(pair)) for pair in named}
