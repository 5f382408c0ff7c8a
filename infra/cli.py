"""The `getsale` command.

The commands import what they need when they run: the agent stack takes seconds to load, and `getsale up` or
`getsale doctor` should not wait for it.
"""

import asyncio
import importlib
import inspect
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from uuid import UUID

import typer

from core.errors import AppError
from core.settings import Settings, load
from infra.servers.processes import ServerFailed

if TYPE_CHECKING:
    from core.db import Database

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="An agent-first operating layer for sales."
)
user = typer.Typer(no_args_is_help=True, help="The people who may sign in.")
replay = typer.Typer(no_args_is_help=True, help="Push recorded traffic through the live code.")
importing = typer.Typer(no_args_is_help=True, help="Bring in what happened before.")
graph = typer.Typer(no_args_is_help=True, help="The relationship graph, a projection of the facts.")
account = typer.Typer(no_args_is_help=True, help="The accounts that messages come and go over.")
model = typer.Typer(no_args_is_help=True, help="The language models that agents ask.")
knowledge = typer.Typer(no_args_is_help=True, help="The organization's own documents.")
app.add_typer(knowledge, name="knowledge")
app.add_typer(user, name="user")
app.add_typer(model, name="model")
app.add_typer(account, name="account")
app.add_typer(replay, name="replay")
app.add_typer(importing, name="import")
app.add_typer(graph, name="graph")

_DEMO_SLUG = "norrwick"
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main() -> None:
    """Run a command; what the caller can put right is one line, without a traceback."""
    try:
        app()
    except (ServerFailed, AppError) as err:
        _fail(str(err))


def _fail(reason: str, code: int = 1) -> NoReturn:
    print(reason, file=sys.stderr)
    sys.exit(code)


@app.command()
def up(
    neo4j: Annotated[
        bool, typer.Option("--neo4j/--no-neo4j", help="Run Neo4j where Java and Maven are.")
    ] = True,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Seed the demo organization.")] = True,
    local_model: Annotated[
        bool,
        typer.Option("--local-model", help="Let agents ask a small real model on this machine (1.1 GB)."),
    ] = False,
) -> None:
    """Start everything and stop it with Ctrl-C."""
    from infra import up as starting

    sys.exit(starting.run(load(), starting.Options(neo4j=neo4j, demo=demo, local_model=local_model)))


@app.command()
def api() -> None:
    """Serve the web pages and the API."""
    import uvicorn

    settings = _connected("database_url")
    config = uvicorn.Config(
        "api.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port or 8000,
        log_level="warning",
        access_log=False,
        # the frames of clients are small, and the server's too short to gain from compression
        ws_max_size=64 * 1024,
        ws_per_message_deflate=False,
        # open pages hold a stream of events, which never ends by itself
        timeout_graceful_shutdown=3,
    )
    handed_over = [socket.socket(fileno=settings.listen_fd)] if settings.listen_fd is not None else None
    uvicorn.Server(config).run(sockets=handed_over)


@app.command()
def worker() -> None:
    """Carry out reactions to events, agent runs and sends."""
    _run_process("worker.process")


@app.command()
def relay() -> None:
    """Hand events and due work to the workers."""
    _run_process("worker.relay")


@app.command()
def listen() -> None:
    """Keep the long-lived channel connections."""
    _run_process("worker.listeners")


@app.command()
def embed() -> None:
    """Hold the embedding model of this machine and serve it to the other processes."""
    from memory.embeddings import server
    from memory.embeddings.weights import WeightsUnusable

    try:
        asyncio.run(server.main(load()))
    except (WeightsUnusable, OSError) as err:
        _fail(str(err))


def _run_process(module: str) -> None:
    settings = _connected("database_url_worker")
    entry: Callable[[Settings], Coroutine[Any, Any, None]] = importlib.import_module(module).main
    asyncio.run(entry(settings))


def _connected(login: str) -> Settings:
    """The settings of one process: from the environment, else of a `getsale up` over the same data folder."""
    from infra import embedded, installation

    settings = load()
    data = installation.data_folder(settings)
    urls = embedded.find_running(data) or embedded.Urls()
    settings = installation.completed(settings, data, urls)
    missing = [name.upper() for name in (login, "redis_url") if not getattr(settings, name)]
    if missing:
        raise ServerFailed(f"Set {' and '.join(missing)}, or start `getsale up` over {data}.")
    return settings


