"""Browsers in which somebody has signed in before: a signed mark in a cookie says so, and for which accounts.

Wrong passwords from elsewhere never keep somebody out of a browser that is known. Source: OWASP, "Slow Down Online
Guessing Attacks with Device Cookies".
"""

from core import crypto

COOKIE = "getsale_device"
YEAR_SECONDS = 365 * 24 * 3600
# A browser that several people share; the one that signed in last comes first.
_ACCOUNTS = 5


def known_as(cookie: str, email: str, *, key: str) -> str | None:
    """The name of this browser for an account, or None when nobody has signed in to it here."""
    for mark in cookie.split("~"):
        account, _, rest = mark.partition(".")
        name, _, signature = rest.partition(".")
        is_of_account = crypto.same(account, _account(email, key))
        if is_of_account and crypto.same(signature, _signature(account, name, key)):
            return name
    return None


def marked(cookie: str, email: str, *, key: str) -> str:
    """The cookie of a browser in which somebody has just signed in."""
    account, name = _account(email, key), crypto.new_token()
    others = [mark for mark in cookie.split("~") if mark and not mark.startswith(f"{account}.")]
    return "~".join([f"{account}.{name}.{_signature(account, name, key)}", *others][:_ACCOUNTS])


def _account(email: str, key: str) -> str:
    return crypto.sign(key, f"device of {email.strip().lower()}")[:16]


def _signature(account: str, name: str, key: str) -> str:
    return crypto.sign(key, f"device {account} {name}")[:32]
