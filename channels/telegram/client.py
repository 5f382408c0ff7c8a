"""The Bot API as this product calls it: raw updates, files, webhooks, one pooled session for all bots."""

from collections.abc import Awaitable
from typing import Any, TypeVar, cast

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import AiogramError, ClientDecodeError
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import TelegramObject, User, WebhookInfo
from aiogram.utils.token import TokenValidationError
from aiohttp import ClientError, ClientResponseError, ClientTimeout

from channels.base import AccountFault, Credentials, Permanent, Retryable
from channels.telegram import faults
from core.settings import Settings

T = TypeVar("T")
UPDATES = ["message", "edited_message", "my_chat_member"]
_CONNECT_SECONDS = 5.0


class RawUpdates(TelegramMethod[list[dict[str, Any]]]):
    """getUpdates without aiogram's models, so that inbound code sees what Telegram sent, word for word."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int
    timeout: int
    limit: int = 100
    allowed_updates: list[str] = UPDATES


class Sent(TelegramObject):
    """All of the sent message that a receipt needs."""

    message_id: int


class SendText(TelegramMethod[Sent]):
    """sendMessage that reads back the id alone: a field unknown to aiogram must not make the fate unknown."""

    __returning__ = Sent
    __api_method__ = "sendMessage"

    chat_id: int | str
    text: str


class Session(AiohttpSession):
    """aiogram's session; answers without the parts that the Bot API promises count as unreadable."""

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        try:
            response = super().check_response(bot, method, status_code, content)
        except TypeError as err:  # aiogram looks for a word in a description that is not there
            raise ClientDecodeError("Error without a description", err, content) from err
        if response.result is None:
            raise ClientDecodeError("Answer without a result", ValueError(method.__api_method__), content)
        return response


class TelegramClient:
    """Calls for any number of bots. Neither aiogram's client nor a POST of aiohttp repeats a call."""

    def __init__(self, settings: Settings) -> None:
        self._timeout_seconds = settings.channel_timeout_seconds
        self._file_limit_bytes = settings.telegram_file_limit_bytes
        self._api = TelegramAPIServer.from_base(settings.telegram_api_base)
        self._session: Session | None = None
        self._bots: dict[str, Bot] = {}

    def bot(self, credentials: Credentials) -> Bot:
        """The aiogram bot of this account; call it inside a running event loop.

        Raises:
            AccountFault: the secret is not shaped like a bot's token.
        """
        known = self._bots.get(credentials.secret)
        if known is not None:
            return known
        try:
            made = Bot(credentials.secret, session=self._open_session())
        except TokenValidationError as err:
            raise AccountFault("The bot's token is malformed; connect the account again") from err
        self._bots[credentials.secret] = made
        return made

    async def get_me(self, credentials: Credentials) -> User:
        return await self._read(self.bot(credentials).get_me())

    async def get_updates(
        self, credentials: Credentials, offset: int, timeout_seconds: int
    ) -> list[dict[str, Any]]:
        """Wait up to `timeout_seconds` for updates from `offset` on; this confirms all earlier ones.

        Raises:
            Retryable: also when a webhook or another poller is in the way.
        """
        limit = self._limit(timeout_seconds + self._timeout_seconds)
        call = RawUpdates(offset=offset, timeout=timeout_seconds)
        return await self._read(self.bot(credentials)(call, request_timeout=limit))

    async def set_webhook(self, credentials: Credentials, url: str, secret_token: str) -> None:
        call = self.bot(credentials).set_webhook(url, secret_token=secret_token, allowed_updates=UPDATES)
        await self._read(call)

    async def delete_webhook(self, credentials: Credentials) -> None:
        """Go back to polling; updates that wait are kept."""
        await self._read(self.bot(credentials).delete_webhook(drop_pending_updates=False))

    async def get_webhook_info(self, credentials: Credentials) -> WebhookInfo:
        return await self._read(self.bot(credentials).get_webhook_info())

    async def download(self, credentials: Credentials, file_id: str) -> bytes:
        """The content of a file; stops as soon as it turns out larger than the limit.

        Raises:
            Permanent: too large, or no longer there.
        """
        bot = self.bot(credentials)
        file = await self._read(bot.get_file(file_id))
        if not file.file_path:
            raise Permanent("The file is gone")
        url = self._api.file_url(bot.token, file.file_path)
        content = bytearray()
        chunks = self._open_session().stream_content(url, timeout=self._limit(self._timeout_seconds))
        try:
            async for chunk in chunks:
                content += chunk
                if len(content) > self._file_limit_bytes:
                    raise Permanent("The file is larger than the limit")
        except ClientResponseError as err:
            raise _download_fault(err.status) from err
        except (ClientError, TimeoutError) as err:
            raise Retryable("The file did not arrive whole") from err
        finally:
            await chunks.aclose()
        return bytes(content)

    async def close(self) -> None:
        self._bots.clear()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _read(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except AiogramError as err:
            raise faults.of_read(err) from err

    def _open_session(self) -> Session:
        if self._session is None:
            limit = self._limit(self._timeout_seconds)
            # no cap on connections: each polled account holds one
            self._session = Session(api=self._api, timeout=limit, limit=0)
        return self._session

    @staticmethod
    def _limit(total_seconds: float) -> int:
        """Limits for a whole call and, apart from it, for connecting: only the latter is known not to have left.

        aiogram hands the value on to aiohttp as it is, though it declares a plain number.
        """
        connect_seconds = min(_CONNECT_SECONDS, total_seconds / 2)
        return cast(int, ClientTimeout(total=total_seconds, sock_connect=connect_seconds))


def _download_fault(status: int) -> Permanent | Retryable:
    if status in (401, 403, 404, 410):
        return Permanent("The file is gone")
    return Retryable(f"Telegram answered {status} instead of the file")
