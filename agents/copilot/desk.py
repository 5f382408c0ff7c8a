"""The desk of a copilot's run: what it is about is a colleague's question."""

from agents.copilot.thread import ChatThread
from agents.desk import Desk as AnyDesk

Desk = AnyDesk[ChatThread]
