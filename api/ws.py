"""`/ws`: what happens in conversations, as it happens, for programs and pages.

Every frame is one JSON object with a `type`; `docs/api.md` shows them all. Events carry ids only: whoever is told reads
what it is about through REST. They come at least once, in no promised order; their ids tell repeated ones.
"""

import asyncio
import contextlib
import time
from collections import deque
from enum import IntEnum
from uuid import UUID

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import ValidationError
from redis.exceptions import RedisError

from api import forgery, tickets
from api.deps import Services
from api.frames import Frame, Login, Ping, Pong, Subscribe, Unsubscribe, parse_frame
from api.hub import Hub
from api.rooms import Happening, Room, Topic
from core import jsons
from core.errors import AppError, Forbidden, Limited, NotFound, Unauthorized, Unavailable, Unprocessable
from crm.api_keys.models import Credential

log = structlog.get_logger()
router = APIRouter()
LOGIN_SECONDS = 10.0
MAX_FRAME_CHARACTERS = 4096
MAX_TOPICS = 50
# What waits for a slow reader, before it is let go and has to resume.
MAX_WAITING = 1024
MAX_HELD = 20_000
# A client that talks more than this in ten seconds is not one of ours.
MAX_FRAMES, FRAMES_SECONDS = 60, 10.0
# Not heard for so many heartbeats: gone.
MISSED_HEARTBEATS = 2.5


class Code(IntEnum):
    """Why a socket was closed."""

    TOO_LARGE = 1009
    TRY_AGAIN = 1013
    MALFORMED = 4400
    SIGNED_OUT = 4401
    OTHER_SITE = 4403
    SILENT = 4408
    SLOW = 4409
    TOO_MANY = 4429


