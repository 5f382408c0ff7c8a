"""Which agents there are; a new one adds its line."""

from typing import Any

from agents.agent import Agent
from agents.copilot import agent as copilot
from agents.follow_up import agent as follow_up
from agents.inbox import agent as inbox
from agents.memory_writer import agent as memory_writer


def agents() -> dict[str, Agent[Any, Any]]:
    """Every agent by kind, compiled."""
    made: tuple[Agent[Any, Any], ...] = (inbox.make(), copilot.make(), memory_writer.make(), follow_up.make())
    return {agent.kind: agent for agent in made}
