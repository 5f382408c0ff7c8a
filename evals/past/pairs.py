"""Training pairs: what an agent wrote, what a person made of it, and everything that both had before them, as JSON Lines."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from core.errors import Unprocessable
from core.languages import Language
from evals.cases import Case, Decided, Expect


class Context(BaseModel):
    """What was to be answered, and what was known: `scene` as cases have it, history and facts among it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    burst: tuple[str, ...]
    scene: dict[str, JsonValue]


class Pair(BaseModel):
    """One decision. `text` is what went out, the draft itself where nobody changed it, empty where nothing did."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    language: Language
    intent: str
    decision: str
    reason: str
    draft: str
    text: str
    model: str
    prompt: str
    intents: tuple[str, ...]
    context: Context


def pair_of(case: Case) -> Pair:
    """Raises: ValueError for a case about which nobody decided."""
    if case.decided is None:
        raise ValueError(f"Nobody decided about the case {case.id}.")
    decided = case.decided
    return Pair(
        id=case.id,
        language=case.language,
        intent=case.stratum,
        decision=decided.outcome,
        reason=decided.reason,
        draft=decided.draft,
        text=case.expect.reply,
        model=decided.model,
        prompt=decided.prompt,
        intents=decided.intents,
        context=Context(burst=case.burst, scene=case.scene),
    )


def case_of_pair(pair: Pair) -> Case:
    """The case that a pair was made of. Raises: ValidationError."""
    decided = Decided.model_validate(
        {
            "outcome": pair.decision,
            "draft": pair.draft,
            "reason": pair.reason,
            "model": pair.model,
            "prompt": pair.prompt,
            "intents": pair.intents,
        }
    )
    return Case(
        id=pair.id,
        language=pair.language,
        stratum=pair.intent,
        scene=pair.context.scene,
        burst=pair.context.burst,
        expect=Expect(reply=pair.text),
        decided=decided,
    )


def write_pairs(cases: Sequence[Case]) -> str:
    """One line for each decision."""
    return "".join(pair_of(case).model_dump_json() + "\n" for case in cases)


def read_pairs(text: str) -> list[Case]:
    """The cases of a file of pairs. Raises: Unprocessable, naming the line."""
    cases = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            cases.append(case_of_pair(Pair.model_validate_json(line)))
        except ValidationError as err:
            first = err.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "the line"
            raise Unprocessable(f"Line {number}: {where}: {first['msg']}.") from err
    return cases