@contextmanager
def _servers(*, with_demo: bool) -> Iterator[Settings]:
    """Settings over the servers of the environment or the data folder, started and migrated if nobody runs them."""
    from core import telemetry
    from infra import embedded, installation
    from infra.migrate import migrate

    settings = load()
    telemetry.set_up(settings, "getsale")
    data = installation.data_folder(settings)
    with embedded.servers_of(data, installation.wanted(settings)) as (urls, is_ours):
        settings = installation.completed(settings, data, urls)
        if is_ours:
            migrate(settings.database_url_migrator)
            if with_demo:
                _seed(settings)
        yield settings


def _seed(settings: Settings) -> None:
    from infra import installation
    from infra.up import seed_demo

    asyncio.run(seed_demo(settings, installation.demo_access(settings.data)))


@app.command()
def migrate(
    admin_url: Annotated[
        str, typer.Option(help="A superuser's URL: makes roles, database and extension.")
    ] = "",
) -> None:
    """Bring the database to the newest schema."""
    from infra import migrate as schema

    settings = load()
    if not settings.database_url_migrator and not admin_url:
        with _servers(with_demo=False) as running:
            schema.migrate(running.database_url_migrator)
    else:
        from infra.installation import wanted

        wanted(settings)
        if admin_url:
            urls = [settings.database_url, settings.database_url_worker, settings.database_url_migrator]
            schema.prepare(admin_url, urls)
        schema.migrate(settings.database_url_migrator)
    print(f"The schema is at version {schema.head()}.")


@app.command()
def demo() -> None:
    """Seed the demo organization and print its login."""
    from infra import installation

    with _servers(with_demo=False) as settings:
        _seed(settings)
        access = installation.demo_access(settings.data)
    print(f"Login {access.email} {access.password}")


@user.command("add")
def add_user(
    email: str,
    name: Annotated[str, typer.Option(help="As colleagues see it.")] = "",
    role: Annotated[str, typer.Option(help="owner, admin, supervisor, bidi or viewer.")] = "bidi",
    organization: Annotated[str, typer.Option(help="The slug; made if it is new.")] = _DEMO_SLUG,
    locale: Annotated[str, typer.Option(help="en or ru.")] = "en",
    password: Annotated[str, typer.Option(help="Made up and printed when left out.")] = "",
) -> None:
    """Let a person sign in."""
    from infra import users

    wanted = users.NewUser(email, name or email.partition("@")[0], role, organization, locale, password)
    with _servers(with_demo=False) as settings:
        print(f"Login {email} {asyncio.run(users.add(settings, wanted))}")


@user.command("key")
def add_key(
    email: str,
    organization: Annotated[str, typer.Option(help="The slug; default: the person's first one.")] = "",
    name: Annotated[str, typer.Option(help="What the key is for.")] = "",
) -> None:
    """Print a new API key that acts as this person; it cannot be shown again."""
    from infra import keys

    with _servers(with_demo=False) as settings:
        print(asyncio.run(keys.add(settings, email, organization, name)))


@user.command("keys")
def list_keys(
    email: str,
    organization: Annotated[str, typer.Option(help="The slug; default: the person's first one.")] = "",
) -> None:
    """List a person's API keys."""
    from infra import keys

    with _servers(with_demo=False) as settings:
        print("\n".join(asyncio.run(keys.list_lines(settings, email, organization))) or "There is none.")


@user.command("revoke-key")
def revoke_key(key_id: str) -> None:
    """Shut an API key off at once; `getsale user keys EMAIL` shows the ids."""
    from infra import keys

    with _servers(with_demo=False) as settings:
        asyncio.run(keys.revoke(settings, key_id))
    print(f"The key {key_id} is revoked.")


@replay.command("telegram")
def replay_telegram(
    file: Path,
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = _DEMO_SLUG,
    account: Annotated[str | None, typer.Option(help="The account's name or id; default: the first.")] = None,
) -> None:
    """Push recorded Bot API updates, one a line, through the live inbound code."""
    from core.errors import NotFound

    try:
        with file.open("rb") as lines, _servers(with_demo=organization == _DEMO_SLUG) as settings:
            tally = asyncio.run(_replay(settings, lines, organization, account))
    except NotFound as err:
        _fail(err.detail, 2)
    except OSError as err:
        _fail(f"{file} cannot be read: {err.strerror}.", 2)
    print(tally)


