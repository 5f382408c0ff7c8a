"""The identifiers of every noun, so that one cannot be passed for another."""

from typing import NewType
from uuid import UUID

OrganizationId = NewType("OrganizationId", UUID)
UserId = NewType("UserId", UUID)
BidiId = NewType("BidiId", UUID)
LanguageModelId = NewType("LanguageModelId", UUID)
ChannelAccountId = NewType("ChannelAccountId", UUID)
CompanyId = NewType("CompanyId", UUID)
ContactId = NewType("ContactId", UUID)
DealId = NewType("DealId", UUID)
TaskId = NewType("TaskId", UUID)
FactId = NewType("FactId", UUID)
DocumentId = NewType("DocumentId", UUID)
DocumentVersionId = NewType("DocumentVersionId", UUID)
ConversationId = NewType("ConversationId", UUID)
MessageId = NewType("MessageId", UUID)
AttachmentId = NewType("AttachmentId", UUID)
DraftId = NewType("DraftId", UUID)
ApprovalId = NewType("ApprovalId", UUID)
RunId = NewType("RunId", UUID)
TriggerId = NewType("TriggerId", UUID)
ImportId = NewType("ImportId", UUID)
ApiKeyId = NewType("ApiKeyId", UUID)
EventId = NewType("EventId", UUID)
