"""The page of privacy requests."""

from tests.web.conftest import Browser


async def test_the_page_opens_without_anybody_chosen(browser: Browser) -> None:
    assert (await browser.get("/settings/privacy")).status_code == 200