async def _replay(
    settings: Settings, lines: Iterable[bytes], organization: str, account: str | None
) -> object:
    from core.db import Database
    from infra import replay as replaying

    db = await Database(settings.database_url, size=2).open()
    try:
        target = await replaying.find_target(db, organization, account)
        return await replaying.replay_telegram(
            db, target, lines, file_limit_bytes=settings.telegram_file_limit_bytes
        )
    finally:
        await db.close()


@replay.command("mbox")
def replay_mbox(
    file: Path,
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = _DEMO_SLUG,
    account: Annotated[str | None, typer.Option(help="Its address, name or id; default: the first.")] = None,
) -> None:
    """Push the mails of an mbox file through the live inbound code; mails of the account's own are never sent."""
    from core.errors import NotFound
    from infra import replay as replaying

    async def run(settings: Settings) -> replaying.Tally:
        async with _database(settings) as db:
            target = await replaying.find_target(db, organization, account, "email")
            return await replaying.replay_mbox(db, target, file, settings)

    try:
        with file.open("rb"), _servers(with_demo=organization == _DEMO_SLUG) as settings:
            tally = asyncio.run(run(settings))
    except NotFound as err:
        _fail(err.detail, 2)
    except OSError as err:
        _fail(f"{file} cannot be read: {err.strerror}.", 2)
    print(tally)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator["Database"]:
    from core.db import Database

    db = await Database(settings.database_url, size=2).open()
    try:
        yield db
    finally:
        await db.close()


@account.command("email")
def account_email(
    address: str,
    imap: Annotated[str, typer.Option(help="host, host:port, or tls://, starttls://, plain://host:port.")],
    smtp: Annotated[str, typer.Option(help="The same for sending.")],
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = _DEMO_SLUG,
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, help="Asked for when left out.")
    ] = "",
    user: Annotated[str, typer.Option(help="The login; default: the address.")] = "",
    name: Annotated[str, typer.Option(help="What colleagues call it; default: the address.")] = "",
    sender_name: Annotated[str, typer.Option(help="What recipients see before the address.")] = "",
    check: Annotated[bool, typer.Option("--check/--no-check", help="Log in to both servers first.")] = True,
) -> None:
    """Connect a mailbox: it is read over IMAP and sends over SMTP."""
    from crm.channel_accounts.mailboxes import NewMailbox
    from infra import accounts

    new = NewMailbox(
        address,
        accounts.read_server(imap, accounts.IMAP),
        accounts.read_server(smtp, accounts.SMTP),
        password,
        username=user,
        name=name,
        sender_name=sender_name,
    )
    with _servers(with_demo=organization == _DEMO_SLUG) as settings:
        print(
            f"Connected {address} as {asyncio.run(accounts.connect(settings, organization, new, check=check))}"
        )


Organization = Annotated[str, typer.Option(help="The organization's slug.")]


@importing.command("telegram-desktop")
def import_telegram_desktop(
    place: Annotated[Path, typer.Argument(help="The exported folder, with its result.json.")],
    organization: Organization = _DEMO_SLUG,
    member: Annotated[str | None, typer.Option(help="Whose chats they are; default: the first.")] = None,
) -> None:
    """Import the contacts and private chats of a Telegram Desktop export; again to go on after an interruption."""
    from infra import telegram_import

    with _import_desk(organization, member) as (desk, run), _progress("Importing") as progress:
        outcome = run(telegram_import.import_export(desk, place, progress))
    print("\n".join(outcome.lines()))


@importing.command("undo")
def undo_import(import_id: UUID, organization: Organization = _DEMO_SLUG) -> None:
    """Take a whole import back; what people have built on since stays."""
    from events.ids import ImportId
    from infra import telegram_import

    with _import_desk(organization, None) as (desk, run), _progress("Undoing") as progress:
        kept = run(telegram_import.undo_import(desk, ImportId(import_id), progress))
    print(f"undone={import_id} kept={kept}")


