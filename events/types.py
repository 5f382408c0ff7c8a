"""Every event of the product: a frozen dataclass of ids. The first field is the subject.

The event name is the class name: `message.received` is `MessageReceived`.
"""

from dataclasses import dataclass, fields
from typing import ClassVar
from uuid import UUID

from events.ids import (
    ApiKeyId,
    ApprovalId,
    AssignmentRuleId,
    AuditVerificationId,
    BidiId,
    BulkEditId,
    ChannelAccountId,
    CommissionId,
    CompanyId,
    ContactId,
    ConversationId,
    CopilotChatId,
    CopilotQuestionId,
    CustomFieldId,
    DealId,
    DocumentId,
    DraftId,
    EvalRunId,
    FactId,
    FileId,
    ImportId,
    InvitationId,
    LanguageModelId,
    LeadId,
    MeetingId,
    MemberId,
    MessageId,
    NoteId,
    NotificationId,
    OrganizationId,
    PrivacyRequestId,
    PromiseId,
    ReplayId,
    RunId,
    SegmentId,
    SessionId,
    SignUpId,
    SuggestionId,
    SystemMailId,
    TagId,
    TaskId,
    TeamId,
    TriggerId,
    UserId,
    ViewId,
    WebhookDeliveryId,
    WebhookId,
)


@dataclass(frozen=True)
class Event:
    """Base of all events; `subject_kind` names the noun whose order of events is kept."""

    name: ClassVar[str]
    subject_kind: ClassVar[str]
    version: ClassVar[int] = 1

    @property
    def subject(self) -> tuple[str, UUID]:
        """Kind and id of what it takes its place in order with.

        An event whose first id is absent is about the second: what a run does that serves no conversation.
        """
        first, *more = fields(self)
        id = getattr(self, first.name)
        if id is not None:
            return self.subject_kind, UUID(str(id))
        return more[0].name.removesuffix("_id"), UUID(str(getattr(self, more[0].name)))

    @property
    def subject_id(self) -> UUID:
        return self.subject[1]


@dataclass(frozen=True)
class OrganizationCreated(Event):
    name = "organization.created"
    subject_kind = "organization"
    organization_id: OrganizationId


@dataclass(frozen=True)
class OrganizationUpdated(Event):
    """What holds for the whole organization was changed: limits of a day, what becomes of a paused seat's work."""

    name = "organization.updated"
    subject_kind = "organization"
    organization_id: OrganizationId


@dataclass(frozen=True)
class OrganizationClosed(Event):
    """It is closed to everybody but its owner, and is removed when its time has come."""

    name = "organization.closed"
    subject_kind = "organization"
    organization_id: OrganizationId


@dataclass(frozen=True)
class OrganizationKept(Event):
    """Its deletion was taken back: it is open again."""

    name = "organization.kept"
    subject_kind = "organization"
    organization_id: OrganizationId


@dataclass(frozen=True)
class OrganizationTransferred(Event):
    """Somebody else owns the organization now; who handed it over is an administrator."""

    name = "organization.transferred"
    subject_kind = "organization"
    organization_id: OrganizationId
    from_member_id: MemberId
    to_member_id: MemberId


@dataclass(frozen=True)
class PolicyUpdated(Event):
    """What agents may do by themselves was tightened, or loosened again."""

    name = "policy.updated"
    subject_kind = "policy"
    organization_id: OrganizationId


@dataclass(frozen=True)
class AuditVerificationAsked(Event):
    """Somebody wants to know whether the record of what was done is as it was written."""

    name = "audit.verification.asked"
    subject_kind = "audit_verification"
    audit_verification_id: AuditVerificationId


@dataclass(frozen=True)
class AuditVerified(Event):
    name = "audit.verified"
    subject_kind = "audit_verification"
    audit_verification_id: AuditVerificationId


@dataclass(frozen=True)
class PrivacyRequested(Event):
    """Somebody wants to know what is known about them, or to be erased."""

    name = "privacy.requested"
    subject_kind = "privacy_request"
    privacy_request_id: PrivacyRequestId


@dataclass(frozen=True)
class PrivacyRequestConfirmed(Event):
    """A person has seen what an erasure reaches and let it begin."""

    name = "privacy.request.confirmed"
    subject_kind = "privacy_request"
    privacy_request_id: PrivacyRequestId


@dataclass(frozen=True)
class PrivacyRequestCancelled(Event):
    name = "privacy.request.cancelled"
    subject_kind = "privacy_request"
    privacy_request_id: PrivacyRequestId


@dataclass(frozen=True)
class ErasedPersonAllowed(Event):
    """An import may bring back whom this request erased."""

    name = "privacy.erased.allowed"
    subject_kind = "privacy_request"
    privacy_request_id: PrivacyRequestId


@dataclass(frozen=True)
class PrivacyRequestFinished(Event):
    name = "privacy.request.finished"
    subject_kind = "privacy_request"
    privacy_request_id: PrivacyRequestId


@dataclass(frozen=True)
class UserCreated(Event):
    name = "user.created"
    subject_kind = "user"
    user_id: UserId


