"""Runs the SQL file that stands beside a version, as it is."""

from pathlib import Path

from alembic import op


def run_sql_beside(version_file: str) -> None:
    """Execute `0001_name.sql` for `0001_name.py`, all statements at once.

    It goes to the driver's own connection: SQLAlchemy would hand over empty parameters, and psycopg would then
    take every percent sign for a placeholder.
    """
    statements = Path(version_file).with_suffix(".sql").read_bytes()
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("The migration has no open connection.")
    connection.execute(statements)
