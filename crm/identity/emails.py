"""The addresses that people sign in with."""

from email_validator import EmailNotValidError, validate_email

from core.errors import Unprocessable


def checked_email(text: str) -> str:
    """An address as it is kept: in lower letters. Raises: Unprocessable when nobody can have it."""
    try:
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as err:
        raise Unprocessable(
            "This is no mail address; write one such as anna@example.com.", field="email"
        ) from err
    return found.normalized.lower()