@dataclass(frozen=True)
class UserLoggedIn(Event):
    name = "user.logged_in"
    subject_kind = "user"
    user_id: UserId


@dataclass(frozen=True)
class UserLoggedOut(Event):
    name = "user.logged_out"
    subject_kind = "user"
    user_id: UserId


@dataclass(frozen=True)
class UserUpdated(Event):
    """A person changed how they are called, or in which language and time zone they read."""

    name = "user.updated"
    subject_kind = "user"
    user_id: UserId


@dataclass(frozen=True)
class PasswordChanged(Event):
    """Every session of the person has ended with it, but the one that a page went on with."""

    name = "user.password_changed"
    subject_kind = "user"
    user_id: UserId


@dataclass(frozen=True)
class SignInLocked(Event):
    """So many wrong passwords or codes came for an account that the next one has to wait."""

    name = "user.sign_in_locked"
    subject_kind = "user"
    user_id: UserId


@dataclass(frozen=True)
class IdentityLinked(Event):
    """A person can sign in by an issuer that knows them."""

    name = "user.identity.linked"
    subject_kind = "user"
    user_id: UserId


@dataclass(frozen=True)
class IdentityUnlinked(Event):
    name = "user.identity.unlinked"
    subject_kind = "user"
    user_id: UserId


@dataclass(frozen=True)
class IdentityProviderSet(Event):
    """The organization has an issuer of its own, or another one, by which its people sign in."""

    name = "organization.identity_provider.set"
    subject_kind = "organization"
    organization_id: OrganizationId


@dataclass(frozen=True)
class IdentityProviderRemoved(Event):
    name = "organization.identity_provider.removed"
    subject_kind = "organization"
    organization_id: OrganizationId


@dataclass(frozen=True)
class SecondFactorEnabled(Event):
    name = "user.second_factor.enabled"
    subject_kind = "user"
    user_id: UserId


@dataclass(frozen=True)
class SecondFactorDisabled(Event):
    name = "user.second_factor.disabled"
    subject_kind = "user"
    user_id: UserId


@dataclass(frozen=True)
class RecoveryCodesRenewed(Event):
    name = "user.recovery_codes.renewed"
    subject_kind = "user"
    user_id: UserId


@dataclass(frozen=True)
class RecoveryCodeUsed(Event):
    """Somebody came in without their app."""

    name = "user.recovery_code.used"
    subject_kind = "user"
    user_id: UserId


@dataclass(frozen=True)
class PasswordResetRequested(Event):
    name = "user.password_reset_requested"
    subject_kind = "user"
    user_id: UserId


@dataclass(frozen=True)
class SignUpRequested(Event):
    """Somebody wants an organization of their own; there is none before the address is shown to be theirs."""

    name = "sign_up.requested"
    subject_kind = "sign_up"
    sign_up_id: SignUpId


@dataclass(frozen=True)
class SystemMailQueued(Event):
    name = "system_mail.queued"
    subject_kind = "system_mail"
    system_mail_id: SystemMailId


@dataclass(frozen=True)
class SystemMailSettled(Event):
    """Sent, kept, failed or unknown; the row says which."""

    name = "system_mail.settled"
    subject_kind = "system_mail"
    system_mail_id: SystemMailId


@dataclass(frozen=True)
class SessionOpened(Event):
    """A program signed in; a page says `user.logged_in`."""

    name = "session.opened"
    subject_kind = "session"
    session_id: SessionId


@dataclass(frozen=True)
class SessionRevoked(Event):
    name = "session.revoked"
    subject_kind = "session"
    session_id: SessionId


@dataclass(frozen=True)
class SessionReused(Event):
    """A refresh token came a second time, too late for a parallel call: somebody has a copy, and the session ended."""

    name = "session.reused"
    subject_kind = "session"
    session_id: SessionId


@dataclass(frozen=True)
class TeamMemberInvited(Event):
    """Somebody was asked in, or asked again with a new link."""

    name = "team.member.invited"
    subject_kind = "invitation"
    invitation_id: InvitationId


@dataclass(frozen=True)
class InvitationRevoked(Event):
    name = "invitation.revoked"
    subject_kind = "invitation"
    invitation_id: InvitationId


@dataclass(frozen=True)
class TeamMemberAdded(Event):
    """Somebody accepted an invitation, for the first time or after they had left; none: their issuer let them join."""

    name = "team.member.added"
    subject_kind = "member"
    member_id: MemberId
    user_id: UserId
    invitation_id: InvitationId | None


@dataclass(frozen=True)
class MemberUpdated(Event):
    """A member has another role, or was kept out or let in again."""

    name = "member.updated"
    subject_kind = "member"
    member_id: MemberId


@dataclass(frozen=True)
class TeamMemberRemoved(Event):
    """A member has left; what they held is with somebody else, or with nobody."""

    name = "team.member.removed"
    subject_kind = "member"
    member_id: MemberId
    to_member_id: MemberId | None


@dataclass(frozen=True)
class TeamCreated(Event):
    name = "team.created"
    subject_kind = "team"
    team_id: TeamId


