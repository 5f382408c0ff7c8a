"""A signed-in person over plain HTTP: what a browser without scripts does."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

EMAIL = "anna@test.example"
PASSWORD = "correct horse battery"


class Visitor:
    """Follows links and sends forms, with the session's cookie and the forms' token."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client
        self._token = ""

    async def sign_in(self, email: str = EMAIL, password: str = PASSWORD) -> None:
        page = await self.client.get("/session/new")
        self._token = _token_of(page.text)
        answer = await self.post("/session", email=email, password=password)
        assert answer.status_code == 303, answer.text
        self._token = _token_of((await self.client.get("/inbox")).text)

    async def post(self, path: str, **fields: str) -> httpx2.Response:
        return await self.client.post(path, data={"csrf_token": self._token, **fields})

    async def page(self, path: str) -> str:
        answer = await self.client.get(path, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return answer.text


def _token_of(html: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found, "the page has no form token"
    return found.group(1)


@asynccontextmanager
async def signed_in(base: str, email: str = EMAIL, password: str = PASSWORD) -> AsyncIterator[Visitor]:
    async with httpx2.AsyncClient(base_url=base, timeout=20) as client:
        visitor = Visitor(client)
        await visitor.sign_in(email, password)
        yield visitor
