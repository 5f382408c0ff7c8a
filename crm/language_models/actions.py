"""Setting up language models."""

from urllib.parse import urlsplit

from core import envelopes
from core.db import Tx
from core.envelopes import Keyring
from core.errors import Conflict, Unprocessable
from core.ids import uuid7
from crm.bidi import actions as bidi
from crm.language_models.models import BUILT_IN, LanguageModel, NewLanguageModel
from crm.language_models.queries import find_language_model, get_language_model, place_of
from events.ids import BidiId, LanguageModelId
from events.outbox import emit
from events.types import LanguageModelRemoved, LanguageModelSet

_LEAST_CONTEXT = 4096


async def set_language_model(tx: Tx, new: NewLanguageModel, *, keys: Keyring) -> LanguageModel:
    """Store a model under its name, in place of the one that had it; `keys` seal the endpoint's key.

    Raises: Forbidden, Unprocessable for settings that cannot work, NotFound for an unknown fallback.
    """
    tx.principal.require("language_models:manage")
    _check(new)
    stored = await find_language_model(tx, new.name)
    fallback = await get_language_model(tx, new.fallback) if new.fallback else None
    model_id = stored.id if stored else LanguageModelId(uuid7())
    if stored and not new.api_key and stored.api_key and _host(stored.base_url) != _host(new.base_url):
        raise Unprocessable(
            f"The key of {new.name} was given for {_host(stored.base_url)}; give one for {_host(new.base_url)}."
        )
    if new.is_default:
        await tx.execute("UPDATE language_models SET is_default = false WHERE is_default")
    sealed = (
        envelopes.seal(keys, new.api_key, place_of(tx.organization_id, model_id)) if new.api_key else None
    )
    written = await tx.one(
        LanguageModel,
        """
        INSERT INTO language_models (organization_id, id, name, base_url, model, api_key, tool_choice, is_small,
                                     context_tokens, output_tokens, price_in_usd_micros, price_out_usd_micros,
                                     fallback_id, is_default)
        VALUES (%(organization_id)s, %(id)s, %(name)s, %(base_url)s, %(model)s, %(api_key)s, %(tool_choice)s,
                %(is_small)s, %(context_tokens)s, %(output_tokens)s, %(price_in)s, %(price_out)s, %(fallback_id)s,
                %(is_default)s)
        ON CONFLICT (organization_id, name) DO UPDATE
           SET base_url = EXCLUDED.base_url, model = EXCLUDED.model,
               api_key = coalesce(EXCLUDED.api_key, language_models.api_key),
               tool_choice = EXCLUDED.tool_choice, is_small = EXCLUDED.is_small,
               context_tokens = EXCLUDED.context_tokens, output_tokens = EXCLUDED.output_tokens,
               price_in_usd_micros = EXCLUDED.price_in_usd_micros,
               price_out_usd_micros = EXCLUDED.price_out_usd_micros,
               fallback_id = EXCLUDED.fallback_id, is_default = EXCLUDED.is_default
        RETURNING id, name, base_url, model, api_key, tool_choice, is_small, context_tokens, output_tokens,
                  price_in_usd_micros, price_out_usd_micros, fallback_id, is_default, organization_id
        """,
        organization_id=tx.organization_id,
        id=model_id,
        name=new.name,
        base_url=new.base_url.rstrip("/"),
        model=new.model,
        api_key=sealed,
        tool_choice=new.tool_choice,
        is_small=new.is_small,
        context_tokens=new.context_tokens,
        output_tokens=new.output_tokens,
        price_in=new.price_in_usd_micros,
        price_out=new.price_out_usd_micros,
        fallback_id=fallback.id if fallback else None,
        is_default=new.is_default,
    )
    await emit(tx, LanguageModelSet(written.id))
    return written


def _check(new: NewLanguageModel) -> None:
    """Raises: Unprocessable, naming what cannot work and the way out."""
    address = urlsplit(new.base_url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise Unprocessable(f"{new.base_url!r} is no base URL; it looks like https://api.example.com/v1.")
    if address.username or address.password or address.query:
        raise Unprocessable("A base URL holds neither a password nor a query; give the key as the key.")
    if not new.name.strip() or new.name in BUILT_IN:
        raise Unprocessable(f"A model cannot be called {new.name!r}; choose a name of your own.")
    if not new.model.strip():
        raise Unprocessable("The endpoint needs the name of one of its models.")
    if not new.api_key.isascii() or any(character.isspace() for character in new.api_key):
        raise Unprocessable("The key holds characters that no key has; copy it again.")
    if new.context_tokens < _LEAST_CONTEXT or new.output_tokens < 0:
        raise Unprocessable(f"A context of at least {_LEAST_CONTEXT} tokens is needed to draft a reply.")
    if new.output_tokens * 2 > new.context_tokens:
        raise Unprocessable("An answer may take half of the context at most.")
    if min(new.price_in_usd_micros, new.price_out_usd_micros) < 0:
        raise Unprocessable("A price cannot be negative.")
    if new.fallback == new.name:
        raise Unprocessable(f"{new.name} cannot be its own fallback; name another model.")


def _host(base_url: str) -> str:
    return urlsplit(base_url).netloc


async def remove_language_model(tx: Tx, name: str) -> None:
    """Raises: Forbidden, NotFound, Conflict while another model falls back to it or a seat uses it."""
    tx.principal.require("language_models:manage")
    model = await get_language_model(tx, name)
    user = await tx.value(
        """
        SELECT name FROM language_models WHERE fallback_id = %(id)s
         UNION ALL
        SELECT name FROM bidi WHERE model = %(name)s
         LIMIT 1
        """,
        id=model.id,
        name=name,
    )
    if user is not None:
        raise Conflict(f"{user} uses the language model {name}; give it another one first.")
    await tx.execute("DELETE FROM language_models WHERE id = %(id)s", id=model.id)
    await emit(tx, LanguageModelRemoved(model.id))


async def assign_language_model(tx: Tx, bidi_id: BidiId, name: str | None) -> None:
    """Let a seat use a model of its own, one of the organization's or a built-in one; None takes it away again.

    Raises: Forbidden, NotFound.
    """
    if name is not None and name not in BUILT_IN:
        await get_language_model(tx, name)
    await bidi.set_model(tx, bidi_id, name)
