"""The shape of each agent's graph as data, for those who show a run and may not load LangGraph.

A test holds it against the graphs themselves, so it cannot drift from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

START, END = "__start__", "__end__"


@dataclass(frozen=True)
class Shape:
    """Nodes in the order in which they are met, and the ways between them.

    `tasks` says which node asks the model for what. A tool call belongs to the node that its key begins with, as
    `draft.0` to draft; one of another key to `calling`. `prompts` are the nodes from which a run can be run again, each
    with the prompts that are asked next from there: that of large models, and that of small ones. `hears_outside` says
    that a model is shown text from outside from the first; otherwise it has such text from tools alone.
    """

    nodes: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]
    calling: str
    tasks: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hears_outside: bool = True

    def may_fork(self, step: str) -> bool:
        """Whether a run can be run again from a step: a node, or `node.2` for the third visit of one in a loop."""
        node, dot, number = step.partition(".")
        return node in self.prompts and (
            not dot or (self.is_looped and number.isdecimal() and len(number) < 3)
        )

    @property
    def is_looped(self) -> bool:
        """Whether a run may come to a node more than once."""
        return any(
            self.nodes.index(to) < self.nodes.index(at) for at, to in self.edges if {at, to} <= {*self.nodes}
        )

    def is_before(self, call_key: str, step: str) -> bool:
        """Whether a tool call was made before the step."""
        node, _, number = step.partition(".")
        if not self.is_looped:
            return self.nodes.index(self.node_of_call(call_key)) < self.nodes.index(node)
        # of a loop the key begins with the turn
        return node == "check" or int(call_key.partition(".")[0]) < int(number or 0)

    def node_of_task(self, task: str) -> str:
        return self.tasks.get(task, task)

    def node_of_call(self, call_key: str) -> str:
        node = call_key.partition(".")[0]
        return node if node in self.nodes else self.calling


SHAPES: Mapping[str, Shape] = {
    "inbox": Shape(
        nodes=("triage", "gather", "draft", "guard", "propose", "notify"),
        edges=(
            (START, "triage"),
            ("triage", "gather"),
            ("triage", "notify"),
            ("triage", END),
            ("gather", "draft"),
            ("draft", "guard"),
            ("draft", "notify"),
            ("guard", "propose"),
            ("propose", "notify"),
            ("propose", END),
            ("notify", END),
        ),
        calling="gather",
        prompts={
            "triage": ("inbox/triage", "inbox/triage_brief"),
            "gather": ("inbox/draft", "inbox/draft_brief"),
            "draft": ("inbox/draft", "inbox/draft_brief"),
            "guard": (),
            "propose": (),
            "notify": (),
        },
    ),
    "copilot": Shape(
        nodes=("think", "act", "check"),
        edges=(
            (START, "think"),
            ("think", "act"),
            ("think", "check"),
            ("act", "think"),
            ("check", "think"),
            ("check", END),
        ),
        calling="act",
        tasks={"copilot": "think"},
        prompts={"think": ("copilot/answer",), "act": ("copilot/answer",), "check": ("copilot/repair",)},
        hears_outside=False,
    ),
    "memory_writer": Shape(
        nodes=("read", "extract", "write"),
        edges=(
            (START, "read"),
            ("read", "extract"),
            ("read", END),
            ("extract", "write"),
            ("write", END),
        ),
        calling="write",
        tasks={"remember": "extract"},
        prompts={"read": ("memory_writer/extract",), "extract": ("memory_writer/extract",), "write": ()},
    ),
    "follow_up": Shape(
        nodes=("look", "advise", "suggest"),
        edges=((START, "look"), ("look", "advise"), ("advise", "suggest"), ("suggest", END)),
        calling="suggest",
        tasks={"follow_up": "advise"},
        prompts={"look": ("follow_up/advise",), "advise": ("follow_up/advise",), "suggest": ()},
    ),
}
