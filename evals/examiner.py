"""Plays planned cases: what a worker, or `getsale eval` itself, holds to work on an evaluation."""

from functools import cached_property

from agents.llm.models import ModelChoice, ModelFactory
from core.db import Database
from core.settings import Settings
from crm.evaluations.models import CaseResult, EvalCase, EvalRun
from evals.arena import Arena
from evals.planning import case_of, prompts_of
from evals.playing import Setup, play_case
from evals.suites import find_suite
from memory.embeddings.base import Embedder


class Examiner:
    """Plays cases in throw-away organizations of one database."""

    def __init__(
        self, db: Database, settings: Settings, models: ModelFactory, *, embedder: Embedder | None = None
    ) -> None:
        self._db = db
        self._settings = settings
        self._models = models
        self._embedder = embedder

    @cached_property
    def _arena(self) -> Arena:
        # most workers never play a case
        return Arena(self._db, self._settings, embedder=self._embedder)

    async def play(self, run: EvalRun, row: EvalCase) -> CaseResult:
        """What became of the case. Raises: Unprocessable for a model or a suite that is not there."""
        setup = Setup(self._models(ModelChoice(run.model)), prompts_of(run))
        return await play_case(self._arena, find_suite(run.suite), case_of(row), setup)
