"""How a run stands before a call of it: everything that is asked about its calls so far, in one statement.

Dispatch asks it for every call of every run, so what one answer costs is what a call costs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core import jsons
from core.db import Tx
from crm.bidi.models import Autonomy
from crm.policy.matrix import Overrides
from crm.policy.models import Decision
from events.ids import RunId


@dataclass(frozen=True)
class Footing:
    """`is_held`: the run still runs under this fence. `is_recorded`: there is a call under this key.

    `is_tainted`: it was before, or has got an answer of a tool that returns text from outside. `was_refused`: this very
    call was. `overrides` are what the organization decides otherwise than the product.
    """

    is_held: bool
    is_recorded: bool
    is_tainted: bool
    was_refused: bool
    calls: int
    changed: list[list[str]]

    @property
    def overrides(self) -> Overrides:
        return {(rule, Autonomy(autonomy)): Decision(one) for rule, autonomy, one in self.changed}


async def get_footing(
    tx: Tx,
    run_id: RunId,
    fence: int,
    *,
    call_key: str,
    tool: str,
    arguments: Mapping[str, Any],
    untrusted_tools: Sequence[str],
) -> Footing:
    """How the run stands now; ask in the run's turn (`tool_calls.turn_of`)."""
    return await tx.one(
        Footing,
        """
        SELECT EXISTS (SELECT FROM runs WHERE id = %(run_id)s AND fence = %(fence)s AND status = 'running') AS is_held,
               coalesce(bool_or(call_key = %(call_key)s), false) AS is_recorded,
               coalesce(bool_or(is_tainted OR status NOT IN ('refused', 'asked') AND tool = ANY(%(untrusted)s)), false)
                   AS is_tainted,
               coalesce(bool_or(status = 'refused' AND tool = %(tool)s AND arguments = %(arguments)s::jsonb), false)
                   AS was_refused,
               count(*) AS calls,
               (SELECT coalesce(jsonb_agg(jsonb_build_array(rule, autonomy, decision)), '[]') FROM policy_overrides)
                   AS changed
          FROM tool_calls
         WHERE run_id = %(run_id)s
        """,
        run_id=run_id,
        fence=fence,
        call_key=call_key,
        tool=tool,
        arguments=jsons.dumps(arguments),
        untrusted=list(untrusted_tools),
    )
