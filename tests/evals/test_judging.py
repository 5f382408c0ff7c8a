"""ragas judges in a process of its own: it asks our model, and a judge that fails is a failure and no value."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from agents.llm.base import ModelReply, ModelRequest, ModelUnavailable
from evals.judging.judge import Judge, JudgeFailed, Sample, judging
from evals.judging.samples import METRICS
from infra.evaluation.ragas import interpreter
from memory.embeddings.base import EmbeddingsAway
from memory.embeddings.fake import FakeEmbedder
from memory.embeddings.remote import NoEmbedder

pytestmark = pytest.mark.xdist_group("ragas")
CONTEXTS = ["Price list: 40 scanners cost 17 euros each a month", "Terms: delivery takes 5 working days"]
ASKED = "What do 40 scanners cost?"


class LiteralJudge:
    """A judge that reads literally: a statement follows when its words stand in the context."""

    label, context_tokens = "literal", 32_768

    def __init__(self, answer: Callable[[str, ModelRequest], Any] | None = None) -> None:
        self.asked: list[ModelRequest] = []
        self._answer = answer or self._read

    async def complete(self, request: ModelRequest) -> ModelReply:
        self.asked.append(request)
        answer = self._answer(str(request.schema["title"]), request)
        return ModelReply(answer if isinstance(answer, str) else json.dumps(answer))

    def _read(self, wanted: str, request: ModelRequest) -> Any:
        given = _given(request)
        match wanted:
            case "StatementGeneratorOutput":
                return {"statements": [part.strip() for part in given["answer"].split(".") if part.strip()]}
            case "NLIStatementOutput":
                return {"statements": [_verdict(one, given["context"]) for one in given["statements"]]}
            case "AnswerRelevanceOutput":
                return {"question": ASKED, "noncommittal": 0}
            case "ContextPrecisionOutput":
                return {"reason": "read", "verdict": int("17 euros" in given["context"])}
            case "ContextRecallOutput":
                said = [part.strip() for part in given["answer"].split(".") if part.strip()]
                return {
                    "classifications": [
                        {"statement": one, "reason": "read", "attributed": int(one in given["context"])}
                        for one in said
                    ]
                }
            case "WorkflowOutput":
                return {"user_goal": "a price", "end_state": "17 euros each a month"}
            case "CompareOutcomeOutput":
                return {"reason": "read", "verdict": str(int("17 euros" in given["desired_outcome"]))}
            case "TopicExtractionOutput":
                return {"topics": ["prices"]}
            case "TopicRefusedOutput":
                return {"refused_to_answer": False}
            case "TopicClassificationOutput":
                return {"classifications": [True]}
        raise AssertionError(f"an answer of the schema {wanted} was not foreseen: {request.schema}")


def _given(request: ModelRequest) -> dict[str, Any]:
    """What ragas asks about: the last JSON object of its prompt."""
    prompt = request.messages[0].text
    found, decoder = {}, json.JSONDecoder()
    for at, letter in enumerate(prompt):
        if letter == "{":
            try:
                told, _ = decoder.raw_decode(prompt[at:])
            except ValueError:
                continue
            if isinstance(told, dict) and "properties" not in told:
                found = told
    return found


def _verdict(statement: str, context: str) -> dict[str, Any]:
    return {"statement": statement, "reason": "read", "verdict": int(statement in context)}


@pytest.fixture(scope="module")
async def at_work() -> AsyncIterator[Judge]:
    """One process for all, started beside secrets that are none of its business."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPENAI_API_KEY", "sk-of-the-operator")
        environment.setenv("DATABASE_URL", "postgresql://somewhere")
        async with judging(interpreter(), LiteralJudge(), FakeEmbedder(), seed=7) as judge:
            yield judge


@pytest.fixture
def judge(at_work: Judge) -> Judge:
    """The same process before a new literal judge, which a test may put another in the place of."""
    at_work.model, at_work.embedder = LiteralJudge(), FakeEmbedder()
    return at_work