@importing.command("list")
def list_imports(organization: Organization = _DEMO_SLUG) -> None:
    """Print the imports, the newest first."""
    from infra import telegram_import

    with _import_desk(organization, None) as (desk, run):
        found = run(telegram_import.imports_of(desk))
    for known in found:
        steps = f"{known.position}/{known.total}"
        print(f"{known.id} {known.status:<9} {steps:>11} {known.started_at:%Y-%m-%d %H:%M} {known.label}")


@contextmanager
def _import_desk(organization: str, member: str | None) -> Iterator[tuple[Any, Callable[..., Any]]]:
    """The organization to import into, and what runs a coroutine over its database."""
    from core.blobs import Blobs
    from core.db import Database
    from infra import telegram_import

    with _servers(with_demo=organization == _DEMO_SLUG) as settings, asyncio.Runner() as runner:
        db = runner.run(Database(settings.database_url, size=2).open())
        try:
            blobs = Blobs(settings.data)
            yield runner.run(telegram_import.find_desk(db, blobs, organization, member)), runner.run
        finally:
            runner.run(db.close())


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@knowledge.command("add")
def add_knowledge(
    files: list[Path],
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = _DEMO_SLUG,
) -> None:
    """Add PDF, DOCX, Markdown, text or HTML files; a running `getsale up` reads them."""
    from infra import knowledge as documents

    with _servers(with_demo=organization == _DEMO_SLUG) as settings:
        added = asyncio.run(documents.add(settings, organization, files))
    for each in added:
        print(f"{each.name}: {each.said}", file=sys.stderr if each.is_refused else sys.stdout)
    sys.exit(1 if any(each.is_refused for each in added) else 0)


@knowledge.command("list")
def list_knowledge(
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = _DEMO_SLUG,
) -> None:
    """Print every document and how it stands."""
    from infra import knowledge as documents

    with _servers(with_demo=organization == _DEMO_SLUG) as settings:
        lines = asyncio.run(documents.list_lines(settings, organization))
    print(
        "\n".join(lines)
        if lines
        else "There are no documents yet; add some with `getsale knowledge add FILE`."
    )


@model.command("add")
def add_model(
    name: Annotated[str, typer.Argument(help="What the organization calls it; an existing one is changed.")],
    base_url: Annotated[
        str, typer.Option(help="An OpenAI-compatible address, as https://api.example.com/v1.")
    ],
    model: Annotated[str, typer.Option(help="What the endpoint calls it.")],
    key: Annotated[str, typer.Option(help="The endpoint's key; - reads it from standard input.")] = "",
    tool_choice: Annotated[
        str, typer.Option(help="native, or structured for models bad at tool calls.")
    ] = "native",
    small: Annotated[
        bool, typer.Option("--small", help="Brief prompts, for models of few billion weights.")
    ] = False,
    context_tokens: Annotated[int, typer.Option(help="How much fits into one call.")] = 32_768,
    output_tokens: Annotated[int, typer.Option(help="The longest answer; 0 leaves it to the endpoint.")] = 0,
    price_in: Annotated[str, typer.Option(help="USD per million tokens in.")] = "0",
    price_out: Annotated[str, typer.Option(help="USD per million tokens out.")] = "0",
    fallback: Annotated[str, typer.Option(help="The model to ask when this one does not answer.")] = "",
    default: Annotated[
        bool, typer.Option("--default", help="For every seat without one of its own.")
    ] = False,
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = _DEMO_SLUG,
) -> None:
    """Set up a language model for an organization."""
    from crm.language_models.models import NewLanguageModel, ToolChoice
    from infra import models

    if tool_choice not in set(ToolChoice):
        _fail(f"--tool-choice {tool_choice} is not one of {', '.join(ToolChoice)}.", 2)
    new = NewLanguageModel(
        name=name,
        base_url=base_url,
        model=model,
        api_key=sys.stdin.readline().strip() if key == "-" else key,
        tool_choice=ToolChoice(tool_choice),
        is_small=small,
        context_tokens=context_tokens,
        output_tokens=output_tokens,
        price_in_usd_micros=models.usd_micros(price_in, "--price-in"),
        price_out_usd_micros=models.usd_micros(price_out, "--price-out"),
        fallback=fallback,
        is_default=default,
    )
    with _servers(with_demo=organization == _DEMO_SLUG) as settings:
        print(asyncio.run(models.add(models.Desk(settings, organization), new)))


