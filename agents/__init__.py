"""AI seats as LangGraph state machines; the only package that talks to a language model."""

import os

# Read once, when langgraph is first imported: checkpoints may hold the types that a state names, nothing else.
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"
# Tracing to somebody else's service stays off whatever the environment says.
os.environ["LANGSMITH_TRACING"] = "false"
os.environ["LANGCHAIN_TRACING_V2"] = "false"
