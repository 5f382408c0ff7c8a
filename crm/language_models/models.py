"""Language models of an organization."""

from dataclasses import dataclass, field
from enum import StrEnum

from events.ids import LanguageModelId, OrganizationId

# Names that mean the product's own models, whatever an organization has set up.
BUILT_IN = frozenset({"offline", "scripted", "local"})


class ToolChoice(StrEnum):
    """How a model is asked for tools: by the protocol's own calls, or by a schema over its answer."""

    NATIVE = "native"
    STRUCTURED = "structured"


@dataclass(frozen=True)
class NewLanguageModel:
    """A model as an administrator gives it. Prices are USD micros per million tokens; `output_tokens` 0 is no limit.

    `is_small` chooses the brief wording of the prompts. An empty `api_key` leaves the stored one as it is.
    """

    name: str
    base_url: str
    model: str
    api_key: str = field(default="", repr=False)
    tool_choice: ToolChoice = ToolChoice.NATIVE
    is_small: bool = False
    context_tokens: int = 32_768
    output_tokens: int = 0
    price_in_usd_micros: int = 0
    price_out_usd_micros: int = 0
    fallback: str = ""
    is_default: bool = False


@dataclass(frozen=True)
class LanguageModel:
    """A stored model. Its key stays sealed until a call needs it: `crm.language_models.queries.open_key`."""

    id: LanguageModelId
    name: str
    base_url: str
    model: str
    api_key: bytes | None = field(repr=False)
    tool_choice: ToolChoice
    is_small: bool
    context_tokens: int
    output_tokens: int
    price_in_usd_micros: int
    price_out_usd_micros: int
    fallback_id: LanguageModelId | None
    is_default: bool
    organization_id: OrganizationId
