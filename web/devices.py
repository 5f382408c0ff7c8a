"""What to call a device in a list of sessions: its browser and system, as far as it names them."""

import re

from web.i18n import Words
from web.phrases import N_

# In this order: every later one also claims to be one of those before it, or the other way round.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("YaBrowser", "Yandex Browser"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_PROGRAM = re.compile(r"^[\w.-]+")
UNKNOWN = N_("Unknown device")


def device_name(device: str, words: Words) -> str:
    """`Firefox, Linux`; the name of a program as it is."""
    browser = next((name for mark, name in _BROWSERS if f"{mark}/" in device), "")
    system = next((name for mark, name in _SYSTEMS if mark in device), "")
    if browser or system:
        return ", ".join(filter(None, (browser, system)))
    program = _PROGRAM.match(device)
    return program.group() if program else words.gettext(UNKNOWN)
