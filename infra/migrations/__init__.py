"""The schema, as SQL files that alembic runs in order; forward only."""