@dataclass(frozen=True)
class TeamUpdated(Event):
    """A team is called otherwise, or has other members or another lead."""

    name = "team.updated"
    subject_kind = "team"
    team_id: TeamId


@dataclass(frozen=True)
class TeamDeleted(Event):
    name = "team.deleted"
    subject_kind = "team"
    team_id: TeamId


@dataclass(frozen=True)
class ApiKeyCreated(Event):
    name = "api_key.created"
    subject_kind = "api_key"
    api_key_id: ApiKeyId


@dataclass(frozen=True)
class ApiKeyRevoked(Event):
    name = "api_key.revoked"
    subject_kind = "api_key"
    api_key_id: ApiKeyId


@dataclass(frozen=True)
class WebhookCreated(Event):
    name = "webhook.created"
    subject_kind = "webhook"
    webhook_id: WebhookId


@dataclass(frozen=True)
class WebhookUpdated(Event):
    name = "webhook.updated"
    subject_kind = "webhook"
    webhook_id: WebhookId


@dataclass(frozen=True)
class WebhookDisabled(Event):
    """The product gave an endpoint up."""

    name = "webhook.disabled"
    subject_kind = "webhook"
    webhook_id: WebhookId


@dataclass(frozen=True)
class WebhookRemoved(Event):
    name = "webhook.removed"
    subject_kind = "webhook"
    webhook_id: WebhookId


@dataclass(frozen=True)
class WebhookTested(Event):
    """Somebody had an event sent that means nothing."""

    name = "webhook.tested"
    subject_kind = "webhook"
    webhook_id: WebhookId


@dataclass(frozen=True)
class WebhookRetried(Event):
    """Somebody had a delivery sent once more."""

    name = "webhook.retried"
    subject_kind = "webhook"
    webhook_id: WebhookId
    delivery_id: WebhookDeliveryId


@dataclass(frozen=True)
class LanguageModelSet(Event):
    name = "language_model.set"
    subject_kind = "language_model"
    language_model_id: LanguageModelId


@dataclass(frozen=True)
class LanguageModelRemoved(Event):
    name = "language_model.removed"
    subject_kind = "language_model"
    language_model_id: LanguageModelId


@dataclass(frozen=True)
class BidiCreated(Event):
    name = "bidi.created"
    subject_kind = "bidi"
    bidi_id: BidiId


@dataclass(frozen=True)
class BidiUpdated(Event):
    name = "bidi.updated"
    subject_kind = "bidi"
    bidi_id: BidiId


@dataclass(frozen=True)
class BidiPaused(Event):
    """The seat begins nothing more, and what it had begun is stopped."""

    name = "bidi.paused"
    subject_kind = "bidi"
    bidi_id: BidiId


@dataclass(frozen=True)
class BidiResumed(Event):
    name = "bidi.resumed"
    subject_kind = "bidi"
    bidi_id: BidiId


@dataclass(frozen=True)
class BidiArchived(Event):
    name = "bidi.archived"
    subject_kind = "bidi"
    bidi_id: BidiId


@dataclass(frozen=True)
class ChannelAccountConnected(Event):
    name = "channel_account.connected"
    subject_kind = "channel_account"
    account_id: ChannelAccountId


@dataclass(frozen=True)
class ChannelAccountDisconnected(Event):
    name = "channel_account.disconnected"
    subject_kind = "channel_account"
    account_id: ChannelAccountId


@dataclass(frozen=True)
class ChannelAccountRestricted(Event):
    name = "channel_account.restricted"
    subject_kind = "channel_account"
    account_id: ChannelAccountId


@dataclass(frozen=True)
class CompanyCreated(Event):
    name = "company.created"
    subject_kind = "company"
    company_id: CompanyId


@dataclass(frozen=True)
class CompanyUpdated(Event):
    name = "company.updated"
    subject_kind = "company"
    company_id: CompanyId


@dataclass(frozen=True)
class ContactCreated(Event):
    name = "contact.created"
    subject_kind = "contact"
    contact_id: ContactId


@dataclass(frozen=True)
class ContactDeleted(Event):
    name = "contact.deleted"
    subject_kind = "contact"
    contact_id: ContactId


@dataclass(frozen=True)
class CompanyMerged(Event):
    """`merged_id` was put away; what it had is now `company_id`'s."""

    name = "company.merged"
    subject_kind = "company"
    company_id: CompanyId
    merged_id: CompanyId
    merge_id: UUID


@dataclass(frozen=True)
class CompanyUnmerged(Event):
    """A merge was taken back: `merged_id` is there again."""

    name = "company.unmerged"
    subject_kind = "company"
    company_id: CompanyId
    merged_id: CompanyId
    merge_id: UUID


@dataclass(frozen=True)
class ContactMerged(Event):
    """`merged_id` was put away; what it had is now `contact_id`'s."""

    name = "contact.merged"
    subject_kind = "contact"
    contact_id: ContactId
    merged_id: ContactId
    merge_id: UUID


@dataclass(frozen=True)
class ContactUnmerged(Event):
    """A merge was taken back: `merged_id` is there again."""

    name = "contact.unmerged"
    subject_kind = "contact"
    contact_id: ContactId
    merged_id: ContactId
    merge_id: UUID


