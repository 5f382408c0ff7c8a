"""Every tool of the product, by name: what a seat may call is the part of it that its scopes allow."""

from typing import Any

from pydantic import BaseModel, JsonValue

from core.principal import Principal
from tools import (
    briefs,
    bulk_edits,
    colleagues,
    companies,
    contacts,
    conversations,
    deals,
    drafts,
    duplicates,
    facts,
    figures,
    graph,
    leads,
    meetings,
    memory,
    notes,
    pipelines,
    promised,
    records,
    requests,
    search,
    segments,
    suggestions,
    tasks,
)
from tools.base import Impact, Tool

TOOLS: tuple[Tool[Any], ...] = (
    contacts.get_contact,
    contacts.find_contacts,
    contacts.list_contacts,
    contacts.create_contact,
    contacts.update_contact,
    contacts.add_handle,
    contacts.suppress_contact,
    duplicates.find_duplicates,
    companies.get_company,
    companies.find_companies,
    companies.list_companies,
    companies.create_company,
    companies.update_company,
    records.get_record,
    search.search_records,
    records.tag_record,
    segments.list_segments,
    segments.count_segment,
    bulk_edits.propose_bulk_edit,
    pipelines.list_pipelines,
    leads.list_leads,
    leads.create_lead,
    leads.move_lead_stage,
    leads.convert_lead,
    deals.list_deals,
    deals.find_deals,
    deals.create_deal,
    deals.update_deal,
    deals.update_deal_next_step,
    deals.move_deal_stage,
    deals.list_stakeholders,
    deals.add_stakeholder,
    conversations.list_conversations,
    conversations.read_conversation,
    conversations.hand_off_conversation,
    drafts.draft_reply,
    drafts.send_reply,
    drafts.withdraw_draft,
    requests.withdraw_request,
    promised.list_promises,
    promised.note_promise,
    promised.keep_promise,
    suggestions.suggest_next_step,
    tasks.create_task,
    tasks.list_tasks,
    tasks.find_tasks,
    tasks.update_task,
    tasks.complete_task,
    notes.create_note,
    notes.list_notes,
    meetings.list_meetings,
    meetings.find_meetings,
    meetings.plan_meeting,
    meetings.close_meeting,
    facts.list_facts,
    facts.remember_fact,
    graph.relationship_neighbourhood,
    graph.find_introduction,
    graph.who_knows,
    briefs.brief_contact,
    colleagues.list_colleagues,
    colleagues.assign_record,
    figures.summarize_records,
    memory.recall,
    memory.recall_anywhere,
)

BY_NAME = {tool.name: tool for tool in TOOLS}


def tools_for(principal: Principal) -> list[Tool[BaseModel]]:
    """The tools whose scope this seat holds."""
    return [tool for tool in TOOLS if principal.may(tool.scope)]


def describe(tool: Tool[BaseModel]) -> dict[str, JsonValue]:
    """One tool as data: what `getsale tools --json` prints and what a model is shown."""
    return {
        "name": tool.name,
        "description": tool.description,
        "arguments": tool.arguments.model_json_schema(),
        "scope": tool.scope,
        "risk": tool.risk.value,
        "reach": tool.reach.value,
        "impact": tool.impact.value if isinstance(tool.impact, Impact) else "depends on the arguments",
        "returns_untrusted": tool.returns_untrusted,
        "is_counterpart_safe": tool.is_counterpart_safe,
    }
