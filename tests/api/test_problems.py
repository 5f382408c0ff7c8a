"""Whatever goes wrong under /api is a problem document."""

import httpx2
import pytest

from tests.support.callers import Caller


def _is_problem(answer: httpx2.Response) -> bool:
    body = answer.json()
    return (
        answer.headers["Content-Type"] == "application/problem+json"
        and body["status"] == answer.status_code
        and body["type"].startswith("urn:getsale:problem:")
        and bool(body["title"] and body["detail"])
    )


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/v2/contacts", "/api/v1/contacts/x/y"]
)
async def test_an_unknown_path_is_a_problem(api: Caller, site: str, path: str) -> None:
    answer = await api.client.get(site + path, follow_redirects=True)

    assert answer.status_code == 404
    assert _is_problem(answer)


async def test_a_method_that_is_not_there_says_which_are(api: Caller) -> None:
    answer = await api.call("DELETE", "/contacts")

    assert answer.status_code == 405
    assert _is_problem(answer)
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) & {"GET", "POST"}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/problem+json", None]
)
async def test_a_body_that_is_not_declared_as_json_is_refused(api: Caller, kind: str | None) -> None:
    answer = await api.client.post(
        "/contacts", content=b'{"name": "Vera"}', headers={"Content-Type": kind} if kind else {}
    )

    assert answer.status_code == 415
    assert _is_problem(answer)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 422),
        (b"", 422),
        (b'{"name": "\\ud800"}', 422),
        (b'{"name": "a\\u0000b"}', 422),
        (b"\xff\xfe", 422),
        (b"[" * 50_000, 400),
    ],
)
async def test_a_body_that_cannot_be_read_is_a_problem(api: Caller, body: bytes, status: int) -> None:
    answer = await api.client.post("/contacts", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == status, answer.text
    assert _is_problem(answer)


async def test_a_body_that_is_too_large_is_a_problem(api: Caller) -> None:
    answer = await api.post("/contacts", {"name": "Vera", "note": "x" * 300_000})

    assert answer.status_code == 413
    assert _is_problem(answer)


async def test_an_id_that_is_none_is_a_problem(api: Caller) -> None:
    answer = await api.get("/contacts/12")

    assert answer.status_code == 422
    assert _is_problem(answer)
    assert answer.json()["fields"][0]["field"] == "path.contact_id"
