"""What was said in a call, as it is kept: of a model that is asked in our own words."""

from agents.llm.base import ModelMessage, ModelReply, ModelRequest, ToolRequest
from core.jsons import dumps
from crm.runs.model_exchanges import ExchangeTurn, ModelExchange, RequestedCall


def exchange_of(request: ModelRequest, reply: ModelReply) -> ModelExchange:
    """A request with its answer."""
    return ModelExchange(
        tuple(map(_turn, request.messages)),
        tuple(tool.name for tool in request.tools),
        _turn(ModelMessage("assistant", reply.text, reply.tool_requests)),
    )


def _turn(message: ModelMessage) -> ExchangeTurn:
    return ExchangeTurn(message.role, message.text, tuple(map(_requested, message.tool_requests)))


def _requested(wanted: ToolRequest) -> RequestedCall:
    arguments = wanted.arguments
    return RequestedCall(wanted.name, arguments if isinstance(arguments, str) else dumps(arguments))