@dataclass(frozen=True)
class DuplicateDismissed(Event):
    """Somebody said that two records are not one."""

    name = "duplicate.dismissed"
    subject_kind = "duplicate"
    match_id: UUID


@dataclass(frozen=True)
class ContactUpdated(Event):
    name = "contact.updated"
    subject_kind = "contact"
    contact_id: ContactId


@dataclass(frozen=True)
class CustomFieldCreated(Event):
    name = "custom_field.created"
    subject_kind = "custom_field"
    field_id: CustomFieldId


@dataclass(frozen=True)
class CustomFieldUpdated(Event):
    name = "custom_field.updated"
    subject_kind = "custom_field"
    field_id: CustomFieldId


@dataclass(frozen=True)
class PipelineCreated(Event):
    name = "pipeline.created"
    subject_kind = "pipeline"
    pipeline_id: UUID


@dataclass(frozen=True)
class PipelineUpdated(Event):
    """Its name, its stages, their rules or what events do in it changed."""

    name = "pipeline.updated"
    subject_kind = "pipeline"
    pipeline_id: UUID


@dataclass(frozen=True)
class LeadCreated(Event):
    name = "lead.created"
    subject_kind = "lead"
    lead_id: LeadId


@dataclass(frozen=True)
class LeadUpdated(Event):
    name = "lead.updated"
    subject_kind = "lead"
    lead_id: LeadId


@dataclass(frozen=True)
class LeadDeleted(Event):
    name = "lead.deleted"
    subject_kind = "lead"
    lead_id: LeadId


@dataclass(frozen=True)
class LeadRestored(Event):
    name = "lead.restored"
    subject_kind = "lead"
    lead_id: LeadId


@dataclass(frozen=True)
class LeadStageChanged(Event):
    name = "lead.stage.changed"
    subject_kind = "lead"
    lead_id: LeadId


@dataclass(frozen=True)
class LeadConverted(Event):
    """A deal was made of the lead."""

    name = "lead.converted"
    subject_kind = "lead"
    lead_id: LeadId
    deal_id: DealId


@dataclass(frozen=True)
class LeadSlaBreach(Event):
    """The lead stays in its stage for longer than it may."""

    name = "lead.sla.breach"
    subject_kind = "lead"
    lead_id: LeadId


@dataclass(frozen=True)
class DealCreated(Event):
    name = "deal.created"
    subject_kind = "deal"
    deal_id: DealId


@dataclass(frozen=True)
class DealUpdated(Event):
    name = "deal.updated"
    subject_kind = "deal"
    deal_id: DealId


@dataclass(frozen=True)
class DealStageChanged(Event):
    name = "deal.stage.changed"
    subject_kind = "deal"
    deal_id: DealId


@dataclass(frozen=True)
class DealClosed(Event):
    """The deal is won or lost: the outcome of its stage says which."""

    name = "deal.closed"
    subject_kind = "deal"
    deal_id: DealId


@dataclass(frozen=True)
class CommissionEarned(Event):
    """A partner is owed a part of a deal that was won."""

    name = "commission.earned"
    subject_kind = "commission"
    commission_id: CommissionId
    deal_id: DealId
    bidi_id: BidiId


@dataclass(frozen=True)
class CommissionTakenBack(Event):
    """The deal is not won any more, so nothing is owed for it."""

    name = "commission.taken_back"
    subject_kind = "commission"
    commission_id: CommissionId
    deal_id: DealId
    bidi_id: BidiId


@dataclass(frozen=True)
class DealDeleted(Event):
    name = "deal.deleted"
    subject_kind = "deal"
    deal_id: DealId


@dataclass(frozen=True)
class DealRestored(Event):
    name = "deal.restored"
    subject_kind = "deal"
    deal_id: DealId


@dataclass(frozen=True)
class DealSlaBreach(Event):
    """The deal stays in its stage for longer than it may."""

    name = "deal.sla.breach"
    subject_kind = "deal"
    deal_id: DealId


@dataclass(frozen=True)
class TaskCreated(Event):
    name = "task.created"
    subject_kind = "task"
    task_id: TaskId


@dataclass(frozen=True)
class TaskUpdated(Event):
    name = "task.updated"
    subject_kind = "task"
    task_id: TaskId


@dataclass(frozen=True)
class TaskAssigned(Event):
    """Somebody has it to do whom another person gave it."""

    name = "task.assigned"
    subject_kind = "task"
    task_id: TaskId


@dataclass(frozen=True)
class TaskCompleted(Event):
    name = "task.completed"
    subject_kind = "task"
    task_id: TaskId


@dataclass(frozen=True)
class TaskReopened(Event):
    name = "task.reopened"
    subject_kind = "task"
    task_id: TaskId


@dataclass(frozen=True)
class TaskRemoved(Event):
    name = "task.removed"
    subject_kind = "task"
    task_id: TaskId


@dataclass(frozen=True)
class TaskRestored(Event):
    name = "task.restored"
    subject_kind = "task"
    task_id: TaskId


