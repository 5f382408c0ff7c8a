"""Brings a database to the newest schema; roles, database and extension are made once by an administrator."""

import time
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from infra.servers.postgres import make_roles_and_database

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x67657473616C65  # "getsale"


def head() -> str:
    """The newest version of the schema that this code knows."""
    return ScriptDirectory(str(_FOLDER)).get_current_head() or ""


def migrate(migrator_url: str, to: str = "head") -> None:
    """Run every missing version up to one; a second migrator waits for the first and finds nothing to do."""
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(migrator_url), poolclass=NullPool
    )
    with psycopg.connect(migrator_url, autocommit=True) as guard:
        guard.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        with engine.connect() as connection:
            config = Config()
            config.set_main_option("script_location", str(_FOLDER))
            config.attributes["connection"] = connection
            command.upgrade(config, to)
            connection.commit()
    engine.dispose()


def prepare(admin_url: str, urls: list[str], patience_seconds: float = 60) -> None:
    """As an administrator: make roles, database and extension, and set the passwords that `urls` carry."""
    logins = [conninfo_to_dict(url) for url in urls]
    database = str(logins[0].get("dbname") or "getsale")
    _await(admin_url, patience_seconds)
    make_roles_and_database(admin_url, database)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        for login in logins:
            if login.get("password"):
                admin.execute(
                    sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                        sql.Identifier(str(login["user"])), sql.Literal(str(login["password"]))
                    )
                )


def _await(url: str, patience_seconds: float) -> None:
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
