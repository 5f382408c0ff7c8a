"""The identifiers of every noun, so that one cannot be passed for another."""

from enum import StrEnum
from typing import NewType
from uuid import UUID

OrganizationId = NewType("OrganizationId", UUID)
UserId = NewType("UserId", UUID)
AuditVerificationId = NewType("AuditVerificationId", UUID)
BidiId = NewType("BidiId", UUID)
LanguageModelId = NewType("LanguageModelId", UUID)
ChannelAccountId = NewType("ChannelAccountId", UUID)
CommissionId = NewType("CommissionId", UUID)
CompanyId = NewType("CompanyId", UUID)
ContactId = NewType("ContactId", UUID)
LeadId = NewType("LeadId", UUID)
DealId = NewType("DealId", UUID)
CustomFieldId = NewType("CustomFieldId", UUID)
TagId = NewType("TagId", UUID)
SegmentId = NewType("SegmentId", UUID)
AssignmentRuleId = NewType("AssignmentRuleId", UUID)
BulkEditId = NewType("BulkEditId", UUID)
EvalRunId = NewType("EvalRunId", UUID)
EvalCaseId = NewType("EvalCaseId", UUID)
EvalJudgingId = NewType("EvalJudgingId", UUID)
ViewId = NewType("ViewId", UUID)
MemberId = NewType("MemberId", UUID)
TaskId = NewType("TaskId", UUID)
NoteId = NewType("NoteId", UUID)
MeetingId = NewType("MeetingId", UUID)
FileId = NewType("FileId", UUID)
NotificationId = NewType("NotificationId", UUID)
FactId = NewType("FactId", UUID)
DocumentId = NewType("DocumentId", UUID)
DocumentVersionId = NewType("DocumentVersionId", UUID)
ConversationId = NewType("ConversationId", UUID)
MessageId = NewType("MessageId", UUID)
AttachmentId = NewType("AttachmentId", UUID)
DraftId = NewType("DraftId", UUID)
ApprovalId = NewType("ApprovalId", UUID)
RunId = NewType("RunId", UUID)
ReplayId = NewType("ReplayId", UUID)
ModelCallId = NewType("ModelCallId", UUID)
TriggerId = NewType("TriggerId", UUID)
ImportId = NewType("ImportId", UUID)
ApiKeyId = NewType("ApiKeyId", UUID)
SessionId = NewType("SessionId", UUID)
SignUpId = NewType("SignUpId", UUID)
SystemMailId = NewType("SystemMailId", UUID)
InvitationId = NewType("InvitationId", UUID)
TeamId = NewType("TeamId", UUID)
EventId = NewType("EventId", UUID)
WebhookId = NewType("WebhookId", UUID)
WebhookDeliveryId = NewType("WebhookDeliveryId", UUID)
CopilotChatId = NewType("CopilotChatId", UUID)
CopilotQuestionId = NewType("CopilotQuestionId", UUID)
PrivacyRequestId = NewType("PrivacyRequestId", UUID)
SuggestionId = NewType("SuggestionId", UUID)
PromiseId = NewType("PromiseId", UUID)


class RecordKind(StrEnum):
    """The nouns that have owners, tags, lists and pages of their own; their ids are told apart by it."""

    CONTACT = "contact"
    COMPANY = "company"
    LEAD = "lead"
    DEAL = "deal"