@dataclass(frozen=True)
class TaskDue(Event):
    """Its time has come and it is not done."""

    name = "task.due"
    subject_kind = "task"
    task_id: TaskId


@dataclass(frozen=True)
class TaskReminded(Event):
    """Somebody asked to be reminded of it now."""

    name = "task.reminded"
    subject_kind = "task"
    task_id: TaskId


@dataclass(frozen=True)
class NoteCreated(Event):
    name = "note.created"
    subject_kind = "note"
    note_id: NoteId


@dataclass(frozen=True)
class NoteUpdated(Event):
    name = "note.updated"
    subject_kind = "note"
    note_id: NoteId


@dataclass(frozen=True)
class NoteRemoved(Event):
    name = "note.removed"
    subject_kind = "note"
    note_id: NoteId


@dataclass(frozen=True)
class NoteRestored(Event):
    name = "note.restored"
    subject_kind = "note"
    note_id: NoteId


@dataclass(frozen=True)
class MeetingCreated(Event):
    name = "meeting.created"
    subject_kind = "meeting"
    meeting_id: MeetingId


@dataclass(frozen=True)
class MeetingUpdated(Event):
    name = "meeting.updated"
    subject_kind = "meeting"
    meeting_id: MeetingId


@dataclass(frozen=True)
class MeetingHeld(Event):
    name = "meeting.held"
    subject_kind = "meeting"
    meeting_id: MeetingId


@dataclass(frozen=True)
class MeetingCancelled(Event):
    name = "meeting.cancelled"
    subject_kind = "meeting"
    meeting_id: MeetingId


@dataclass(frozen=True)
class MeetingMissed(Event):
    """Nobody came."""

    name = "meeting.missed"
    subject_kind = "meeting"
    meeting_id: MeetingId


@dataclass(frozen=True)
class MeetingPlanned(Event):
    """It is to take place after all."""

    name = "meeting.planned"
    subject_kind = "meeting"
    meeting_id: MeetingId


@dataclass(frozen=True)
class MeetingRemoved(Event):
    name = "meeting.removed"
    subject_kind = "meeting"
    meeting_id: MeetingId


@dataclass(frozen=True)
class MeetingRestored(Event):
    name = "meeting.restored"
    subject_kind = "meeting"
    meeting_id: MeetingId


@dataclass(frozen=True)
class MeetingDue(Event):
    """It begins soon, and its members are told."""

    name = "meeting.due"
    subject_kind = "meeting"
    meeting_id: MeetingId


@dataclass(frozen=True)
class FileAdded(Event):
    name = "file.added"
    subject_kind = "file"
    file_id: FileId


@dataclass(frozen=True)
class FileRemoved(Event):
    name = "file.removed"
    subject_kind = "file"
    file_id: FileId


@dataclass(frozen=True)
class FileRestored(Event):
    name = "file.restored"
    subject_kind = "file"
    file_id: FileId


@dataclass(frozen=True)
class NotificationCreated(Event):
    name = "notification.created"
    subject_kind = "notification"
    notification_id: NotificationId


@dataclass(frozen=True)
class NotificationsRead(Event):
    """A member has read some of what they were told, or all of it."""

    name = "notification.read"
    subject_kind = "member"
    member_id: MemberId


@dataclass(frozen=True)
class FactAsserted(Event):
    name = "fact.asserted"
    subject_kind = "fact"
    fact_id: FactId


@dataclass(frozen=True)
class FactRetracted(Event):
    name = "fact.retracted"
    subject_kind = "fact"
    fact_id: FactId


@dataclass(frozen=True)
class DocumentAdded(Event):
    name = "document.added"
    subject_kind = "document"
    document_id: DocumentId


@dataclass(frozen=True)
class DocumentReplaced(Event):
    """A newer version of the document waits to be read."""

    name = "document.replaced"
    subject_kind = "document"
    document_id: DocumentId


@dataclass(frozen=True)
class DocumentRemoved(Event):
    name = "document.removed"
    subject_kind = "document"
    document_id: DocumentId


@dataclass(frozen=True)
class DocumentRestored(Event):
    name = "document.restored"
    subject_kind = "document"
    document_id: DocumentId


@dataclass(frozen=True)
class DocumentPublished(Event):
    name = "document.published"
    subject_kind = "document"
    document_id: DocumentId


@dataclass(frozen=True)
class DocumentWithheld(Event):
    name = "document.withheld"
    subject_kind = "document"
    document_id: DocumentId


@dataclass(frozen=True)
class DocumentRead(Event):
    """The newest version was read and is what agents find."""

    name = "document.read"
    subject_kind = "document"
    document_id: DocumentId


@dataclass(frozen=True)
class DocumentRefused(Event):
    """The newest version cannot be read."""

    name = "document.refused"
    subject_kind = "document"
    document_id: DocumentId


@dataclass(frozen=True)
class MessageReceived(Event):
    name = "message.received"
    subject_kind = "conversation"
    conversation_id: ConversationId
    message_id: MessageId


@dataclass(frozen=True)
class AutomaticMessageReceived(Event):
    """A machine answered: an absence notice, a delivery report, a complaint. No rule and no agent reacts."""

    name = "message.automatic.received"
    subject_kind = "conversation"
    conversation_id: ConversationId
    message_id: MessageId


