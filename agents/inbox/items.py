"""One numbered source of a reply."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from agents.inbox.contract import CaseEvidence
from core.trust import Trust
from crm.drafts.models import EvidenceKind

QUOTE = 300


@dataclass(frozen=True)
class Item:
    """One numbered source. `text` is all of it, `label` what people call it."""

    n: int
    kind: EvidenceKind
    source_id: UUID
    label: str
    text: str
    trust: Trust
    at: datetime | None = None
    details: dict[str, str] = field(default_factory=dict)

    @property
    def is_message(self) -> bool:
        return self.kind is EvidenceKind.MESSAGE

    def shown(self) -> CaseEvidence:
        return CaseEvidence(
            n=self.n,
            kind=self.kind,
            id=str(self.source_id),
            label=self.label,
            text=self.text,
            trust=self.trust,
            details=self.details,
        )
