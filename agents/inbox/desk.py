"""The desk of an inbox run: what it is about is a thread with somebody outside."""

from agents.context import Thread
from agents.desk import Desk as AnyDesk

Desk = AnyDesk[Thread]
