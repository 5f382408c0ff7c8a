"""What an agent did in a room, as it is kept when the room is gone."""

from dataclasses import asdict

from pydantic import JsonValue

from core.jsons import dumps, loads
from crm.conversations.models import Conversation
from crm.copilot.models import Question
from crm.drafts.models import Draft
from crm.runs.models import Run
from crm.runs.tool_calls import ToolCall
from evals.arena import Played
from evals.rows import in_words
from evals.scorers.rows import BOOKS


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
        "handoff": _handoff(played.conversation) if played.conversation else None,
        "answer": _answer(played.answer) if played.answer else None,
        "changes": None
        if played.changes is None
        else [in_words(change) for change in played.changes if change.table not in BOOKS],
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


def _handoff(conversation: Conversation) -> dict[str, object]:
    return {
        "reason": conversation.handoff_reason,
        "summary": conversation.handoff_summary,
        "next_step": conversation.handoff_next_step,
    }


def _answer(question: Question) -> dict[str, object]:
    return {
        "question": question.question,
        "answer": question.answer,
        "reason": question.reason,
        "citations": question.citations,
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
