"""Any OpenAI-compatible endpoint as a language model: streams, tries again with jitter, and accounts for every call."""

import asyncio
import random
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

import httpx2
import openai
import structlog
from openai import AsyncOpenAI

from agents.llm import wire
from agents.llm.base import ModelReply, ModelRequest, ModelUnavailable
from agents.llm.endpoint import Endpoint
from core import clock, crashpoint, http
from core.errors import AppError
from core.tokens import estimated_tokens
from crm.runs.model_calls import CallOutcome, ModelCall, UsageFrom

MAX_ATTEMPTS = 3
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.5, 8.0
# What an older endpoint may not know, by the words with which it says so.
_OPTIONAL = {
    "response_format": ("response_format", "json_schema"),
    "stream_options": ("stream_options",),
    "seed": ("seed",),
}
# The exchange's own limit ends a call; this one only sees to it that no socket stays for ever.
_SILENCE_SECONDS = 600.0
# The SDK does not validate the pieces of a stream: one of another shape has none of its attributes.
_OTHER_SHAPE = (ValueError, AttributeError, TypeError)

_log = structlog.get_logger("agents")


class _Failed(Exception):
    """One attempt that gave no answer, in words without anything secret."""

    def __init__(
        self, reason: str, outcome: CallOutcome, *, may_pass: bool = True, wait_seconds: float = 0
    ) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.may_pass = may_pass
        self.wait_seconds = wait_seconds


@dataclass
class _Attempt:
    """One call as it goes on."""

    stream: wire.Stream
    has_begun: bool = False
    first_token: float | None = None


class OpenAICompatible:
    """A model behind an endpoint. One instance serves many runs; it keeps its connections."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._unsupported: frozenset[str] = frozenset()
        self.connections = http.client(endpoint.reach, timeout_seconds=_SILENCE_SECONDS)
        self._client = AsyncOpenAI(
            api_key=endpoint.api_key or "none",
            base_url=endpoint.base_url,
            max_retries=0,
            http_client=self.connections,
        )
        # The SDK takes the operator's from the environment; they are nothing to a tenant's endpoint.
        self._client.organization = self._client.project = None

    @property
    def label(self) -> str:
        return self._endpoint.label

    @property
    def context_tokens(self) -> int:
        """What is left for the question, after the answer has got its room."""
        return self._endpoint.context_tokens - (self._endpoint.output_tokens or 1024)

    async def close(self) -> None:
        await self._client.close()

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask, and ask again where that may help, within the request's time. Raises: ModelUnavailable."""
        deadline = monotonic() + request.seconds
        calls: list[ModelCall] = []
        try:
            for attempt in range(1, MAX_ATTEMPTS + 1):
                try:
                    return await self._attempt(request, attempt, calls)
                except _Failed as err:
                    wait = err.wait_seconds or _jittered(attempt)
                    is_last = attempt == MAX_ATTEMPTS or monotonic() + wait >= deadline
                    if not err.may_pass or is_last:
                        raise ModelUnavailable(f"{self.label}: {err}") from err
                    _log.warning("model.retried", model=self.label, attempt=attempt, reason=err.outcome)
                    await asyncio.sleep(wait)
            raise AssertionError("The last attempt neither returned nor raised.")
        finally:
            for call in _completed(calls, self._endpoint):
                request.record(call)

    async def _attempt(self, request: ModelRequest, number: int, calls: list[ModelCall]) -> ModelReply:
        """One call, and its account. Raises: _Failed."""
        attempt = _Attempt(wire.Stream(frozenset(tool.name for tool in request.tools)))
        parameters = wire.body(self._endpoint, request, self._unsupported)
        began, started, outcome = monotonic(), clock.now(), CallOutcome.CUT_OFF
        try:
            await self._listen(attempt, parameters, request)
            outcome = CallOutcome.ANSWERED
            return attempt.stream.reply()
        except (openai.OpenAIError, httpx2.HTTPError, AppError, wire.TooMuch, *_OTHER_SHAPE) as err:
            failed = self._failure(err, attempt.has_begun)
            outcome = failed.outcome
            raise failed from err
        except _Failed as err:
            outcome = err.outcome
            raise
        finally:
            first = attempt.first_token
            source, tokens_in, tokens_out = _usage(attempt, parameters, outcome)
            calls.append(
                ModelCall(
                    task=request.task,
                    model=self.label,
                    attempt=number,
                    outcome=outcome,
                    usage_from=source,
                    tokens_in=tokens_in,
                    tokens_out=tokens_out,
                    cost_usd_micros=self._endpoint.cost_usd_micros(tokens_in, tokens_out),
                    started_at=started,
                    latency_ms=round((monotonic() - began) * 1000),
                    first_token_ms=None if first is None else round((first - began) * 1000),
                    exchange=wire.exchange(self._endpoint, request, parameters, attempt.stream),
                )
            )

    async def _listen(self, attempt: _Attempt, parameters: dict[str, Any], request: ModelRequest) -> None:
        """Read the stream to its end. Raises: _Failed when it stops before that."""
        crashpoint.reach("model.call.before")
        stream = await self._client.chat.completions.create(**parameters)
        attempt.has_begun = True
        async with stream:
            async for chunk in stream:
                words = attempt.stream.add(chunk)
                if attempt.first_token is None and attempt.stream.deltas:
                    attempt.first_token = monotonic()
                if words:
                    request.on_text(words)
        crashpoint.reach("model.call.after")
        if not attempt.stream.finish:
            raise _Failed("the answer stopped half-way", CallOutcome.BROKEN)

    def _failure(self, err: Exception, has_begun: bool) -> _Failed:
        """What went wrong, and whether it may pass."""
        match err:
            case openai.RateLimitError():
                wait = _retry_after(err.response)
                return _Failed("too many requests (429)", CallOutcome.LIMITED, wait_seconds=wait)
            case openai.APIStatusError(status_code=status) if status >= 500 or status in (408, 409):
                return _Failed(f"the endpoint failed ({status})", CallOutcome.FAILED)
            case openai.APIStatusError(status_code=status):
                is_new = self._learn(err)
                wait = 0.001 if is_new else 0
                reason = f"the endpoint refused the request ({status}){_hint(status)}"
                return _Failed(reason, CallOutcome.REFUSED, may_pass=is_new, wait_seconds=wait)
            case wire.TooMuch():
                return _Failed(str(err), CallOutcome.BROKEN, may_pass=False)
            case AppError(detail=detail):
                return _Failed(detail, CallOutcome.FAILED, may_pass=False)
            case openai.APIConnectionError() if not has_begun:
                return _Failed("no connection to the endpoint", CallOutcome.FAILED)
            case openai.APIConnectionError() | httpx2.HTTPError():
                return _Failed("the connection broke in the middle of the answer", CallOutcome.BROKEN)
            case _:
                return _Failed("the endpoint answered something that is not its protocol", CallOutcome.BROKEN)

    def _learn(self, err: openai.APIStatusError) -> bool:
        """Whether the refusal names something that we can do without; from now on we do."""
        text = str(err).lower()
        named = {name for name, words in _OPTIONAL.items() if any(word in text for word in words)}
        new = frozenset(named) - self._unsupported
        self._unsupported |= new
        return bool(new)


