"""How pages call roles, and what each permission lets somebody do."""

from collections.abc import Mapping

from crm.identity.roles import Area, Reach, Role
from web.phrases import N_

ROLES: Mapping[Role, str] = {
    Role.OWNER: N_("The owner"),
    Role.ADMIN: N_("Administrator"),
    Role.SUPERVISOR: N_("Supervisor"),
    Role.BIDI: N_("Seat"),
    Role.VIEWER: N_("Viewer"),
}
PURPOSES: Mapping[Role, str] = {
    Role.OWNER: N_("Everything, and whether the organization goes on."),
    Role.ADMIN: N_("Everything but handing over and deleting the organization."),
    Role.SUPERVISOR: N_("Everybody's records and conversations, and what agents are told."),
    Role.BIDI: N_("Their own contacts, conversations and deals."),
    Role.VIEWER: N_("Looks at everything in the CRM and changes nothing."),
}
REACHES: Mapping[Reach, str] = {Reach.ALL: N_("yes"), Reach.OWN: N_("their own"), Reach.NONE: N_("no")}
AREAS: Mapping[Area, str] = {
    "workspace": N_("The organization"),
    "records": N_("Records"),
    "conversations": N_("Conversations"),
    "agents": N_("Agents"),
    "setting_up": N_("Setting up"),
    "personal": N_("Personal"),
}
PERMISSIONS: Mapping[str, str] = {
    "organization:read": N_("See the organization"),
    "organization:write": N_("Change the organization's settings"),
    "organization:transfer": N_("Hand the organization over"),
    "organization:delete": N_("Delete the organization"),
    "team:read": N_("See the members"),
    "team:manage": N_("Invite, change and remove members"),
    "records:export": N_("Export data"),
    "audit:read": N_("Read the audit"),
    "privacy:manage": N_("Export and erase what is known about a person"),
    "crm:read": N_("See seats, rules and what is going on"),
    "contacts:read": N_("See contacts"),
    "contacts:write": N_("Change contacts"),
    "companies:read": N_("See companies"),
    "companies:write": N_("Change companies"),
    "leads:read": N_("See leads"),
    "leads:write": N_("Change leads"),
    "deals:read": N_("See deals"),
    "deals:write": N_("Change deals"),
    "graph:read": N_("Ask who knows whom"),
    "facts:read": N_("See facts and relationships"),
    "facts:write": N_("Note and correct facts"),
    "tasks:read": N_("See tasks"),
    "tasks:write": N_("Give and do tasks"),
    "meetings:read": N_("See meetings"),
    "meetings:write": N_("Arrange meetings"),
    "notes:read": N_("Read notes"),
    "notes:write": N_("Write notes"),
    "files:read": N_("Open files"),
    "files:write": N_("Add and remove files"),
    "views:write": N_("Keep views and segments"),
    "conversations:read": N_("Read conversations"),
    "conversations:write": N_("Mark, snooze, resolve and hand over conversations"),
    "messages:send": N_("Write messages"),
    "drafts:write": N_("Propose drafts"),
    "drafts:approve": N_("Approve what agents propose"),
    "approvals:write": N_("Take back what was asked of people"),
    "suggestions:write": N_("Make suggestions"),
    "knowledge:read": N_("Read the knowledge"),
    "knowledge:write": N_("Change the knowledge"),
    "bidi:instruct": N_("Write what agents are told"),
    "bidi:manage": N_("Make, change and stop seats"),
    "policy:manage": N_("Say what agents may do"),
    "automation:manage": N_("Make triggers"),
    "language_models:manage": N_("Choose language models"),
    "evaluations:read": N_("See evaluations"),
    "evaluations:write": N_("Run evaluations"),
    "channel_accounts:manage": N_("Connect channels"),
    "fields:write": N_("Make custom fields and tags"),
    "pipelines:write": N_("Change pipelines"),
    "imports:write": N_("Import tables"),
    "webhooks:manage": N_("Connect webhooks"),
    "api_keys:manage": N_("See and revoke everybody's API keys"),
    "api_keys:write": N_("Make API keys"),
}
HELD: Mapping[str, str] = {
    "contacts": N_("Contacts"),
    "companies": N_("Companies"),
    "leads": N_("Leads"),
    "deals": N_("Deals"),
    "tasks": N_("Tasks"),
    "conversations": N_("Conversations"),
    "agents": N_("Agents"),
}
