"""The columns that hold envelopes."""

from dataclasses import dataclass
from uuid import UUID

from core.envelopes import Place


@dataclass(frozen=True)
class SealedColumn:
    """`row_id` is the column that names the row; what belongs to people has no organization."""

    table: str
    column: str
    row_id: str = "id"
    is_peoples: bool = False

    def place(self, organization_id: UUID, row_id: UUID) -> Place:
        return Place(None if self.is_peoples else organization_id, self.table, row_id, self.column)

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


SEALED = (
    SealedColumn("channel_accounts", "secret"),
    SealedColumn("webhooks", "secret"),
    SealedColumn("webhooks", "old_secret"),
    SealedColumn("language_models", "api_key"),
    SealedColumn("identity_providers", "client_secret"),
    SealedColumn("second_factors", "secret", row_id="user_id", is_peoples=True),
)