@dataclass(frozen=True)
class MessageEdited(Event):
    name = "message.edited"
    subject_kind = "conversation"
    conversation_id: ConversationId
    message_id: MessageId


@dataclass(frozen=True)
class AttachmentReceived(Event):
    """A message came with files whose content is still to be fetched."""

    name = "attachment.received"
    subject_kind = "conversation"
    conversation_id: ConversationId
    message_id: MessageId


@dataclass(frozen=True)
class AttachmentStored(Event):
    name = "attachment.stored"
    subject_kind = "conversation"
    conversation_id: ConversationId
    message_id: MessageId


@dataclass(frozen=True)
class MessageQueued(Event):
    name = "message.queued"
    subject_kind = "conversation"
    conversation_id: ConversationId
    message_id: MessageId


@dataclass(frozen=True)
class MessageSent(Event):
    name = "message.sent"
    subject_kind = "conversation"
    conversation_id: ConversationId
    message_id: MessageId


@dataclass(frozen=True)
class MessageFailed(Event):
    name = "message.failed"
    subject_kind = "conversation"
    conversation_id: ConversationId
    message_id: MessageId


@dataclass(frozen=True)
class MessageUnknown(Event):
    name = "message.unknown"
    subject_kind = "conversation"
    conversation_id: ConversationId
    message_id: MessageId


@dataclass(frozen=True)
class MessageCancelled(Event):
    name = "message.cancelled"
    subject_kind = "conversation"
    conversation_id: ConversationId
    message_id: MessageId


@dataclass(frozen=True)
class ConversationImported(Event):
    """A conversation that happened elsewhere was brought in, or one message of it; neither triggers anything."""

    name = "conversation.imported"
    subject_kind = "conversation"
    conversation_id: ConversationId
    message_id: MessageId | None = None


@dataclass(frozen=True)
class ConversationDeleted(Event):
    name = "conversation.deleted"
    subject_kind = "conversation"
    conversation_id: ConversationId


@dataclass(frozen=True)
class ConversationRead(Event):
    name = "conversation.read"
    subject_kind = "conversation"
    conversation_id: ConversationId


@dataclass(frozen=True)
class ConversationAssigned(Event):
    name = "conversation.assigned"
    subject_kind = "conversation"
    conversation_id: ConversationId


@dataclass(frozen=True)
class ConversationSnoozed(Event):
    name = "conversation.snoozed"
    subject_kind = "conversation"
    conversation_id: ConversationId


@dataclass(frozen=True)
class ConversationResolved(Event):
    name = "conversation.resolved"
    subject_kind = "conversation"
    conversation_id: ConversationId


@dataclass(frozen=True)
class ConversationReopened(Event):
    name = "conversation.reopened"
    subject_kind = "conversation"
    conversation_id: ConversationId


@dataclass(frozen=True)
class ConversationUnassigned(Event):
    """The organization's rules found nobody who can take it."""

    name = "conversation.unassigned"
    subject_kind = "conversation"
    conversation_id: ConversationId


@dataclass(frozen=True)
class ConversationHandedOff(Event):
    name = "conversation.handed_off"
    subject_kind = "conversation"
    conversation_id: ConversationId


@dataclass(frozen=True)
class DraftGenerated(Event):
    name = "ai.draft.generated"
    subject_kind = "conversation"
    conversation_id: ConversationId
    draft_id: DraftId


@dataclass(frozen=True)
class DraftEdited(Event):
    name = "ai.draft.edited"
    subject_kind = "conversation"
    conversation_id: ConversationId
    draft_id: DraftId


@dataclass(frozen=True)
class ReplyIncidentNoted(Event):
    """A reply of an agent was taken back, or complained about."""

    name = "ai.reply.incident"
    subject_kind = "conversation"
    conversation_id: ConversationId
    draft_id: DraftId


@dataclass(frozen=True)
class DraftApproved(Event):
    name = "ai.draft.approved"
    subject_kind = "conversation"
    conversation_id: ConversationId
    draft_id: DraftId


@dataclass(frozen=True)
class DraftRejected(Event):
    name = "ai.draft.rejected"
    subject_kind = "conversation"
    conversation_id: ConversationId
    draft_id: DraftId


@dataclass(frozen=True)
class DraftSuperseded(Event):
    name = "ai.draft.superseded"
    subject_kind = "conversation"
    conversation_id: ConversationId
    draft_id: DraftId


@dataclass(frozen=True)
class DraftReturned(Event):
    """A person sent the draft back with feedback; a new run writes another."""

    name = "ai.draft.returned"
    subject_kind = "conversation"
    conversation_id: ConversationId
    draft_id: DraftId


@dataclass(frozen=True)
class DraftWithdrawn(Event):
    name = "ai.draft.withdrawn"
    subject_kind = "conversation"
    conversation_id: ConversationId
    draft_id: DraftId


@dataclass(frozen=True)
class DraftExpired(Event):
    name = "ai.draft.expired"
    subject_kind = "conversation"
    conversation_id: ConversationId
    draft_id: DraftId


