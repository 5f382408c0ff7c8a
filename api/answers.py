"""`Idempotency-Key`: a POST that is sent twice takes effect once, and the second gets the answer of the first."""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response

from api import errors
from api.deps import Caller, get_services, short_transactions
from core.db import Tx
from core.errors import AppError, Forbidden, Limited, Unauthorized, Unavailable, Unprocessable
from crm.api_keys import answers
from crm.api_keys.answers import Answer, Claim

KEY, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
KEY_PATTERN = "^[!-~]{1,255}$"
# Refusals that say something about the caller or the hour, not about the call: asked again, it may succeed.
_PASSING = (Unauthorized, Forbidden, Limited, Unavailable)


class Replay(Exception):
    """This call was answered before."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.response = Response(
            answer.text, answer.status, headers={REPLAYED: "true"}, media_type=answer.media_type
        )


@dataclass
class Pending:
    """A call under a key while it is worked on; `answer` is there once it was worked out."""

    claim: Claim
    sealing_key: str
    answer: Answer | None = None
    is_saved: bool = False

    async def save(self, tx: Tx) -> None:
        """Keep the answer in the transaction of its effect. Raises: InProgress when another call took the key."""
        if self.answer is not None:
            await answers.save(tx, self.claim, self.answer, sealing_key=self.sealing_key)
            self.is_saved = True


Transactions = Callable[[], AbstractAsyncContextManager[Tx]]


async def answer_once(request: Request, caller: Caller) -> AsyncIterator[None]:
    """Claim the key of a call before it is worked on; settle the claim after its transaction has ended.

    Raises: Replay when it was answered before; InProgress, KeyReused; Unprocessable for a key that is none.
    """
    key = request.headers.get(KEY)
    if request.method != "POST" or key is None:
        yield
        return
    services = get_services(request)
    transactions = short_transactions(services, caller.principal, "api.answer")
    sealing_key = services.settings.secret_key.get_secret_value()
    fingerprint = await _fingerprint(request)
    async with transactions() as tx:
        claimed = await answers.claim(
            tx,
            caller.id,
            _checked(key),
            fingerprint,
            lease_seconds=services.settings.api_answer_lease_seconds,
            sealing_key=sealing_key,
        )
    if isinstance(claimed, Answer):
        raise Replay(claimed)
    request.state.pending = pending = Pending(claimed, sealing_key)
    try:
        yield
    except Exception as err:
        await _settle_refused(transactions, pending, err)
        raise
    if not pending.is_saved:
        async with transactions() as tx:
            await pending.save(tx)


def _checked(key: str) -> str:
    if not 1 <= len(key) <= 255 or not all("!" <= character <= "~" for character in key):
        raise Unprocessable(
            f"{KEY} has 1 to 255 printable ASCII characters without spaces; a UUID is a good one.", field=KEY
        )
    return key


async def _fingerprint(request: Request) -> bytes:
    """What makes two calls the same: where they go, and what they say."""
    digest = hashlib.sha256()
    said = (request.url.path, request.url.query, request.headers.get("If-Match", ""))
    for part in (*(text.encode() for text in said), await request.body()):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


async def _settle_refused(transactions: Transactions, pending: Pending, err: Exception) -> None:
    """The call's own transaction was rolled back. A refusal is an answer too; a failure is none."""
    is_answer = isinstance(err, AppError) and not isinstance(err, _PASSING) and err.status < 500
    async with transactions() as tx:
        if isinstance(err, AppError) and is_answer and not isinstance(err, answers.InProgress):
            pending.answer = _as_answer(errors.refusal(err))
            await pending.save(tx)
        else:
            await answers.release(tx, pending.claim)


async def keep(request: Request, response: Response) -> None:
    """Save an answer, if the call carries a key: in the call's transaction if it has one, else after its end."""
    pending: Pending | None = getattr(request.state, "pending", None)
    if pending is None or response.status_code >= 500:
        return
    pending.answer = _as_answer(response)
    tx: Tx | None = getattr(request.state, "api_tx", None)
    if tx is not None:
        await pending.save(tx)


def _as_answer(response: Response) -> Answer:
    media_type = response.headers.get("Content-Type", "")
    return Answer(response.status_code, media_type, bytes(response.body).decode())
