"""The product on one page: which handlers react to which event, and what is done when due work comes due."""

from functools import cache

from crm.webhooks.models import EVENT_TYPES
from events import types as e
from events.due import DueWork
from events.outbox import Delivery
from worker import (
    asking,
    assigning,
    auditing,
    bulk,
    evaluating,
    finding,
    following,
    importing,
    mailing,
    matching,
    merging,
    paying,
    privacy,
    remembering,
    removing,
    replaying,
    telling,
    tidying,
    webhooks,
)
from worker import handlers as h
from worker.jobs import Handler, InTx, Outside, Together

_live = Together(h.publish_live)
_graph = Together(h.project_graph)
_found = Together(finding.index_records)
_tagged = Outside(finding.index_tagged)
_messages_found = InTx(finding.index_messages)
_reading = Outside(h.read_document, give_up=h.refuse_document)

_paid = InTx(paying.follow_commission)
_merging = (
    Outside(merging.project_merge),
    InTx(merging.index_merge),
    Outside(merging.show_merge),
    _live,
)

# Event -> handlers. An empty tuple says: recorded for audit and timeline, and nothing reacts.
_ROUTES: dict[type[e.Event], tuple[Handler, ...]] = {
    e.MessageReceived: (
        InTx(h.evaluate_triggers),
        _live,
        InTx(h.record_interaction),
        InTx(h.advance_records),
        InTx(remembering.remember_message),
        InTx(following.note_said),
        _messages_found,
    ),
    e.AutomaticMessageReceived: (_live, _messages_found),
    e.MessageEdited: (_live, InTx(remembering.remember_message), _messages_found),
    e.AttachmentReceived: (Outside(h.fetch_attachments, give_up=h.refuse_attachments), _live),
    e.AttachmentStored: (_live,),
    e.RunRequested: (Outside(h.execute_run, give_up=h.give_up_run),),
    e.RunStarted: (_live,),
    e.RunFinished: (_live,),
    e.RunFailed: (_live,),
    e.RunReverted: (_live,),
    e.RunReplayAsked: (),
    e.AuditVerificationAsked: (),
    e.AuditVerified: (),
    e.PrivacyRequested: (),
    e.PrivacyRequestConfirmed: (),
    e.PrivacyRequestCancelled: (),
    e.PrivacyRequestFinished: (),
    e.ErasedPersonAllowed: (),
    e.RunCancelled: (InTx(h.close_question), _live),
    e.CopilotAsked: (),
    e.CopilotAnswered: (Together(h.show_answer),),
    e.CopilotChatRemoved: (),
    e.ToolCalled: (),
    e.ToolDenied: (),
    e.DraftGenerated: (_live,),
    e.DraftEdited: (_live,),
    e.ReplyIncidentNoted: (_live,),
    e.DraftApproved: (_live,),
    e.DraftRejected: (_live,),
    e.DraftReturned: (InTx(h.redraft), _live),
    e.DraftSuperseded: (_live,),
    e.DraftWithdrawn: (_live,),
    e.DraftExpired: (_live,),
    e.ApprovalRequested: (_live,),
    e.ApprovalDecided: (Outside(asking.carry_out_call, give_up=asking.give_up_call), _live),
    e.ApprovalCarriedOut: (_live,),
    e.ApprovalSnoozed: (_live,),
    e.ApprovalReturned: (_live,),
    e.ApprovalEscalated: (InTx(telling.tell_escalated_approval), _live),
    e.ApprovalAssigned: (InTx(telling.tell_assigned_approval), _live),
    e.MessageQueued: (
        Outside(h.deliver_message, give_up=h.fail_message),
        InTx(h.yield_to_author),
        _live,
    ),
    e.MessageSent: (
        _live,
        InTx(h.record_interaction),
        InTx(h.advance_records),
        InTx(h.yield_to_author),
        Outside(h.keep_sent_copy),
        InTx(remembering.remember_message),
        InTx(following.note_said),
        _messages_found,
    ),
    e.MessageFailed: (_live,),
    e.MessageUnknown: (_live,),
    e.MessageCancelled: (_live,),
    e.ConversationImported: (_live, InTx(remembering.remember_conversation), _messages_found),
    e.ConversationDeleted: (_live, _messages_found),
    e.ConversationRead: (_live,),
    e.ConversationAssigned: (InTx(h.yield_to_holder), InTx(telling.tell_holder), _live),
    e.ConversationSnoozed: (_live,),
    e.ConversationResolved: (InTx(assigning.assign_waiting), _live),
    e.ConversationReopened: (_live,),
    e.ConversationHandedOff: (InTx(assigning.assign_handed_off), _live),
    e.ConversationUnassigned: (_live,),
    e.FactAsserted: (_graph,),
    e.FactRetracted: (_graph,),
    e.DocumentAdded: (_reading, _live),
    e.DocumentReplaced: (_reading, _live),
    e.DocumentRemoved: (InTx(h.follow_document), _live, _found),
    e.DocumentRestored: (_reading, _live, _found),
    e.DocumentPublished: (InTx(h.follow_document), _live),
    e.DocumentWithheld: (InTx(h.follow_document), _live),
    e.DocumentRead: (_live, _found),
    e.DocumentRefused: (_live,),
    e.ContactCreated: (InTx(h.record_employment), InTx(h.note_matches), _graph, _found, _live),
    e.ContactUpdated: (InTx(h.record_employment), InTx(h.note_matches), _graph, _found, _live),
    e.ContactDeleted: (_graph, _found, _live),
    e.ContactMerged: _merging,
    e.ContactUnmerged: _merging,
    e.DuplicateDismissed: (),
    e.CompanyMerged: _merging,
    e.CompanyUnmerged: _merging,
    e.CompanyCreated: (InTx(h.note_company_matches), _graph, _found, _live),
    e.CompanyUpdated: (InTx(h.note_company_matches), _graph, _found, _live),
    e.CustomFieldCreated: (),
    e.CustomFieldUpdated: (InTx(finding.index_custom_field),),
    e.TagCreated: (),
    e.TagUpdated: (_tagged,),
    e.TagMerged: (_tagged,),
    e.TagRemoved: (_tagged,),
    e.SegmentCreated: (),
    e.SegmentUpdated: (),
    e.ViewCreated: (),
    e.ViewUpdated: (),
    e.UserCreated: (_graph,),
    e.UserLoggedIn: (),
    e.UserLoggedOut: (),
    e.UserUpdated: (_graph,),
    e.PasswordChanged: (),
    e.SignInLocked: (),
    e.IdentityLinked: (),
    e.IdentityUnlinked: (),
    e.IdentityProviderSet: (),
    e.IdentityProviderRemoved: (),
    e.SecondFactorEnabled: (),
    e.SecondFactorDisabled: (),
    e.RecoveryCodesRenewed: (),
    e.RecoveryCodeUsed: (),
    e.PasswordResetRequested: (),
    e.SignUpRequested: (),
    e.SystemMailQueued: (Outside(mailing.send_system_mail, give_up=mailing.fail_system_mail),),
    e.SystemMailSettled: (),
    e.SessionOpened: (),
    e.SessionRevoked: (),
    e.SessionReused: (),
    e.TeamMemberInvited: (),
    e.InvitationRevoked: (),
    e.TeamMemberAdded: (_graph,),
    e.MemberUpdated: (),
    e.TeamMemberRemoved: (),
    e.TeamCreated: (),
    e.TeamUpdated: (),
    e.TeamDeleted: (),
    e.ApiKeyCreated: (),
    e.ApiKeyRevoked: (),
    e.OrganizationCreated: (),
    e.OrganizationTransferred: (),
    e.OrganizationClosed: (),
    e.OrganizationKept: (),
    e.OrganizationUpdated: (),
    e.AssignmentRuleCreated: (InTx(assigning.assign_waiting),),
    e.AssignmentRuleUpdated: (InTx(assigning.assign_waiting),),
    e.AssignmentRuleRemoved: (),
    e.PolicyUpdated: (_live,),
    e.WebhookCreated: (),
    e.WebhookUpdated: (),
    e.WebhookDisabled: (InTx(telling.tell_webhook),),
    e.WebhookRemoved: (),
    e.WebhookTested: (),
    e.WebhookRetried: (),
    e.LanguageModelSet: (),
    e.LanguageModelRemoved: (),
    e.BidiCreated: (),
    e.BidiUpdated: (InTx(assigning.assign_waiting),),
    e.BidiPaused: (InTx(assigning.reassign_seat), _live),
    e.BidiResumed: (InTx(assigning.assign_waiting), _live),
    e.BidiArchived: (InTx(assigning.reassign_seat), _live),
    e.ChannelAccountConnected: (),
    e.ChannelAccountDisconnected: (),
    e.ChannelAccountRestricted: (),
    e.PipelineCreated: (),
    e.PipelineUpdated: (_live,),
    e.LeadCreated: (InTx(assigning.assign_lead), _live, _found),
    e.LeadUpdated: (_live, _found),
    e.LeadDeleted: (_live, _found),
    e.LeadRestored: (_live, _found),
    e.LeadStageChanged: (_live,),
    e.LeadConverted: (_live,),
    e.LeadSlaBreach: (_live,),
    e.DealCreated: (InTx(h.advance_records), _paid, _live, _found),
    e.DealUpdated: (_live, _found),
    e.DealDeleted: (_paid, _live, _found),
    e.DealRestored: (_paid, _live, _found),
    e.DealStageChanged: (InTx(following.note_moved), _paid, _live),
    e.CommissionEarned: (),
    e.CommissionTakenBack: (),
    e.DealClosed: (InTx(h.advance_records),),
    e.DealSlaBreach: (InTx(following.follow_deal), _live),
    e.TaskCreated: (_live, _found),
    e.TaskUpdated: (_live, _found),
    e.TaskAssigned: (InTx(telling.tell_assigned),),
    e.TaskCompleted: (InTx(h.advance_records), _live),
    e.TaskReopened: (_live,),
    e.TaskRemoved: (_live, _found),
    e.TaskRestored: (_live, _found),
    e.TaskDue: (InTx(telling.tell_due_task), _live),
    e.TaskReminded: (InTx(telling.tell_reminder),),
    e.NoteCreated: (_live, _found),
    e.NoteUpdated: (_live, _found),
    e.NoteRemoved: (_live, _found),
    e.NoteRestored: (_live, _found),
    e.MeetingCreated: (_live, _found),
    e.MeetingUpdated: (_live, _found),
    e.MeetingPlanned: (_live, _found),
    e.MeetingHeld: (_live, _found),
    e.MeetingCancelled: (_live, _found),
    e.MeetingMissed: (_live, _found),
    e.MeetingRemoved: (_live, _found),
    e.MeetingRestored: (_live, _found),
    e.MeetingDue: (InTx(telling.tell_meeting),),
    e.FileAdded: (_live, _found),
    e.FileRemoved: (_live, _found),
    e.FileRestored: (_live, _found),
    e.NotificationCreated: (_live,),
    e.NotificationsRead: (_live,),
    e.TriggerExecuted: (),
    e.ImportCreated: (),
    e.ImportPrepared: (),
    e.ImportStarted: (_live,),
    e.ImportProgressed: (_live, Outside(importing.project_chunk), Outside(importing.index_chunk)),
    e.ImportFinished: (InTx(h.match_imported), _live),
    e.ImportUndone: (_live,),
    e.BulkEditCreated: (_live,),
    e.BulkEditProgressed: (_live,),
    e.BulkEditFinished: (_live,),
    e.BulkEditUndone: (_live,),
    e.EvaluationStarted: (),
    e.EvaluationFinished: (),
    e.EvaluationJudged: (),
    e.SuggestionMade: (_live,),
    e.SuggestionAccepted: (_live,),
    e.SuggestionDismissed: (_live,),
    e.SuggestionExpired: (_live,),
    e.PromiseNoted: (_live,),
    e.PromiseDue: (InTx(following.follow_promise),),
    e.PromiseKept: (InTx(following.note_kept), _live),
    e.PromiseDropped: (InTx(following.note_kept), _live),
}