@dataclass(frozen=True)
class ApprovalRequested(Event):
    name = "approval.requested"
    subject_kind = "approval"
    approval_id: ApprovalId


@dataclass(frozen=True)
class ApprovalDecided(Event):
    name = "approval.decided"
    subject_kind = "approval"
    approval_id: ApprovalId


@dataclass(frozen=True)
class ApprovalCarriedOut(Event):
    """The tool call that somebody approved was made, or could not be."""

    name = "approval.carried_out"
    subject_kind = "approval"
    approval_id: ApprovalId


@dataclass(frozen=True)
class ApprovalSnoozed(Event):
    name = "approval.snoozed"
    subject_kind = "conversation"
    conversation_id: ConversationId | None
    approval_id: ApprovalId


@dataclass(frozen=True)
class ApprovalReturned(Event):
    """A snoozed approval is due again."""

    name = "approval.returned"
    subject_kind = "conversation"
    conversation_id: ConversationId | None
    approval_id: ApprovalId


@dataclass(frozen=True)
class ApprovalAssigned(Event):
    """Another colleague should decide, or anybody may again."""

    name = "approval.assigned"
    subject_kind = "conversation"
    conversation_id: ConversationId | None
    approval_id: ApprovalId


@dataclass(frozen=True)
class ApprovalEscalated(Event):
    """Nobody has decided, and the question expires soon."""

    name = "approval.escalated"
    subject_kind = "conversation"
    conversation_id: ConversationId | None
    approval_id: ApprovalId


@dataclass(frozen=True)
class RunRequested(Event):
    name = "ai.run.requested"
    subject_kind = "run"
    run_id: RunId


@dataclass(frozen=True)
class RunStarted(Event):
    name = "ai.run.started"
    subject_kind = "conversation"
    conversation_id: ConversationId | None
    run_id: RunId


@dataclass(frozen=True)
class RunFinished(Event):
    name = "ai.run.finished"
    subject_kind = "conversation"
    conversation_id: ConversationId | None
    run_id: RunId


@dataclass(frozen=True)
class RunFailed(Event):
    name = "ai.run.failed"
    subject_kind = "conversation"
    conversation_id: ConversationId | None
    run_id: RunId


@dataclass(frozen=True)
class RunCancelled(Event):
    name = "ai.run.cancelled"
    subject_kind = "conversation"
    conversation_id: ConversationId | None
    run_id: RunId


@dataclass(frozen=True)
class RunReverted(Event):
    """A person took back what the run had changed."""

    name = "ai.run.reverted"
    subject_kind = "conversation"
    conversation_id: ConversationId | None
    run_id: RunId


@dataclass(frozen=True)
class RunReplayAsked(Event):
    """A person has a run run again, with nothing coming of it."""

    name = "ai.run.replay_asked"
    subject_kind = "run"
    run_id: RunId
    replay_id: ReplayId


@dataclass(frozen=True)
class ToolCalled(Event):
    name = "ai.tool.called"
    subject_kind = "run"
    run_id: RunId
    tool_call_id: UUID


@dataclass(frozen=True)
class ToolDenied(Event):
    name = "ai.tool.denied"
    subject_kind = "run"
    run_id: RunId
    tool_call_id: UUID


@dataclass(frozen=True)
class TriggerExecuted(Event):
    name = "trigger.executed"
    subject_kind = "trigger"
    trigger_id: TriggerId


@dataclass(frozen=True)
class ImportCreated(Event):
    """A table was brought; nothing of it is in the records yet."""

    name = "import.created"
    subject_kind = "import"
    import_id: ImportId


@dataclass(frozen=True)
class ImportPrepared(Event):
    """Somebody said how a table is read, or what its columns become."""

    name = "import.prepared"
    subject_kind = "import"
    import_id: ImportId


@dataclass(frozen=True)
class ImportStarted(Event):
    name = "import.started"
    subject_kind = "import"
    import_id: ImportId


@dataclass(frozen=True)
class ImportProgressed(Event):
    """Rows were taken over or back, or the import came into another state; one event for a whole chunk of records.

    What a chunk holds is read with `crm.imports.tables.queries.list_chunk`.
    """

    name = "import.progressed"
    subject_kind = "import"

    import_id: ImportId
    chunk_id: UUID | None = None


@dataclass(frozen=True)
class ImportFinished(Event):
    name = "import.finished"
    subject_kind = "import"
    import_id: ImportId


@dataclass(frozen=True)
class ImportUndone(Event):
    name = "import.undone"
    subject_kind = "import"
    import_id: ImportId


@dataclass(frozen=True)
class BulkEditCreated(Event):
    name = "bulk_edit.created"
    subject_kind = "bulk_edit"
    bulk_edit_id: BulkEditId


@dataclass(frozen=True)
class BulkEditProgressed(Event):
    """A chunk of records was tried, changed or given back, or the edit came into another state."""

    name = "bulk_edit.progressed"
    subject_kind = "bulk_edit"
    bulk_edit_id: BulkEditId


