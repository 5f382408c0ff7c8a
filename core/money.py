"""Money: whole minor units of a currency of ISO 4217, read and written without a float.

Source: ISO 4217, list one, <https://www.six-group.com/en/products-services/financial-information/data-standards.html>
(CLDR shows some currencies with fewer digits than they are accounted in, so Babel is not asked here).
"""

import re

from core.errors import Unprocessable

# What a bigint holds with room for a sum of nine of them.
MOST_MINOR = 10**18
CURRENCIES = frozenset(
    [
        "AED",
        "AFN",
        "ALL",
        "AMD",
        "AOA",
        "ARS",
        "AUD",
        "AWG",
        "AZN",
        "BAM",
        "BBD",
        "BDT",
        "BHD",
        "BIF",
        "BMD",
        "BND",
        "BOB",
        "BOV",
        "BRL",
        "BSD",
        "BTN",
        "BWP",
        "BYN",
        "BZD",
        "CAD",
        "CDF",
        "CHE",
        "CHF",
        "CHW",
        "CLF",
        "CLP",
        "CNY",
        "COP",
        "COU",
        "CRC",
        "CUP",
        "CVE",
        "CZK",
        "DJF",
        "DKK",
        "DOP",
        "DZD",
        "EGP",
        "ERN",
        "ETB",
        "EUR",
        "FJD",
        "FKP",
        "GBP",
        "GEL",
        "GHS",
        "GIP",
        "GMD",
        "GNF",
        "GTQ",
        "GYD",
        "HKD",
        "HNL",
        "HTG",
        "HUF",
        "IDR",
        "ILS",
        "INR",
        "IQD",
        "IRR",
        "ISK",
        "JMD",
        "JOD",
        "JPY",
        "KES",
        "KGS",
        "KHR",
        "KMF",
        "KPW",
        "KRW",
        "KWD",
        "KYD",
        "KZT",
        "LAK",
        "LBP",
        "LKR",
        "LRD",
        "LSL",
        "LYD",
        "MAD",
        "MDL",
        "MGA",
        "MKD",
        "MMK",
        "MNT",
        "MOP",
        "MRU",
        "MUR",
        "MVR",
        "MWK",
        "MXN",
        "MXV",
        "MYR",
        "MZN",
        "NAD",
        "NGN",
        "NIO",
        "NOK",
        "NPR",
        "NZD",
        "OMR",
        "PAB",
        "PEN",
        "PGK",
        "PHP",
        "PKR",
        "PLN",
        "PYG",
        "QAR",
        "RON",
        "RSD",
        "RUB",
        "RWF",
        "SAR",
        "SBD",
        "SCR",
        "SDG",
        "SEK",
        "SGD",
        "SHP",
        "SLE",
        "SOS",
        "SRD",
        "SSP",
        "STN",
        "SVC",
        "SYP",
        "SZL",
        "THB",
        "TJS",
        "TMT",
        "TND",
        "TOP",
        "TRY",
        "TTD",
        "TWD",
        "TZS",
        "UAH",
        "UGX",
        "USD",
        "USN",
        "UYI",
        "UYU",
        "UYW",
        "UZS",
        "VED",
        "VES",
        "VND",
        "VUV",
        "WST",
        "XAF",
        "XCD",
        "XOF",
        "XPF",
        "YER",
        "ZAR",
        "ZMW",
        "ZWG",
    ]
)
_DIGITS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF"),
        0,
    ),
    **dict.fromkeys(("XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip
_BLANKS = re.compile(r"[\s'’\u00a0\u2009\u202f]")
_GROUPED = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*")


def digits_of(currency: str) -> int:
    """How many decimals a currency has: 2 for EUR, 0 for JPY, 3 for KWD."""
    return _DIGITS.get(currency, 2)


def known_currency(code: str) -> str:
    """The code in capitals. Raises: Unprocessable when ISO 4217 does not have it."""
    upper = code.strip().upper()
    if upper not in CURRENCIES:
        raise Unprocessable(
            f"{code!r} is no currency; use a code of three letters, as in EUR.", field="currency"
        )
    return upper


def format_amount(amount_minor: int, currency: str) -> str:
    """The amount with all its decimals, as a program writes it: `8160.00`, `8160` yen, `8.160` dinars."""
    digits = digits_of(currency)
    if digits == 0:
        return str(amount_minor)
    sign, number = ("-" if amount_minor < 0 else ""), str(abs(amount_minor)).rjust(digits + 1, "0")
    return f"{sign}{number[:-digits]}.{number[-digits:]}"


def parse_amount(text: str, currency: str) -> int:
    """Minor units out of what a person typed: `8160`, `8,160.50`, `8 160,5`.

    Raises: Unprocessable for what is no amount, has more decimals than the currency, or is too large.
    """
    plain = _BLANKS.sub("", text)
    whole, decimals = _split(plain, digits_of(currency))
    if not whole.isascii() or not whole.isdigit() or len(whole) > 19:
        raise Unprocessable(
            f"{text.strip()!r} is no amount of {currency}; write it as in {format_amount(816000, currency)}.",
            field="amount",
        )
    amount = int(whole + decimals.ljust(digits_of(currency), "0"))
    if amount > MOST_MINOR:
        raise Unprocessable(f"{text.strip()} {currency} is more than a deal can hold.", field="amount")
    return amount


def _split(plain: str, digits: int) -> tuple[str, str]:
    """The whole part without groups, and the decimals; a last separator with too many digits after it groups."""
    place = max(plain.rfind("."), plain.rfind(","))
    decimals = plain[place + 1 :] if place >= 0 else ""
    is_decimal = 0 < len(decimals) <= digits and decimals.isascii() and decimals.isdigit()
    head = plain[:place] if is_decimal else plain
    if is_decimal and plain[place] in head:
        return "", ""
    if _GROUPED.fullmatch(head):
        head = head.replace(".", "").replace(",", "")
    return head, decimals if is_decimal else ""
