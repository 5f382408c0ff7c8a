"""`getsale up`: servers, schema, demo data and every process, in one command."""

import asyncio
import http.client
import signal
import socket
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from core import telemetry
from core.db import Database
from core.errors import AppError
from core.principal import system
from core.settings import Settings
from crm.channel_accounts import actions as accounts
from crm.channel_accounts import queries as account_queries
from events.ids import OrganizationId
from infra import demo_mail, embedded, installation
from infra.local_model import fetch as local_model
from infra.migrate import migrate
from infra.seed import mailbox
from infra.seed.demo import seed
from infra.servers import neo4j as neo4j_server
from infra.servers.processes import ServerFailed, free_port, listening
from infra.supervisor import Log, Program, Supervisor

_FIRST_PORT = 8000
_READY_SECONDS = 90.0
# Two cores write some 25 tokens a second when they have nothing else to do, and one answer at a time.
_LOCAL_PATIENCE = 6.0
_PROCESSES = ("worker", "relay", "listen")


@dataclass(frozen=True)
class Options:
    """What to leave out, and what to add."""

    neo4j: bool = True
    demo: bool = True
    local_model: bool = False


@dataclass(frozen=True)
class _Plan:
    """Everything that was decided before the first process starts."""

    settings: Settings
    door: (
        socket.socket
    )  # listens from before the first process starts, so that no other copy can take the port
    peer_port: int | None
    embed_port: int | None
    demo: installation.DemoAccess | None
    neo4j: bool
    model_port: int | None
    mail: demo_mail.MailPlan | None

    @property
    def port(self) -> int:
        return int(self.door.getsockname()[1])


