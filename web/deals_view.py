"""Turns deals into what the board shows: columns with sums, and cards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.db import Tx
from core.pagination import Page
from crm.deals.board import CARDS, Card, Sum, list_cards, sum_stages
from crm.identity.queries import Member, list_members
from crm.pipelines.models import Pipeline, Stage
from crm.pipelines.queries import list_pipelines, list_stages


@dataclass(frozen=True)
class Column:
    stage: Stage
    deals: int
    sums: list[Sum]
    cards: Page[Card]


@dataclass(frozen=True)
class Total:
    """The open deals of one currency; `likely_minor` weighs each by its probability."""

    currency: str
    amount_minor: int
    likely_minor: int


@dataclass(frozen=True)
class Board:
    pipeline: Pipeline
    pipelines: list[Pipeline]
    stages: list[Stage]
    members: list[Member]
    owner_id: UUID | None
    columns: list[Column]
    totals: list[Total]
    open_deals: int

    @property
    def query(self) -> str:
        """The filter of the board, to come back to it."""
        owner = f"&owner={self.owner_id}" if self.owner_id else ""
        return f"pipeline={self.pipeline.id}{owner}"


async def load_board(
    tx: Tx,
    pipeline_id: UUID | None,
    owner_id: UUID | None,
    *,
    stage_id: UUID | None = None,
    cursor: str | None = None,
    shown: Mapping[UUID, int] | None = None,
) -> Board | None:
    """The board of a pipeline, the first one when none is named; None when there is no pipeline yet.

    With `stage_id` only that stage is shown, from its cursor on; `shown` is how many cards of which stages are
    wanted at least.
    """
    pipelines = await list_pipelines(tx)
    pipeline = next((one for one in pipelines if one.id == pipeline_id), pipelines[0] if pipelines else None)
    if pipeline is None:
        return None
    stages = await list_stages(tx, pipeline.id)
    wanted = [stage for stage in stages if stage_id in (None, stage.id)]
    most = {stage.id: (shown or {}).get(stage.id, CARDS) for stage in wanted}
    sums = await sum_stages(tx, pipeline.id, owner_id)
    cards = await list_cards(tx, most, owner_id, cursor=cursor)
    open_ids = {stage.id for stage in stages if stage.is_open}
    return Board(
        pipeline,
        pipelines,
        stages,
        await list_members(tx),
        owner_id,
        [_column(stage, sums, cards[stage.id]) for stage in wanted],
        _totals([one for one in sums if one.stage_id in open_ids]),
        sum(one.deals for one in sums if one.stage_id in open_ids),
    )


def _column(stage: Stage, sums: Sequence[Sum], cards: Page[Card]) -> Column:
    own = [one for one in sums if one.stage_id == stage.id]
    return Column(stage, sum(one.deals for one in own), own, cards)


def _totals(sums: Sequence[Sum]) -> list[Total]:
    currencies = dict.fromkeys(one.currency for one in sums)
    return [
        Total(
            currency,
            sum(one.amount_minor for one in sums if one.currency == currency),
            sum(one.likely_minor for one in sums if one.currency == currency),
        )
        for currency in currencies
    ]