def _hint(status: int) -> str:
    match status:
        case 401 | 403:
            return "; check its key"
        case 404:
            return "; check the base URL and the name of the model"
        case _:
            return ""


def _jittered(attempt: int) -> float:
    """A wait that doubles with every attempt, somewhere in its upper half: callers do not come back together."""
    longest = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
    return random.uniform(longest / 2, longest)


def _retry_after(response: httpx2.Response) -> float:
    """The seconds that the endpoint asks us to wait, and a little more; 0 when it does not say."""
    try:
        seconds = float(response.headers.get("retry-after", "0"))
    except ValueError:  # a date: our own wait will do
        return 0
    return seconds + random.uniform(0, 0.25) if seconds > 0 else 0


def _usage(attempt: _Attempt, parameters: dict[str, Any], outcome: CallOutcome) -> tuple[UsageFrom, int, int]:
    """Tokens in and out: as reported; estimated for an answer that began without a report; else none."""
    if attempt.stream.usage is not None:
        return UsageFrom.PROVIDER, *attempt.stream.usage
    if not attempt.has_begun:
        return UsageFrom.NONE, 0, 0
    asked = sum(estimated_tokens(str(turn["content"])) for turn in parameters["messages"])
    # Endpoints stream a token a piece, as a rule; some send larger pieces.
    return UsageFrom.ESTIMATE, asked, max(attempt.stream.deltas, estimated_tokens(attempt.stream.words) // 2)


def _completed(calls: list[ModelCall], endpoint: Endpoint) -> list[ModelCall]:
    """The calls of one question: it was the same each time, so a reported prompt tells the others' too."""
    known = next((call.tokens_in for call in calls if call.usage_from is UsageFrom.PROVIDER), None)
    return [
        replace(call, tokens_in=known, cost_usd_micros=endpoint.cost_usd_micros(known, call.tokens_out))
        if known is not None and call.usage_from is UsageFrom.ESTIMATE
        else call
        for call in calls
    ]