# Whatever the organization's other programs may be told of is offered to its webhooks, after everything else.
_offered = Together(webhooks.offer_to_webhooks)
ROUTES = {
    event: (*handlers, _offered) if event.name in EVENT_TYPES else handlers
    for event, handlers in _ROUTES.items()
}

# Kind of due work -> handler. `channel.listen` is held by worker/listeners.py.
DUE: dict[str, Handler] = {
    "audit.seal": InTx(auditing.seal_events),
    "audit.anchor": Outside(auditing.anchor_chain),
    "audit.verify": Outside(auditing.verify_chain, give_up=auditing.give_up_verification),
    "run.quiet": InTx(h.release_run),
    "run.leave": InTx(h.end_visit),
    "message.release": InTx(h.release_message),
    "conversation.wake": InTx(h.wake_conversation),
    "approval.return": InTx(h.return_approval),
    "approval.expire": InTx(asking.expire_approval),
    "approval.escalate": InTx(asking.escalate_approval),
    "lead.sla": InTx(h.note_slow_lead),
    "deal.sla": InTx(h.note_slow_deal),
    "deal.stalled": InTx(following.follow_deal),
    "conversation.rest": InTx(following.read_at_rest),
    "promise.due": InTx(following.note_due_promise),
    "suggestion.expire": InTx(following.expire_suggestion),
    "task.due": InTx(telling.note_due_task),
    "task.remind": InTx(telling.note_reminder),
    "meeting.remind": InTx(telling.note_meeting),
    "answers.forget": InTx(h.forget_answers),
    "model_exchange.forget": InTx(h.forget_exchanges),
    "sign_up.forget": InTx(mailing.forget_sign_up),
    "organization.remove": Outside(removing.remove_organization),
    "organization.tidy": Outside(tidying.tidy_organization),
    "webhook.deliver": Outside(webhooks.deliver_webhook, give_up=webhooks.give_up_delivery),
    "webhook.forget": InTx(webhooks.forget_deliveries),
    "memory.remember": InTx(remembering.remember_conversation),
    "memory.embed": Outside(remembering.embed_memories),
    "search.catch_up": Outside(finding.catch_up_search),
    "search.look_again": Outside(finding.look_again),
    "contacts.match": Outside(matching.match_contacts),
    "companies.match": Outside(matching.match_companies),
    "search.tidy": InTx(finding.tidy_search),
    "bulk.work": Outside(bulk.work_on_bulk_edit, give_up=bulk.fail_bulk_edit),
    "privacy.work": Outside(privacy.work_on_privacy, give_up=privacy.fail_privacy),
    "privacy.forget": Outside(privacy.forget_export),
    "run.replay": Outside(replaying.play_replay, give_up=replaying.fail_replay),
    "eval.case": Outside(evaluating.play_eval_case, give_up=evaluating.fail_eval_case),
    "import.work": Outside(importing.work_on_import, give_up=importing.fail_import),
    "import.forget": Outside(importing.forget_file),
}


@cache
def names_by_event() -> dict[str, tuple[str, ...]]:
    """Event name -> handler names, in order."""
    return {kind.name: tuple(handler.name for handler in handlers) for kind, handlers in ROUTES.items()}


@cache
def unordered_handlers() -> tuple[str, ...]:
    """Handlers that look at how things are now, so that the order of their deliveries does not matter."""
    return tuple(name for name, handler in _by_name().items() if isinstance(handler, Together))


@cache
def _by_name() -> dict[str, Handler]:
    return {handler.name: handler for handlers in ROUTES.values() for handler in handlers}


def pieces_per_job(work: Delivery | DueWork) -> int:
    """How many pieces of this handler's work may go to a worker at once: rows-only work is short."""
    match handler_of(work):
        case Together():
            return 50
        case InTx():
            return 10
        case _:
            return 1


def handler_of(work: Delivery | DueWork) -> Handler | None:
    """The handler of a claimed piece of work, or None when no route names it any more."""
    if isinstance(work, Delivery):
        return _by_name().get(work.handler)
    return DUE.get(work.kind)
