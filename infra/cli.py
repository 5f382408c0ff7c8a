"""The `getsale` command, put together from `infra.commands`.

The commands import what they need when they run: the agent stack takes seconds to load, and `getsale up` or
`getsale doctor` should not wait for it.
"""

import typer

from core.errors import AppError
from infra.commands import (
    account,
    auditing,
    evaluating,
    examining,
    exporting,
    graph,
    importing,
    judging,
    keys,
    knowledge,
    model,
    privacy,
    processes,
    red_teaming,
    replay,
    replaying,
    schema,
    search,
    user,
)
from infra.commands.running import fail
from infra.servers.processes import ServerFailed

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="An agent-first operating layer for sales."
)
for command in (
    processes.up,
    processes.api,
    processes.worker,
    processes.relay,
    processes.listen,
    processes.embed,
    schema.migrate,
    schema.demo,
    examining.tools,
    examining.bench,
    examining.doctor,
    examining.openapi,
):
    app.command()(command)
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(user.app, name="user")
app.add_typer(model.app, name="model")
app.add_typer(account.app, name="account")
app.add_typer(replay.app, name="replay")
app.add_typer(importing.app, name="import")
app.command("export")(exporting.export_records)
app.add_typer(graph.app, name="graph")
app.add_typer(search.app, name="search")
app.add_typer(auditing.app, name="audit")
app.add_typer(privacy.app, name="privacy")
app.add_typer(keys.app, name="keys")
evaluating.app.command("redteam")(red_teaming.redteam)
evaluating.app.command("judge")(judging.judge)
evaluating.app.command("import-decisions")(replaying.import_decisions)
evaluating.app.command("replay")(replaying.replay)
evaluating.app.command("backtest")(replaying.backtest)
evaluating.app.command("export-pairs")(replaying.export_pairs)
app.add_typer(evaluating.app, name="eval")


def main() -> None:
    """Run a command; what the caller can put right is one line, without a traceback."""
    try:
        app()
    except (ServerFailed, AppError) as err:
        fail(str(err))


if __name__ == "__main__":
    main()
