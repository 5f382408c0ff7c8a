"""Which model a run asks: the seat's, else its organization's, else the operator's, else the offline templates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from agents.llm.base import LanguageModel
from agents.llm.clients import Clients
from agents.llm.endpoint import Endpoint
from agents.llm.fallback import WithFallback
from agents.llm.offline.meanings import Meanings
from agents.llm.offline.model import OfflineModel
from agents.llm.scripted import ScriptedModel, read_script
from core.addresses import tenant_reach
from core.errors import Unprocessable
from core.settings import Settings
from crm.language_models import models as rows
from crm.language_models.queries import open_key
from memory.embeddings.remote import connect

OPENAI_BASE_URL = "https://api.openai.com/v1"
LOCAL_MODEL, LOCAL_CONTEXT_TOKENS, LOCAL_OUTPUT_TOKENS = "qwen2.5-coder-1.5b-instruct", 8192, 700


@dataclass(frozen=True)
class ModelChoice:
    """What a seat and its organization have chosen: a name, and the models that they have set up under it, if any.

    `agent` is the kind of agent that asks; the operator may have another default for it.
    """

    name: str | None = None
    models: Sequence[rows.LanguageModel] = ()
    agent: str = ""


ModelFactory = Callable[[ModelChoice], LanguageModel]


class Models:
    """Models as chosen; close them with `close()`.

    Raises, when called: Unprocessable for a name that nobody has set up, or a key that cannot be opened.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._offline = OfflineModel(_meanings(settings))
        self._clients = Clients()

    async def close(self) -> None:
        await self._clients.close()

    def __call__(self, choice: ModelChoice) -> LanguageModel:
        settings = self._settings
        if choice.models:
            return _chain([self._clients.at(_tenants(settings, row)) for row in choice.models])
        default = settings.model_of(choice.agent)
        if choice.name is not None and choice.name not in rows.BUILT_IN | {settings.agent_model}:
            raise Unprocessable(
                f"There is no language model {choice.name!r}; set it up with `getsale model add {choice.name}`."
            )
        prices = settings.agent_model_price_in_usd, settings.agent_model_price_out_usd
        chosen = [self._named(choice.name or default, prices)]
        if choice.name is None and settings.agent_fallback_model:
            prices = settings.agent_fallback_price_in_usd, settings.agent_fallback_price_out_usd
            chosen.append(self._named(settings.agent_fallback_model, prices))
        return _chain(chosen)

    def _named(self, name: str, prices: tuple[Decimal, Decimal]) -> LanguageModel:
        match name:
            case "offline":
                return self._offline
            case "scripted":
                return _scripted(self._settings)
            case "local":
                return self._clients.at(local_endpoint(self._settings))
        return self._clients.at(_operators(self._settings, name, prices))


def _meanings(settings: Settings) -> Meanings | None:
    """The offline model's sense of meaning, getting ready in the background of the running loop."""
    if not settings.embeddings_url:
        return None
    meanings = Meanings(connect(settings), settings.embeddings_cache.expanduser())
    meanings.start()
    return meanings


def _chain(models: Sequence[LanguageModel]) -> LanguageModel:
    return models[0] if len(models) == 1 else WithFallback(models[0], models[1])


def _scripted(settings: Settings) -> LanguageModel:
    if settings.agent_script is None:
        raise Unprocessable("The scripted model needs AGENT_SCRIPT, the path of a script.")
    return ScriptedModel(read_script(settings.agent_script))


def local_endpoint(settings: Settings) -> Endpoint:
    """The small model on this machine's own processor. Raises: Unprocessable when nobody has started it."""
    if not settings.local_model_url:
        raise Unprocessable("The local model does not run; start `getsale up --local-model`.")
    return Endpoint(
        model=LOCAL_MODEL,
        base_url=settings.local_model_url,
        tool_choice="structured",
        is_small=True,
        context_tokens=LOCAL_CONTEXT_TOKENS,
        output_tokens=LOCAL_OUTPUT_TOKENS,
    )


def _operators(settings: Settings, name: str, prices: tuple[Decimal, Decimal]) -> Endpoint:
    """A model at the endpoint of the operator's environment."""
    key = settings.openai_api_key.get_secret_value()
    if not key and not settings.openai_base_url:
        raise Unprocessable(
            f"The model {name!r} needs OPENAI_API_KEY or OPENAI_BASE_URL; without them AGENT_MODEL is offline or local."
        )
    base_url = settings.openai_base_url or OPENAI_BASE_URL
    if urlsplit(base_url).scheme not in ("http", "https"):
        raise Unprocessable(f"OPENAI_BASE_URL {base_url!r} is no address; it looks like {OPENAI_BASE_URL}.")
    return Endpoint(
        model=name,
        base_url=base_url,
        api_key=key,
        tool_choice=settings.agent_model_tool_choice,
        context_tokens=settings.agent_model_context_tokens,
        price_in_usd_micros=int(prices[0] * 1_000_000),
        price_out_usd_micros=int(prices[1] * 1_000_000),
    )


def _tenants(settings: Settings, row: rows.LanguageModel) -> Endpoint:
    """A model that an organization has set up: it reaches the internet, and never the operator's network."""
    return Endpoint(
        model=row.model,
        base_url=row.base_url,
        api_key=open_key(row, settings.keyring),
        reach=tenant_reach(settings),
        tool_choice=row.tool_choice.value,
        is_small=row.is_small,
        context_tokens=row.context_tokens,
        output_tokens=row.output_tokens,
        price_in_usd_micros=row.price_in_usd_micros,
        price_out_usd_micros=row.price_out_usd_micros,
    )
