"""What an endpoint is told: that something happened to a record, and where the API shows it. No contents.

docs/decisions says why. Source: Standard Webhooks, "Payload structure".
"""

from uuid import UUID

from core import clock, jsons
from crm.webhooks.models import TEST
from events.outbox import Recorded

# Where the API shows the records that events are about.
PLACES = {
    "assignment_rule": "/api/v1/assignment-rules/{id}",
    "approval": "/api/v1/approvals/{id}",
    "bulk_edit": "/api/v1/bulk-edits/{id}",
    "company": "/api/v1/companies/{id}",
    "contact": "/api/v1/contacts/{id}",
    "conversation": "/api/v1/conversations/{id}",
    "custom_field": "/api/v1/custom-fields/{id}",
    "deal": "/api/v1/deals/{id}",
    "file": "/api/v1/files/{id}",
    "import": "/api/v1/imports/{id}",
    "lead": "/api/v1/leads/{id}",
    "meeting": "/api/v1/meetings/{id}",
    "note": "/api/v1/notes/{id}",
    "pipeline": "/api/v1/pipelines/{id}",
    "promise": "/api/v1/promises/{id}",
    "run": "/api/v1/runs/{id}",
    "segment": "/api/v1/segments/{id}",
    "suggestion": "/api/v1/suggestions/{id}",
    "tag": "/api/v1/tags/{id}",
    "task": "/api/v1/tasks/{id}",
    "view": "/api/v1/saved-views/{id}",
}


def of_event(event: Recorded) -> str:
    """The body of a delivery; it stays the same through all its attempts."""
    return jsons.dumps(
        {
            "type": event.type,
            "timestamp": event.occurred_at.isoformat(),
            "data": {
                "id": event.id,
                "organization_id": event.organization_id,
                "subject": _subject(event.subject_kind, event.subject_id),
                "actor": {"kind": event.actor_kind, "id": event.actor_id},
                "run_id": event.run_id,
                "ids": event.data,
            },
        }
    )


def _subject(kind: str, id: UUID) -> dict[str, object]:
    place = PLACES.get(kind)
    return {"kind": kind, "id": id, "url": place.format(id=id) if place else None}


def of_test(organization_id: UUID, webhook_id: UUID) -> str:
    data = {"organization_id": organization_id, "subject": _subject("webhook", webhook_id)}
    return jsons.dumps({"type": TEST, "timestamp": clock.now().isoformat(), "data": data})