@dataclass(frozen=True)
class BulkEditFinished(Event):
    name = "bulk_edit.finished"
    subject_kind = "bulk_edit"
    bulk_edit_id: BulkEditId


@dataclass(frozen=True)
class BulkEditUndone(Event):
    name = "bulk_edit.undone"
    subject_kind = "bulk_edit"
    bulk_edit_id: BulkEditId


@dataclass(frozen=True)
class EvaluationStarted(Event):
    name = "evaluation.started"
    subject_kind = "eval_run"
    eval_run_id: EvalRunId


@dataclass(frozen=True)
class EvaluationFinished(Event):
    name = "evaluation.finished"
    subject_kind = "eval_run"
    eval_run_id: EvalRunId


@dataclass(frozen=True)
class EvaluationJudged(Event):
    name = "evaluation.judged"
    subject_kind = "eval_run"
    eval_run_id: EvalRunId


@dataclass(frozen=True)
class TagCreated(Event):
    name = "tag.created"
    subject_kind = "tag"
    tag_id: TagId


@dataclass(frozen=True)
class TagUpdated(Event):
    name = "tag.updated"
    subject_kind = "tag"
    tag_id: TagId


@dataclass(frozen=True)
class TagMerged(Event):
    """The first one is gone; `into_id` stands where it stood."""

    name = "tag.merged"
    subject_kind = "tag"
    tag_id: TagId
    into_id: TagId


@dataclass(frozen=True)
class TagRemoved(Event):
    name = "tag.removed"
    subject_kind = "tag"
    tag_id: TagId


@dataclass(frozen=True)
class SegmentCreated(Event):
    name = "segment.created"
    subject_kind = "segment"
    segment_id: SegmentId


@dataclass(frozen=True)
class SegmentUpdated(Event):
    name = "segment.updated"
    subject_kind = "segment"
    segment_id: SegmentId


@dataclass(frozen=True)
class AssignmentRuleCreated(Event):
    name = "assignment_rule.created"
    subject_kind = "assignment_rule"
    assignment_rule_id: AssignmentRuleId


@dataclass(frozen=True)
class AssignmentRuleUpdated(Event):
    """A rule was changed or moved among the others."""

    name = "assignment_rule.updated"
    subject_kind = "assignment_rule"
    assignment_rule_id: AssignmentRuleId


@dataclass(frozen=True)
class AssignmentRuleRemoved(Event):
    name = "assignment_rule.removed"
    subject_kind = "assignment_rule"
    assignment_rule_id: AssignmentRuleId


@dataclass(frozen=True)
class ViewCreated(Event):
    name = "view.created"
    subject_kind = "view"
    view_id: ViewId


@dataclass(frozen=True)
class ViewUpdated(Event):
    name = "view.updated"
    subject_kind = "view"
    view_id: ViewId


@dataclass(frozen=True)
class CopilotAsked(Event):
    name = "ai.copilot.asked"
    subject_kind = "copilot_chat"
    chat_id: CopilotChatId
    question_id: CopilotQuestionId


@dataclass(frozen=True)
class CopilotAnswered(Event):
    """A question waits no longer: it was answered, stopped, or failed."""

    name = "ai.copilot.answered"
    subject_kind = "copilot_chat"
    chat_id: CopilotChatId
    question_id: CopilotQuestionId


@dataclass(frozen=True)
class CopilotChatRemoved(Event):
    name = "ai.copilot.chat.removed"
    subject_kind = "copilot_chat"
    chat_id: CopilotChatId


@dataclass(frozen=True)
class SuggestionMade(Event):
    """An agent proposes a next step."""

    name = "ai.suggestion.made"
    subject_kind = "suggestion"
    suggestion_id: SuggestionId


@dataclass(frozen=True)
class SuggestionAccepted(Event):
    name = "ai.suggestion.accepted"
    subject_kind = "suggestion"
    suggestion_id: SuggestionId


@dataclass(frozen=True)
class SuggestionDismissed(Event):
    name = "ai.suggestion.dismissed"
    subject_kind = "suggestion"
    suggestion_id: SuggestionId


@dataclass(frozen=True)
class SuggestionExpired(Event):
    """Nobody decided in time, or what it was about is over."""

    name = "ai.suggestion.expired"
    subject_kind = "suggestion"
    suggestion_id: SuggestionId


@dataclass(frozen=True)
class PromiseNoted(Event):
    """Somebody said in a conversation that they would do something by a time."""

    name = "promise.noted"
    subject_kind = "promise"
    promise_id: PromiseId


@dataclass(frozen=True)
class PromiseDue(Event):
    """The time of a promise has come, and nothing shows that it was kept."""

    name = "promise.due"
    subject_kind = "promise"
    promise_id: PromiseId


@dataclass(frozen=True)
class PromiseKept(Event):
    name = "promise.kept"
    subject_kind = "promise"
    promise_id: PromiseId


@dataclass(frozen=True)
class PromiseDropped(Event):
    """A person says that it need not be kept any more."""

    name = "promise.dropped"
    subject_kind = "promise"
    promise_id: PromiseId


BY_NAME: dict[str, type[Event]] = {kind.name: kind for kind in Event.__subclasses__()}