async def test_what_the_context_does_not_say_is_not_faithful(judge: Judge) -> None:
    true, invented = "40 scanners cost 17 euros each a month", "they come with a free car"
    judge.model = literal = LiteralJudge()
    told = [await judge.judge(_faithfulness(reply)) for reply in (true, f"{true}. {invented}")]

    assert [one.value for one in told] == [1.0, 0.5]
    assert {request.seed for request in literal.asked} == {7}


def test_the_prompts_of_every_metric_are_told_with_their_hash(judge: Judge) -> None:
    told = {metric: judge.prompts[metric] for metric in METRICS}

    assert all(one["text"] and len(one["sha256"]) == 64 for one in told.values())  # type: ignore[index,call-overload,arg-type]
    assert len({one["sha256"] for one in told.values()}) == len(METRICS)  # type: ignore[index,call-overload]


async def test_every_metric_has_its_value(judge: Judge) -> None:
    reply = "40 scanners cost 17 euros each a month"
    talk: list[JsonValue] = [
        {"role": "human", "text": ASKED},
        {"role": "agent", "text": "", "calls": [{"name": "list_facts", "args": {"limit": 5}}]},
        {"role": "tool", "text": CONTEXTS[0]},
        {"role": "agent", "text": reply, "calls": []},
    ]
    about: dict[str, JsonValue] = {"user_input": ASKED, "reference": reply, "retrieved_contexts": [*CONTEXTS]}
    fields: dict[str, dict[str, JsonValue]] = {
        "answer_relevancy": {"user_input": ASKED, "response": reply},
        "context_precision": about,
        "context_recall": about,
        "agent_goal_accuracy": {"user_input": talk, "reference": "The answer says 17 euros"},
        "topic_adherence": {"user_input": talk, "reference_topics": ["prices"]},
    }
    told = {metric: await judge.judge(Sample("one", metric, fields[metric])) for metric in fields}

    assert {metric: round(one.value or 0, 3) for metric, one in told.items()} == dict.fromkeys(told, 1.0)


@pytest.mark.parametrize("broken", ["no JSON", '{"statements": "none"}'])
async def test_a_judge_that_answers_nonsense_has_failed(judge: Judge, broken: str) -> None:
    judge.model = LiteralJudge(lambda *_: broken)
    told = await judge.judge(_faithfulness("40 scanners cost 17 euros"))

    assert told.value is None
    assert "validation error" in told.failure.lower()


async def test_a_model_that_is_away_is_a_failure_with_its_reason(judge: Judge) -> None:
    def away(*_: object) -> str:
        raise ModelUnavailable("the endpoint is overloaded")

    judge.model = LiteralJudge(away)
    told = await judge.judge(_faithfulness("40 scanners cost 17 euros"))

    assert (told.value, "overloaded" in told.failure) == (None, True)


async def test_without_embeddings_relevancy_fails_and_says_why(judge: Judge) -> None:
    judge.embedder = NoEmbedder()
    with pytest.raises(EmbeddingsAway) as away:
        await judge.embedder.embed_queries(["a question"])
    fields: dict[str, JsonValue] = {"user_input": ASKED, "response": "17 euros"}
    told = await judge.judge(Sample("one", "answer_relevancy", fields))

    assert str(away.value) in told.failure


def test_the_process_has_no_key_of_ours(judge: Judge) -> None:
    told = Path(f"/proc/{judge.process.pid}/environ").read_bytes()

    assert b"sk-of-the-operator" not in told
    assert b"postgresql" not in told


async def test_a_process_that_ends_is_told(at_work: Judge) -> None:
    at_work.process.kill()
    with pytest.raises(JudgeFailed):
        await at_work.judge(_faithfulness("40 scanners cost 17 euros"))


def _faithfulness(reply: str) -> Sample:
    fields: dict[str, JsonValue] = {
        "user_input": ASKED,
        "response": reply,
        "retrieved_contexts": [*CONTEXTS],
    }
    return Sample("one", "faithfulness", fields)
