"""Where a language model is, how it likes to be asked, and what it costs."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from core.addresses import OPERATOR, Reach

ToolChoice = Literal["native", "structured"]


@dataclass(frozen=True)
class Endpoint:
    """One model behind an OpenAI-compatible address.

    `tool_choice` says how it is asked for tools: by the protocol's own tool calls, or by a schema over its answer, for
    models that do the former badly. A small model gets the brief wording of every prompt. `output_tokens` limits one
    answer, 0 is no limit of ours. Prices are USD micros per million tokens.
    """

    model: str
    base_url: str
    api_key: str = field(default="", repr=False)
    reach: Reach = OPERATOR
    tool_choice: ToolChoice = "native"
    is_small: bool = False
    context_tokens: int = 32_768
    output_tokens: int = 0
    price_in_usd_micros: int = 0
    price_out_usd_micros: int = 0

    @property
    def label(self) -> str:
        return f"{self.model} at {urlsplit(self.base_url).hostname}"

    def cost_usd_micros(self, tokens_in: int, tokens_out: int) -> int:
        """What so many tokens cost, to the nearest USD micro."""
        total = tokens_in * self.price_in_usd_micros + tokens_out * self.price_out_usd_micros
        return (total + 500_000) // 1_000_000