@model.command("list")
def list_models(
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = _DEMO_SLUG,
) -> None:
    """Print the models of an organization, and which one each agent uses."""
    from infra import models

    with _servers(with_demo=organization == _DEMO_SLUG) as settings:
        print("\n".join(asyncio.run(models.list_lines(models.Desk(settings, organization)))))


@model.command("test")
def ask_model(
    name: Annotated[str | None, typer.Argument(help="Default: the one that agents use.")] = None,
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = _DEMO_SLUG,
) -> None:
    """Ask a model for one word, and say how it did."""
    from infra import models

    with _servers(with_demo=organization == _DEMO_SLUG) as settings:
        print(asyncio.run(models.test(models.Desk(settings, organization), name)))


@model.command("assign")
def assign_model(
    seat: Annotated[str, typer.Argument(help="The agent's name.")],
    name: Annotated[str | None, typer.Argument(help="Left out: the organization's model again.")] = None,
    organization: Annotated[str, typer.Option(help="The organization's slug.")] = _DEMO_SLUG,
) -> None:
    """Let one agent use a model of its own."""
    from infra import models

    with _servers(with_demo=organization == _DEMO_SLUG) as settings:
        print(asyncio.run(models.assign(models.Desk(settings, organization), seat, name)))


@model.command("remove")
def remove_model(
    name: str, organization: Annotated[str, typer.Option(help="The organization's slug.")] = _DEMO_SLUG
) -> None:
    """Take a model away that no agent uses and no other model falls back to."""
    from infra import models

    with _servers(with_demo=organization == _DEMO_SLUG) as settings:
        print(asyncio.run(models.remove(models.Desk(settings, organization), name)))


@model.command("fetch")
def fetch_model() -> None:
    """Fetch the small model of `getsale up --local-model`; a broken fetch goes on where it ended."""
    from infra.local_model.fetch import fetch

    print(fetch().weights)


@graph.command("rebuild")
def rebuild_graph(as_json: AsJson = False) -> None:
    """Drop the graphs, build them again from the facts, and print how many differences are left."""
    from infra import graph_rebuild

    with _servers(with_demo=False) as settings:
        left = asyncio.run(graph_rebuild.run(settings))
    print(
        json.dumps(left)
        if as_json
        else "\n".join(f"{name}: {count} differences" for name, count in left.items())
    )
    sys.exit(1 if any(left.values()) else 0)


@app.command()
def tools(as_json: AsJson = False) -> None:
    """List the tools that agents may be given."""
    from tools.registry import TOOLS, describe

    if as_json:
        print(json.dumps([describe(tool) for tool in TOOLS], indent=2, ensure_ascii=False))
        return
    for tool in TOOLS:
        print(f"{tool.name:<28} {tool.risk:<9} {tool.scope:<22} {tool.description.splitlines()[0]}")


@app.command()
def bench(
    name: str,
    path: Annotated[Path | None, typer.Argument(help="The data, for a bench that reads some.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure one part of the product and print the figures."""
    known = sorted(file.stem for file in Path(__file__).parent.joinpath("bench").glob("[a-z]*.py"))
    if name not in known:
        _fail(f"There is no bench {name}; there are: {', '.join(known) or 'none'}.", 2)
    run = importlib.import_module(f"infra.bench.{name}").run
    takes_path = bool(inspect.signature(run).parameters)
    if takes_path != (path is not None):
        _fail(f"The bench {name} {'needs a path to its data' if takes_path else 'reads no data'}.", 2)
    if path is not None and not path.exists():
        _fail(f"{path} does not exist.", 2)
    report = run(path) if takes_path else run()
    print(json.dumps(report.as_json()) if as_json else "\n".join(report.lines()))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Name what is missing or wrong on this machine, and each one's fix."""
    from infra import doctor as examination

    findings = asyncio.run(examination.examine(load()))
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        print("\n".join(str(finding) for finding in findings))
    sys.exit(0 if all(finding.is_fine for finding in findings) else 1)


@app.command()
def openapi() -> None:
    """Print the API's OpenAPI document."""
    from api.main import create_app

    print(json.dumps(create_app().openapi(), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
