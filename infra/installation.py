"""This copy of the product: its data folder, its secrets, and the settings that follow from both."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import SecretStr

from core.settings import Settings
from infra.embedded import Urls, Wanted
from infra.servers.processes import ServerFailed

# Settings that name servers of ours which no file of the servers' own tells about.
ANNOUNCED = ("embeddings_url", "local_model_url")
_PROJECT = Path(__file__).parents[1]
_DEMO_EMAIL = "demo@getsale.example"
_WORDS = [
    "amber",
    "basil",
    "cedar",
    "coral",
    "delta",
    "ember",
    "fable",
    "grove",
    "harbor",
    "island",
    "juniper",
    "kettle",
    "lagoon",
    "maple",
    "nectar",
    "opal",
    "pepper",
    "quartz",
    "river",
    "saddle",
    "timber",
    "umber",
    "velvet",
    "willow",
    "yarrow",
    "zephyr",
]


@dataclass(frozen=True)
class DemoAccess:
    """The demo organization's login, and the token of its bot at the local Bot API."""

    email: str
    password: str
    bot_token: str


def data_folder(settings: Settings) -> Path:
    """Where this copy keeps its data, made if need be: GETSALE_DATA, or `.getsale` of the clone."""
    folder = settings.data
    if "data" not in settings.model_fields_set and _PROJECT.joinpath("pyproject.toml").exists():
        folder = _PROJECT / folder
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def wanted(settings: Settings) -> Wanted:
    """The servers that no URL replaces.

    Raises: ServerFailed when only some of the database's URLs are set.
    """
    urls = {
        "DATABASE_URL": settings.database_url,
        "DATABASE_URL_WORKER": settings.database_url_worker,
        "DATABASE_URL_MIGRATOR": settings.database_url_migrator,
    }
    missing = [name for name, url in urls.items() if not url]
    if missing and len(missing) < len(urls):
        raise ServerFailed(f"Set {' and '.join(missing)} too: each role of the database has its own login.")
    return Wanted(postgres=bool(missing), redis=not settings.redis_url)


def completed(settings: Settings, data: Path, urls: Urls) -> Settings:
    """The settings with the embedded servers' addresses, the data folder and the secret key filled in."""
    found = {name: url for name, url in asdict(urls).items() if url and not getattr(settings, name)}
    found |= {name: announced(data, name) for name in ANNOUNCED if not getattr(settings, name)}
    key = settings.secret_key.get_secret_value() or secret_key(data)
    return settings.model_copy(update={**found, "data": data, "secret_key": SecretStr(key)})


def environment(settings: Settings) -> dict[str, str]:
    """The environment of a process that is to run under these settings."""
    return dict(os.environ) | {
        "DATABASE_URL": settings.database_url,
        "DATABASE_URL_WORKER": settings.database_url_worker,
        "DATABASE_URL_MIGRATOR": settings.database_url_migrator,
        "REDIS_URL": settings.redis_url,
        "GETSALE_DATA": str(settings.data),
        "GETSALE_SECRET_KEY": settings.secret_key.get_secret_value(),
        "GETSALE_AUDIT_KEY": settings.audit_key.get_secret_value(),
        "TELEGRAM_API_BASE": settings.telegram_api_base,
        "GETSALE_INTERNAL_HOSTS": settings.internal_hosts,
        "EMBEDDINGS_URL": settings.embeddings_url,
        "AGENT_MODEL": settings.agent_model,
        "COPILOT_MODEL": settings.copilot_model,
        "AGENT_PATIENCE": str(settings.agent_patience),
        "LOCAL_MODEL_URL": settings.local_model_url,
        "SHOW_MAILS": str(settings.show_mails).lower(),
        "PYTHONUNBUFFERED": "1",
    }


def announce(data: Path, name: str, url: str) -> None:
    """Tell the processes over this data folder where a server of its `getsale up` is; '' withdraws it."""
    file = data / name
    if url:
        file.write_text(url)
    else:
        file.unlink(missing_ok=True)


def announced(data: Path, name: str) -> str:
    """The address of a server of the running `getsale up`, or ''."""
    file = data / name
    return file.read_text() if file.exists() else ""


def secret_key(data: Path) -> str:
    """The key of this copy, made once; whoever has it can open the stored channel secrets."""
    file = data / "secret_key"
    if not file.exists():
        _write_private(file, secrets.token_urlsafe(32))
    return file.read_text().strip()


def demo_access(data: Path) -> DemoAccess:
    """The demo's login, made once."""
    file = data / "demo.json"
    if not file.exists():
        password = "-".join(secrets.choice(_WORDS) for _ in range(3))
        token = f"{secrets.randbelow(9_000_000) + 1_000_000}:demo-{secrets.token_hex(8)}"
        _write_private(file, json.dumps(asdict(DemoAccess(_DEMO_EMAIL, password, token))))
    return DemoAccess(**json.loads(file.read_text()))


def _write_private(file: Path, content: str) -> None:
    partial = file.with_name(f"{file.name}.partial")
    partial.touch(mode=0o600)
    partial.write_text(content)
    partial.rename(file)
