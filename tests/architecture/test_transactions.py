"""Transactions are opened only where the plan of the house says, and only core.db commits."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "core",
    "events",
    "crm",
    "graph",
    "memory",
    "channels",
    "prompts",
    "tools",
    "agents",
    "api",
    "web",
    "worker",
    "evals",
)

# Decision record 0002 names worker/jobs.py, where the lease of every job is begun and settled, and the others.
MAY_OPEN = {
    "api/accounts.py",
    "api/deps.py",
    "api/doors.py",
    "api/gate.py",
    "api/hub.py",
    "api/issuers.py",
    "api/joining.py",
    "api/proofs.py",
    "api/webhooks.py",
    "worker/jobs.py",
    "worker/auditing.py",
    "worker/evaluating.py",
    "worker/handlers.py",
    "worker/importing.py",
    "worker/matching.py",
    "worker/merging.py",
    "worker/privacy.py",
    "worker/tidying.py",
    "worker/remembering.py",
    "worker/removing.py",
    "worker/replaying.py",
    "worker/finding.py",
    "worker/webhooks.py",
    "worker/relay.py",
    "worker/cron.py",
    "worker/listeners.py",
    "worker/mailing.py",
    "worker/listening/line.py",
    "tools/dispatch.py",
    "agents/runtime.py",
    "agents/replaying.py",
    "tools/rehearsal.py",
    "evals/arena.py",
    "evals/office.py",
    "evals/redteam/world.py",
    "evals/redteam/carriers.py",
    "evals/redteam/playing.py",
    "evals/running.py",
    "web/live.py",
    "web/hearing.py",
    "graph/active.py",
    "graph/postgres.py",
    "graph/projector.py",
    "crm/identity/queries.py",
    "crm/api_keys/queries.py",
    "crm/channel_accounts/queries.py",
}
OPENS = re.compile(r"\b_?db\.(transaction|across_tenants|session)\(|\bjob\.transaction\(")
COMMITS = re.compile(r"\.commit\(\)")


def _sources() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]


def test_transactions_are_opened_only_where_the_house_says() -> None:
    openers = {str(path.relative_to(ROOT)) for path in _sources() if OPENS.search(path.read_text())}

    assert openers - {"core/db.py"} <= MAY_OPEN


def test_only_core_db_commits() -> None:
    committers = {str(path.relative_to(ROOT)) for path in _sources() if COMMITS.search(path.read_text())}

    assert committers == {"core/db.py"}


def test_only_settings_reads_the_environment() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in _sources()
        if re.search(r"os\.(environ|getenv)", path.read_text())
    }

    # crash points are armed before settings exist; the strict serialiser reads its switch at import
    assert readers <= {"core/crashpoint.py", "agents/__init__.py"}
