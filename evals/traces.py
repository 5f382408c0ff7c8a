"""What an agent did in a room, as it is kept when the room is gone."""

from dataclasses import asdict

from pydantic import JsonValue

from core.jsons import dumps, loads
from crm.drafts.models import Draft
from crm.runs.models import Run
from crm.runs.tool_calls import ToolCall
from evals.arena import Played


def trace_of(played: Played) -> dict[str, JsonValue]:
    """The run with its calls, the talk, the draft with its sources, and what is left."""
    trace: dict[str, object] = {
        "run": _run(played.run) if played.run else None,
        "messages": [
            {"direction": line.direction, "text": line.body, "at": line.occurred_at}
            for line in played.messages
        ],
        "calls": [_call(call) for call in played.calls],
        "draft": _draft(played.draft) if played.draft else None,
        "evidence": [asdict(evidence) for evidence in played.evidence],
        "handoff": {
            "reason": played.conversation.handoff_reason,
            "summary": played.conversation.handoff_summary,
            "next_step": played.conversation.handoff_next_step,
        },
        "state": played.state,
    }
    told: dict[str, JsonValue] = loads(dumps(trace))
    return told


def _run(run: Run) -> dict[str, object]:
    return {
        "id": run.id,
        "agent": run.agent,
        "status": run.status,
        "outcome": run.outcome,
        "reason": run.reason,
        "model": run.model,
        "steps": run.steps,
        "tokens_in": run.tokens_in,
        "tokens_out": run.tokens_out,
    }


def _call(call: ToolCall) -> dict[str, object]:
    return {
        "tool": call.tool,
        "arguments": call.arguments,
        "decision": call.decision,
        "status": call.status,
        "is_tainted": call.is_tainted,
        "error": call.error,
        "result": call.result,
    }


def _draft(draft: Draft) -> dict[str, object]:
    return {"body": draft.body, "language": draft.language, "flags": draft.flags}
