"""The command line starts at once, as the processes of a fleet are started by it."""

import subprocess
import sys

HEAVY = ("langgraph", "openai", "fastapi", "psycopg", "numpy", "neo4j", "uvicorn")


def test_help_loads_nothing_that_only_a_command_needs() -> None:
    code = f"import infra.cli, sys; print(*[name for name in {HEAVY} if name in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert loaded.split() == []


def test_the_module_is_the_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "infra.cli", "bench", "nothing"], capture_output=True, text=True, check=False
    )

    assert ran.returncode == 2
    assert "There is no bench nothing; there are: " in ran.stderr
    assert "memory" in ran.stderr
