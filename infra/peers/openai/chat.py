"""`POST /v1/chat/completions`, streamed and whole, with the faults of real servers."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from core.ids import uuid7
from core.jsons import dumps
from infra.peers.openai.answers import Answer, answer_to
from infra.peers.openai.state import Counted, Fault, Mode, Peer, Wanted, tokens

PEER = web.AppKey("peer", Peer)
routes = web.RouteTableDef()
_REFUSALS = {
    Mode.LIMITED: (429, "Rate limit reached"),
    Mode.ERROR: (500, "The server had an error"),
    Mode.UNAUTHORIZED: (401, "Incorrect API key provided"),
    Mode.NOT_FOUND: (404, "The model does not exist"),
}
Delta = dict[str, Any]


@routes.post("/v1/chat/completions")
async def complete(request: web.Request) -> web.StreamResponse:
    peer, body = request.app[PEER], await request.json()
    peer.requests.append(body)
    fault = peer.take_fault()
    if refusal := _refusal(peer, request, body, fault):
        peer.refused += 1
        return refusal
    if fault and fault.mode is Mode.DROP:
        peer.refused += 1
        return _cut(request)
    answer = await answer_to(peer, body, fault)
    counted = Counted(str(body["model"]), len(tokens(dumps([body["messages"], body.get("tools")]))))
    peer.counted.append(counted)
    if body.get("stream"):
        return await _stream(request, body, answer, counted, fault)
    counted.completion_tokens = sum(1 for _ in _deltas(answer))
    counted.outcome = "whole"
    return web.json_response(_whole(body, answer, counted))


def _refusal(
    peer: Peer, request: web.Request, body: dict[str, Any], fault: Fault | None
) -> web.Response | None:
    """An answer of the server before any model has been asked; such calls cost nothing."""
    if peer.key and request.headers.get("Authorization") != f"Bearer {peer.key}":
        return _error(*_REFUSALS[Mode.UNAUTHORIZED])
    if fault is None:
        return None
    if fault.mode is Mode.NO_SCHEMAS and "response_format" in body:
        return _error(400, "response_format of type json_schema is not supported by this server")
    if fault.mode not in _REFUSALS:
        return None
    response = _error(*_REFUSALS[fault.mode])
    if fault.mode is Mode.LIMITED and fault.retry_after is not None:
        response.headers["Retry-After"] = f"{fault.retry_after:g}"
    return response


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "error", "code": None}}, status=status)


def _cut(request: web.Request) -> web.Response:
    """End the connection without an answer; what is returned has nowhere to go."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _arguments(call: Wanted) -> str:
    return call.arguments if isinstance(call.arguments, str) else dumps(call.arguments)


def _whole(body: dict[str, Any], answer: Answer, counted: Counted) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
    if answer.tools:
        message["tool_calls"] = [
            {"id": f"call_{n}", "type": "function", "function": {"name": c.name, "arguments": _arguments(c)}}
            for n, c in enumerate(answer.tools)
        ]
    choice = {"index": 0, "message": message, "finish_reason": answer.finish}
    return {**_head(body, "chat.completion"), "choices": [choice], "usage": _usage(counted)}


def _head(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid7()}", "object": kind, "created": int(time.time()), "model": body["model"]}


def _usage(counted: Counted) -> dict[str, int]:
    return {
        "prompt_tokens": counted.prompt_tokens,
        "completion_tokens": counted.completion_tokens,
        "total_tokens": counted.prompt_tokens + counted.completion_tokens,
    }


def _deltas(answer: Answer) -> Iterator[Delta]:
    """The answer a token a piece; a call begins with its id and name, and its arguments come in pieces too."""
    for token in tokens(answer.text):
        yield {"content": token}
    for index, call in enumerate(answer.tools):
        whole = {"name": call.name, "arguments": ""}
        yield {"tool_calls": [{"index": index, "id": f"call_{index}", "type": "function", "function": whole}]}
        for piece in tokens(_arguments(call)):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


class _Gone(Exception):
    """The stream ends here, one way or another."""


async def _stream(
    request: web.Request, body: dict[str, Any], answer: Answer, counted: Counted, fault: Fault | None
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    head = _head(body, "chat.completion.chunk")

    async def send(delta: Delta, finish: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        await response.write(f"data: {dumps({**head, 'choices': [choice]})}\n\n".encode())

    mode = fault.mode if fault else None
    try:
        if fault and mode in (Mode.HANG, Mode.SLOW):
            await asyncio.sleep(fault.seconds if mode is Mode.SLOW else 3600)
        await send({"role": "assistant", "content": ""})
        for number, delta in enumerate(_deltas(answer)):
            if fault and number == fault.tokens:
                await _break_off(request, response, fault)
            await send(delta)
            counted.completion_tokens += 1
        if mode is not Mode.UNFINISHED:
            await send({}, answer.finish)
        if mode not in (Mode.NO_USAGE, Mode.UNFINISHED) and (body.get("stream_options") or {}).get(
            "include_usage"
        ):
            usage = dumps({**head, "choices": [], "usage": _usage(counted)})
            await response.write(f"data: {usage}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        counted.outcome = "no_usage" if mode in (Mode.NO_USAGE, Mode.UNFINISHED) else "whole"
    except _Gone:
        counted.outcome = "broken"
    except (ConnectionError, asyncio.CancelledError):
        counted.outcome = "left"
        raise
    return response


async def _break_off(request: web.Request, response: web.StreamResponse, fault: Fault) -> None:
    """Whatever goes wrong after some tokens. Raises: _Gone unless the mode lets the stream go on."""
    match fault.mode:
        case Mode.HALF:
            if request.transport is not None:
                request.transport.close()  # what was written still arrives, but not its end
            raise _Gone
        case Mode.STALL:
            await asyncio.sleep(3600)
        case Mode.GARBAGE:
            await response.write(b"data: {nobody closes this\n\n")
            raise _Gone
        case Mode.ERROR_EVENT:
            await response.write(b'data: {"error": {"message": "overloaded", "code": 503}}\n\n')
            raise _Gone
        case _:
            return
