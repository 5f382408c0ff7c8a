"""Reading the language models of an organization."""

from uuid import UUID

from core import envelopes
from core.db import Tx
from core.envelopes import Keyring, Place
from core.errors import NotFound
from crm.language_models.models import LanguageModel
from events.ids import LanguageModelId


async def get_language_model(tx: Tx, name: str) -> LanguageModel:
    """Raises: NotFound."""
    found = await find_language_model(tx, name)
    if found is None:
        raise NotFound(
            f"There is no language model {name!r} here; `getsale model list` names those there are."
        )
    return found


async def find_language_model(tx: Tx, name: str) -> LanguageModel | None:
    return await tx.find(
        LanguageModel,
        """
        SELECT id, name, base_url, model, api_key, tool_choice, is_small, context_tokens, output_tokens,
               price_in_usd_micros, price_out_usd_micros, fallback_id, is_default, organization_id
          FROM language_models
         WHERE name = %(name)s
        """,
        name=name,
    )


async def list_language_models(tx: Tx) -> list[LanguageModel]:
    """By name."""
    return await tx.all(
        LanguageModel,
        """
        SELECT id, name, base_url, model, api_key, tool_choice, is_small, context_tokens, output_tokens,
               price_in_usd_micros, price_out_usd_micros, fallback_id, is_default, organization_id
          FROM language_models
         ORDER BY name
        """,
    )


async def choose_language_models(tx: Tx, name: str | None) -> list[LanguageModel]:
    """The model of this name, without a name the organization's default, and after it the one that it falls back to.

    Empty when the organization has set up no such model.
    """
    return await tx.all(
        LanguageModel,
        """
        WITH chosen AS (
            SELECT id, fallback_id
              FROM language_models
             WHERE name = %(name)s OR %(name)s::text IS NULL AND is_default
        )
        SELECT m.id, m.name, m.base_url, m.model, m.api_key, m.tool_choice, m.is_small, m.context_tokens,
               m.output_tokens, m.price_in_usd_micros, m.price_out_usd_micros, m.fallback_id, m.is_default,
               m.organization_id
          FROM chosen c
          JOIN language_models m ON m.id IN (c.id, c.fallback_id)
         ORDER BY m.id <> c.id
        """,
        name=name,
    )


def open_key(model: LanguageModel, keys: Keyring) -> str:
    """The endpoint's key in the clear, empty when it needs none. Raises: NotFound and Unprocessable as `unseal`."""
    if model.api_key is None:
        return ""
    return envelopes.unseal(keys, bytes(model.api_key), place_of(model.organization_id, model.id))


def place_of(organization_id: UUID, model_id: LanguageModelId) -> Place:
    """Where the endpoint's key opens."""
    return Place(organization_id, "language_models", model_id, "api_key")
