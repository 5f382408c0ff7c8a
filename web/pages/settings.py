"""Settings: every page where the organization is set up, with what it is for."""

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from crm.commissions import queries
from crm.conversations.inbox import count_folders
from web.phrases import N_
from web.viewer import CurrentSession

router = APIRouter(prefix="/settings")


@dataclass(frozen=True)
class SettingsPage:
    """One page of settings; `scope` is what it takes to change anything there, unless it is a partner's own too."""

    href: str
    icon: str
    label: str
    purpose: str
    scope: str = ""
    is_for_partners: bool = False


PAGES = (
    SettingsPage(
        "/settings/organization",
        "company",
        N_("Organization"),
        N_("Name, language, time zone, working hours, holidays, how long things are kept, and whose it is."),
    ),
    SettingsPage(
        "/settings/members",
        "contacts",
        N_("Members"),
        N_("Who works here and with which role, who was invited, and who leaves."),
    ),
    SettingsPage(
        "/settings/teams",
        "contacts",
        N_("Teams"),
        N_("Who works together under which name, and who leads them."),
    ),
    SettingsPage(
        "/settings/roles",
        "lock",
        N_("What each role may do"),
        N_("Every permission, and how far it goes for each role."),
    ),
    SettingsPage(
        "/settings/sign-in",
        "lock",
        N_("Sign-in service"),
        N_("Let your people sign in with your company's own service of OpenID Connect."),
        "organization:write",
    ),
    SettingsPage(
        "/settings/fields",
        "columns",
        N_("Custom fields"),
        N_("What you want to know of contacts, companies and deals beyond what is built in."),
        "fields:write",
    ),
    SettingsPage(
        "/settings/tags",
        "tag",
        N_("Tags"),
        N_("Rename, colour, merge and remove the words that stand on records."),
        "fields:write",
    ),
    SettingsPage(
        "/seats",
        "agent",
        N_("Seats"),
        N_("Who works here, people and agents: what each may do, how they do, and stopping them."),
    ),
    SettingsPage(
        "/commissions",
        "deals",
        N_("Commissions"),
        N_("What partners are owed for the deals that they won."),
        "bidi:manage",
        is_for_partners=True,
    ),
    SettingsPage(
        "/pipelines",
        "deals",
        N_("Pipelines"),
        N_("The stages of deals and leads, the rules of each, and what moves by itself."),
        "pipelines:write",
    ),
    SettingsPage(
        "/policy",
        "shield",
        N_("What agents may do"),
        N_("What each step of autonomy allows, asks about and refuses, and where you are stricter."),
    ),
    SettingsPage(
        "/imports",
        "link",
        N_("Import and export"),
        N_("Take tables over from files and other systems, undo that, and get everything out again."),
        "imports:write",
    ),
    SettingsPage(
        "/knowledge",
        "doc",
        N_("Knowledge"),
        N_("Documents from which agents answer, and what each may be told outside."),
    ),
    SettingsPage(
        "/settings/api-keys",
        "lock",
        N_("API keys"),
        N_("Let programs of yours read and write here, each with no more than it needs."),
    ),
    SettingsPage(
        "/settings/webhooks",
        "plane",
        N_("Webhooks"),
        N_("Have programs of yours told as soon as something happens here."),
        "webhooks:manage",
    ),
    SettingsPage(
        "/evaluations",
        "chart",
        N_("Evaluations"),
        N_("How well agents do on cases whose right outcome is known, and what they did in each."),
        "evaluations:read",
    ),
    SettingsPage(
        "/audit",
        "history",
        N_("Audit"),
        N_("Who did what, when and from where, and whether the record of it is whole."),
        "audit:read",
    ),
    SettingsPage(
        "/settings/privacy",
        "shield",
        N_("Privacy requests"),
        N_("What is known about a person as a file, and their erasure everywhere."),
        "privacy:manage",
    ),
    SettingsPage(
        "/trash",
        "trash",
        N_("Trash"),
        N_("What was deleted, by whom and when, and the way back."),
    ),
    SettingsPage("/preferences", "person", N_("Preferences"), N_("Your own language and theme.")),
)


@router.get("")
async def show_settings(session: CurrentSession) -> Response:
    is_partner = await queries.is_partner(session.tx)
    return session.page(
        "settings/index.html",
        section="settings",
        counts=await count_folders(session.tx),
        pages=[
            page
            for page in PAGES
            if not page.scope or session.principal.may(page.scope) or (is_partner and page.is_for_partners)
        ],
    )