def run(settings: Settings, options: Options) -> int:
    """Run until SIGINT or SIGTERM; returns the exit code."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    telemetry.set_up(settings, "getsale")
    data = installation.data_folder(settings)
    if options.local_model:
        local_model.fetch()
    _say("Starting GetSale; the first start takes a little longer.")
    with ExitStack() as stack:
        servers = stack.enter_context(embedded.start(data, installation.wanted(settings)))
        neo4j_server.withdraw(data)  # a start that was killed could not
        stack.callback(neo4j_server.withdraw, data)
        for name in installation.ANNOUNCED:
            installation.announce(data, name, "")
            stack.callback(installation.announce, data, name, "")
        settings = installation.completed(settings, data, servers.urls)
        migrate(settings.database_url_migrator)
        plan = _plan(settings, data, options)
        if plan.demo is not None:
            asyncio.run(seed_demo(plan.settings, plan.demo))
            asyncio.run(demo_mail.rest(plan.settings))
        return asyncio.run(_supervise(plan, servers))


def _leave(number: int, _: object) -> None:
    sys.exit(128 + number)


def _plan(settings: Settings, data: Path, options: Options) -> _Plan:
    """Choose the ports and what runs. Raises: ServerFailed when PORT is taken."""
    door = _open_door(settings)
    demo = installation.demo_access(data) if options.demo else None
    peer_port = None
    if demo is not None and not settings.telegram_bot_token.get_secret_value():
        peer_port = free_port()
        settings = settings.model_copy(update={"telegram_api_base": f"http://127.0.0.1:{peer_port}"})
    embed_port = None
    if not settings.embeddings_url:
        embed_port = free_port()
        settings = settings.model_copy(update={"embeddings_url": f"http://127.0.0.1:{embed_port}/v1"})
        installation.announce(data, "embeddings_url", settings.embeddings_url)
    model_port = free_port() if options.local_model else None
    if model_port is not None:
        settings = _with_local_model(settings, model_port)
        installation.announce(data, "local_model_url", settings.local_model_url)
    mail = demo_mail.plan() if peer_port is not None else None
    if mail is not None:
        settings = mail.admitted(settings)
    settings = _with_mails_shown(settings)
    has_neo4j = _has_neo4j(settings, options)
    return _Plan(settings, door, peer_port, embed_port, demo, has_neo4j, model_port, mail)


def _with_mails_shown(settings: Settings) -> Settings:
    """Without a mail server whoever sits at this machine reads what would have been mailed, and nobody else."""
    is_own = settings.host in ("127.0.0.1", "localhost", "::1") and not settings.public_url
    if settings.smtp_url.get_secret_value() or not is_own or "show_mails" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"show_mails": True})


def _with_local_model(settings: Settings, port: int) -> Settings:
    """Agents ask the local model, unless the environment names another one; it may take its time."""
    wanted: dict[str, object] = {"local_model_url": f"{_url(port)}/v1"}
    # of the copilot's questions it got none right, the offline model nearly all (docs/evaluation.md)
    chosen = {"agent_model": "local", "copilot_model": "offline", "agent_patience": _LOCAL_PATIENCE}
    wanted |= {name: value for name, value in chosen.items() if name not in settings.model_fields_set}
    return settings.model_copy(update=wanted)


def _open_door(settings: Settings) -> socket.socket:
    """Listen on PORT, or on the first free port from 8000. Raises: ServerFailed when PORT is taken."""
    if settings.port is None:
        ports = range(_FIRST_PORT, _FIRST_PORT + 1000)
        return next(door for port in ports if (door := listening(port, settings.host)))
    door = listening(settings.port, settings.host)
    if door is None:
        raise ServerFailed(
            f"Port {settings.port} (PORT) is taken; stop what listens there or choose another one."
        )
    return door


def _has_neo4j(settings: Settings, options: Options) -> bool:
    """Whether to run a Neo4j of our own; says what is missing if it cannot be."""
    if not options.neo4j or settings.neo4j_uri:
        return False
    if missing := neo4j_server.missing_tools():
        _say(f"Without {' and '.join(missing)} there is no Neo4j here; PostgreSQL answers for the graph.")
    return not neo4j_server.missing_tools()


async def seed_demo(settings: Settings, demo: installation.DemoAccess) -> None:
    """Make the demo organization once, and see that its bot has the token that is good today."""
    token = settings.telegram_bot_token.get_secret_value() or demo.bot_token
    db = await Database(settings.database_url, size=2).open()
    try:
        made = await seed(db, settings, email=demo.email, password=demo.password, bot_token=token)
        if not made.is_new:
            await _renew_token(db, settings, made.organization_id, token)
    finally:
        await db.close()


async def _renew_token(db: Database, settings: Settings, organization_id: OrganizationId, token: str) -> None:
    """TELEGRAM_BOT_TOKEN may have come, changed or gone since the last start, and so may the key."""
    async with db.transaction(system(organization_id), "up.renew_token") as tx:
        account = await account_queries.find_channel_account(tx, "telegram", None)
        stored = None
        with suppress(AppError):
            stored = await account_queries.open_secret(tx, account.id, settings.keyring)
        if stored != token:
            await accounts.replace_secret(tx, account.id, token=token, keys=settings.keyring)


async def _supervise(plan: _Plan, servers: embedded.Servers) -> int:
    programs = _programs(plan)
    supervisor = Supervisor(
        Log(
            [program.name for program in programs]
            + ["neo4j"] * plan.neo4j
            + ["mail"] * (plan.mail is not None)
        )
    )
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, _stop_or_hurry, stop, supervisor)
    try:
        for program in programs:
            await supervisor.start(program)
        if not await _ready(plan, stop):
            supervisor.log.release()
            if not stop.is_set():
                _say(
                    "GetSale did not become ready; the log above says why. `getsale doctor` may know the fix."
                )
            return 0 if stop.is_set() else 1
        _announce(plan)
        supervisor.log.release()
        if plan.mail is not None and plan.demo is not None:
            await supervisor.start(demo_mail.program(plan.settings, plan.mail, plan.demo.password))
        waits_for_mail = plan.mail is not None
        if plan.neo4j:  # only now: it takes both cores for seconds
            await supervisor.start(_graph(plan.settings))
        while not stop.is_set():
            for name in servers.revive():
                supervisor.log.write(name, "ended and was started again")
            if waits_for_mail:
                waits_for_mail = not await _connect_mail(plan)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), timeout=1)
        return 0
    finally:
        _say("Stopping.")
        await supervisor.stop()


async def _connect_mail(plan: _Plan) -> bool:
    if plan.mail is None or plan.demo is None:
        return True
    return await demo_mail.connect_if_ready(plan.settings, plan.mail, plan.demo.password)


def _stop_or_hurry(stop: asyncio.Event, supervisor: Supervisor) -> None:
    if stop.is_set():
        supervisor.hurry()
    stop.set()


def _programs(plan: _Plan) -> list[Program]:
    environment = installation.environment(plan.settings)
    getsale = [sys.executable, "-m", "infra.cli"]
    door = plan.door.fileno()
    own = {"PORT": str(plan.port), "LISTEN_FD": str(door)}
    programs = [Program("api", [*getsale, "api"], environment | own, pass_fds=(door,))]
    for name in _PROCESSES:
        programs.append(Program(name, [*getsale, name], environment | {"METRICS_PORT": str(free_port())}))
    if plan.embed_port is not None:
        own = {"METRICS_PORT": str(plan.embed_port), "HOST": "127.0.0.1"}
        programs.append(Program("embed", [*getsale, "embed"], environment | own))
    if plan.model_port is not None:
        command = [sys.executable, "-m", "infra.local_model", "--port", str(plan.model_port)]
        programs.append(Program("model", command, environment))
    if plan.peer_port is not None and plan.demo is not None:
        peer = [sys.executable, "-m", "infra.peers.telegram", "--port", str(plan.peer_port)]
        peer += ["--data", str(plan.settings.data / "telegram"), "--token", plan.demo.bot_token]
        if plan.mail is not None:
            peer += ["--smtp-port", str(plan.mail.smtp_port), "--imap-port", str(plan.mail.imap_port)]
            peer += ["--mail-to", mailbox.ADDRESS]
        programs.insert(0, Program("telegram", [*peer, "--inbox-url", _url(plan.port)], environment))
    return programs


def _graph(settings: Settings) -> Program:
    command = [sys.executable, "-m", "infra.servers.neo4j", str(settings.data)]
    return Program("neo4j", command, installation.environment(settings))


async def _ready(plan: _Plan, stop: asyncio.Event) -> bool:
    """Wait until every page can be served; False when that does not happen in time or we are told to stop."""
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and not stop.is_set():
        if await asyncio.to_thread(_answers, plan.settings.host, plan.port):
            return True
        await asyncio.sleep(0.1)
    return False


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _announce(plan: _Plan) -> None:
    """The three lines that a new user needs, at once even into a pipe."""
    with suppress(BrokenPipeError):
        print(f"Open {_url(plan.port)}", flush=True)
        if plan.demo is not None:
            print(f"Login {plan.demo.email} {plan.demo.password}", flush=True)
        else:
            print("Login: make one with `getsale user add`", flush=True)
        if plan.peer_port is not None:
            print(f"Prospect {_url(plan.peer_port)}/", flush=True)
        elif plan.demo is not None:
            print("Prospect: write to your bot in Telegram", flush=True)


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _say(text: str) -> None:
    with suppress(BrokenPipeError):
        print(text, file=sys.stderr, flush=True)
