"""The dialog that `?` opens names every key that a page listens to."""

import re
from pathlib import Path

import web
from web import templating

STATIC = Path(web.__file__).parent / "static"
# What `event.code` calls a key, where the dialog calls it otherwise.
CAPS = {
    "Slash": "/", "Escape": "Esc", "ArrowRight": "→", "ArrowLeft": "←", "ArrowUp": "↑", "ArrowDown": "↓",
    "NumpadEnter": "Enter",
}  # fmt: skip
_CODES = re.compile(
    r"\b(Key[A-Z]|Slash|Escape|Enter|NumpadEnter|Arrow(?:Up|Down|Left|Right)|Page(?:Up|Down))\b"
)


def test_every_key_that_pages_listen_to_stands_in_the_dialog() -> None:
    scripts = [file.read_text("utf-8") for file in STATIC.glob("*.js")]
    codes = {code for text in scripts for code in _CODES.findall(text)}
    dialog = templating.render("en", "components/_keys.html", {})

    shown = {cap for caps in re.findall(r"<kbd>([^<]+)</kbd>", dialog) for cap in caps.split()}

    assert {CAPS.get(code, code.removeprefix("Key")) for code in codes} <= shown
