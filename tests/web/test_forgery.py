"""Forms of other sites are refused, whatever they carry."""

import pytest

from tests.web.conftest import Browser


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_form_of_another_site_is_refused_even_with_a_token(
    browser: Browser, headers: dict[str, str]
) -> None:
    answer = await browser.post("/preferences", theme="dark", headers=headers)

    assert answer.status_code == 403


@pytest.mark.parametrize("token", ["", "0" * 64])
async def test_a_form_without_the_sessions_token_is_refused(browser: Browser, token: str) -> None:
    answer = await browser.client.post("/preferences", data={"theme": "dark", "csrf_token": token})

    assert answer.status_code == 403


async def test_a_token_in_a_header_will_do(browser: Browser) -> None:
    answer = await browser.client.post(
        "/preferences", data={"theme": "dark"}, headers={"X-CSRF-Token": browser.token}
    )

    assert answer.status_code == 303


async def test_our_own_origin_is_accepted(browser: Browser) -> None:
    own = str(browser.client.base_url).rstrip("/")

    answer = await browser.post(
        "/preferences", theme="dark", headers={"Origin": own, "Sec-Fetch-Site": "same-origin"}
    )

    assert answer.status_code == 303
