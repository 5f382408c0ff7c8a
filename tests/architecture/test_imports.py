"""The import contract, and that it names everything that exists."""

import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTRACT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
NOT_OURS = {"tests", "docs"}


def _packages(folder: Path) -> set[str]:
    return {path.parent.name for path in folder.glob("*/__init__.py")}


def test_the_import_contract_is_kept() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]

    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout


def test_every_top_level_package_is_under_the_contract() -> None:
    assert _packages(ROOT) - NOT_OURS == set(CONTRACT["root_packages"])


def test_every_noun_has_its_layer() -> None:
    layers = next(c["layers"] for c in CONTRACT["contracts"] if c.get("containers") == ["crm"])
    named = {noun.strip(" ()") for layer in layers for noun in layer.split("|")}

    assert _packages(ROOT / "crm") <= named


def test_no_installed_distribution_takes_the_name_of_a_package_of_ours() -> None:
    installed = packages_distributions()

    taken = {name: installed[name] for name in CONTRACT["root_packages"] if name in installed}

    assert all(owners == ["getsale"] for owners in taken.values()), taken