class Closed(Exception):
    """The socket ends here, for this reason."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@router.websocket("/ws")
async def follow(websocket: WebSocket) -> None:
    """Log in with a ticket, subscribe to topics, answer pings; resume with the id of the last event."""
    services: Services = websocket.app.state.services
    try:
        forgery.refuse_other_sites(websocket, services.settings.public_url)
    except Forbidden:
        await websocket.close(Code.OTHER_SITE)
        return
    await websocket.accept()
    try:
        credential = await _log_in(websocket, services)
        socket = Socket(websocket, services.hub, credential, services.settings.ws_heartbeat_seconds)
        async with services.hub.joined(socket) as room:
            await socket.serve(room)
    except Closed as end:
        await _close(websocket, end.code, end.reason)
    except Limited as err:
        await _close(websocket, Code.TOO_MANY, err.detail)
    except (Unavailable, RedisError):
        await _close(websocket, Code.TRY_AGAIN, "Live updates are not there now; try again.")
    except WebSocketDisconnect:
        pass


async def _log_in(websocket: WebSocket, services: Services) -> Credential:
    """Raises: Closed when no good ticket comes in time; RedisError."""
    try:
        async with asyncio.timeout(LOGIN_SECONDS):
            frame = await _read(websocket)
    except TimeoutError:
        raise Closed(Code.SIGNED_OUT, "No login came.") from None
    if not isinstance(frame, Login):
        raise Closed(Code.SIGNED_OUT, "The first frame must be a login.")
    try:
        return await tickets.redeem(services, frame.ticket)
    except Unauthorized as err:
        raise Closed(Code.SIGNED_OUT, err.detail) from err


async def _read(websocket: WebSocket) -> Frame:
    """The next frame. Raises: Closed for what is none; WebSocketDisconnect."""
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text = message.get("text")
    if text is None:
        raise Closed(Code.MALFORMED, "Frames are text.")
    if len(text) > MAX_FRAME_CHARACTERS:
        raise Closed(Code.TOO_LARGE, f"A frame has at most {MAX_FRAME_CHARACTERS} characters.")
    try:
        return parse_frame(text)
    except ValidationError as err:
        raise Closed(Code.MALFORMED, "This is no frame that the server knows.") from err


async def _close(websocket: WebSocket, code: Code, reason: str) -> None:
    # whoever does not read what is sent does not read the goodbye either
    with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
        async with asyncio.timeout(1):
            await websocket.close(code, reason)


class Socket:
    """One open connection: reads frames, and sends what its topics bring."""

    def __init__(
        self, websocket: WebSocket, hub: Hub, credential: Credential, heartbeat_seconds: float
    ) -> None:
        self.credential = credential
        self._websocket, self._hub, self._heartbeat = websocket, hub, heartbeat_seconds
        self._waiting: asyncio.Queue[str] = asyncio.Queue(MAX_WAITING)
        # What comes on a topic while its past is still being sent.
        self._held: dict[Topic, deque[Happening]] = {}
        self._topics: set[Topic] = set()
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard_at = time.monotonic()
        self._frames: deque[float] = deque(maxlen=MAX_FRAMES)

    def offer(self, happening: Happening) -> None:
        held = self._held.get(happening.topic)
        if held is not None and len(held) < MAX_HELD:
            held.append(happening)
        elif held is not None or self._waiting.full():
            self._stop(Code.SLOW, "Events came faster than they were read; connect again and resume.")
        else:
            self._waiting.put_nowait(happening.text)

    def sign_out(self) -> None:
        self._stop(Code.SIGNED_OUT, "The session or key has ended.")

    def _stop(self, code: Code, reason: str) -> None:
        if not self._end.done():
            self._end.set_exception(Closed(code, reason))

    async def serve(self, room: Room) -> None:
        """Until either side ends it. Raises: Closed; WebSocketDisconnect."""
        self._say(type="welcome", organization_id=room.organization_id, heartbeat_seconds=self._heartbeat)
        tasks = [
            asyncio.ensure_future(part)
            for part in (self._end, self._send_waiting(), self._beat(), self._listen(room))
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _send_waiting(self) -> None:
        while True:
            await self._websocket.send_text(await self._waiting.get())

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat)
            if time.monotonic() - self._heard_at > MISSED_HEARTBEATS * self._heartbeat:
                raise Closed(Code.SILENT, "No answer to pings.")
            self._say(type="ping")

    async def _listen(self, room: Room) -> None:
        while True:
            frame = await _read(self._websocket)
            self._hear()
            try:
                await self._answer(room, frame)
            except (Forbidden, NotFound, Unprocessable, Limited, Unavailable) as err:
                self._say(type="error", code=err.code, detail=err.detail, **err.fields)

    def _hear(self) -> None:
        """Raises: Closed when the client talks too much."""
        self._heard_at = now = time.monotonic()
        if len(self._frames) == MAX_FRAMES and now - self._frames[0] < FRAMES_SECONDS:
            raise Closed(Code.TOO_MANY, f"More than {MAX_FRAMES} frames in {FRAMES_SECONDS:.0f} seconds.")
        self._frames.append(now)

    async def _answer(self, room: Room, frame: Frame) -> None:
        match frame:
            case Subscribe():
                await self._subscribe(room, Topic.parse(frame.topic), frame.after)
            case Unsubscribe():
                topic = Topic.parse(frame.topic)
                self._unfollow(room, topic)
                self._say(type="unsubscribed", topic=str(topic))
            case Ping():
                self._say(type="pong")
            case Pong():
                pass
            case Login():
                raise Closed(Code.MALFORMED, "The login came already.")

    async def _subscribe(self, room: Room, topic: Topic, after: UUID | None) -> None:
        """Follow first and look back second, so that nothing falls between.

        Raises: Forbidden for a topic that is not the organization's; Limited; Unprocessable.
        """
        if len(self._topics) >= MAX_TOPICS and topic not in self._topics:
            raise Limited(f"One socket follows at most {MAX_TOPICS} topics.", retry_after_seconds=60)
        principal = self.credential.principal
        last_event_id = await self._hub.authorize(principal, topic)
        self._topics.add(topic)
        self._held[topic] = deque()
        room.follow(self, topic)
        try:
            past = await self._hub.replay(principal, topic, after) if after else []
        except AppError:
            self._unfollow(room, topic)
            del self._held[topic]
            raise
        await self._put(type="subscribed", topic=str(topic), last_event_id=last_event_id)
        if past is None:
            await self._put(
                type="reset", topic=str(topic), detail="Too much has happened; read again by REST."
            )
        await self._release(topic, past or [])

    async def _release(self, topic: Topic, past: list[Happening]) -> None:
        """Send the past, then what came meanwhile; from then on the topic is live."""
        for happening in past:
            await self._waiting.put(happening.text)
        sent = {happening.event_id for happening in past}
        held = self._held[topic]
        while held:
            happening = held.popleft()
            if happening.event_id not in sent:
                await self._waiting.put(happening.text)
        del self._held[topic]

    def _unfollow(self, room: Room, topic: Topic) -> None:
        room.unfollow(self, topic)
        self._topics.discard(topic)

    def _say(self, **message: object) -> None:
        try:
            self._waiting.put_nowait(jsons.dumps(message))
        except asyncio.QueueFull:
            self._stop(Code.SLOW, "Answers came faster than they were read.")

    async def _put(self, **message: object) -> None:
        await self._waiting.put(jsons.dumps(message))
