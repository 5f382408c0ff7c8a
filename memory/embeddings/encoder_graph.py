"""The encoder of multilingual-e5-small as an ONNX graph: token ids in, one unit vector a text out.

Source: BERT (arXiv 1810.04805, section 3) with the mean pooling and normalisation of E5 (arXiv 2402.05672).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from memory.embeddings.weights import Floats, Weights

_OPSET, _IR = 20, 10


@dataclass
class _Graph:
    """Nodes and constants as they are added; every method returns the name of what it made."""

    weights: Weights
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        output = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def constant(self, values: NDArray[np.generic]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def number(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def norm(self, x: str, name: str) -> str:
        size, epsilon = self.weights.shape.hidden, self.weights.shape.epsilon
        scale = self.constant(self.weights.vector(f"{name}.w", size))
        shift = self.constant(self.weights.vector(f"{name}.b", size))
        return self.op("LayerNormalization", x, scale, shift, epsilon=epsilon)

    def linear(self, x: str, name: str, inputs: int, outputs: int) -> str:
        matrix = self.constant(self.weights.matrix(f"{name}.w", outputs, inputs).T)
        return self.op(
            "Add",
            self.op("MatMul", x, matrix),
            self.constant(self.weights.vector(f"{name}.b", outputs)),
        )


def build_encoder(weights: Weights, kept: Sequence[int]) -> onnx.ModelProto:
    """The model over the kept pieces. Inputs `ids` int64[n, t] and `mask` float32[n, t], output `vectors`."""
    graph = _Graph(weights)
    x = _embeddings(graph, kept)
    # what is padding gets no attention
    hidden = graph.op("Mul", graph.op("Sub", graph.number(1), "mask"), graph.number(-1e9))
    bias = graph.op("Unsqueeze", hidden, graph.ints(1, 2))
    for layer in range(weights.shape.layers):
        x = _layer(graph, x, bias, f"l{layer}.")
    _pool(graph, x)
    made = helper.make_graph(
        graph.nodes,
        "multilingual-e5-small",
        [
            helper.make_tensor_value_info("ids", TensorProto.INT64, ["texts", "tokens"]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["texts", "tokens"]),
        ],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", weights.shape.hidden])],
        graph.constants,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)


def _embeddings(graph: _Graph, kept: Sequence[int]) -> str:
    """Piece, position and type, summed; the rows of the pieces stay int8, a quarter of their size."""
    shape = graph.weights.shape
    rows, scales = _as_int8(graph.weights.matrix("emb.word", shape.vocabulary, shape.hidden)[kept])
    whole = graph.op("Cast", graph.op("Gather", graph.constant(rows), "ids"), to=TensorProto.FLOAT)
    words = graph.op("Mul", whole, graph.op("Gather", graph.constant(scales), "ids"))
    places = graph.weights.matrix("emb.pos", shape.positions, shape.hidden)
    places = places + graph.weights.matrix("emb.type", shape.types, shape.hidden)[:1]
    length = graph.op("Slice", graph.op("Shape", "ids"), graph.ints(1), graph.ints(2))
    position = graph.op("Slice", graph.constant(places), graph.ints(0), length, graph.ints(0))
    return graph.norm(graph.op("Add", words, position), "emb.ln")


def _as_int8(matrix: Floats) -> tuple[NDArray[np.int8], Floats]:
    scales = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-12) / 127
    return np.round(matrix / scales).astype(np.int8), scales.astype(np.float32)


def _layer(graph: _Graph, x: str, bias: str, name: str) -> str:
    shape = graph.weights.shape
    x = graph.norm(graph.op("Add", x, _attention(graph, x, bias, name)), f"{name}aln")
    inner = graph.op("Gelu", graph.linear(x, f"{name}fi", shape.hidden, shape.inner))
    return graph.norm(
        graph.op("Add", x, graph.linear(inner, f"{name}fo", shape.inner, shape.hidden)), f"{name}oln"
    )


def _attention(graph: _Graph, x: str, bias: str, name: str) -> str:
    hidden, heads = graph.weights.shape.hidden, graph.weights.shape.heads
    size = hidden // heads

    def head(part: str, order: list[int]) -> str:
        made = graph.linear(x, f"{name}{part}", hidden, hidden)
        return graph.op("Transpose", graph.op("Reshape", made, graph.ints(0, 0, heads, size)), perm=order)

    queries, keys, values = head("q", [0, 2, 1, 3]), head("k", [0, 2, 3, 1]), head("v", [0, 2, 1, 3])
    scores = graph.op("Mul", graph.op("MatMul", queries, keys), graph.number(size**-0.5))
    shares = graph.op("Softmax", graph.op("Add", scores, bias), axis=-1)
    mixed = graph.op("Transpose", graph.op("MatMul", shares, values), perm=[0, 2, 1, 3])
    return graph.linear(graph.op("Reshape", mixed, graph.ints(0, 0, hidden)), f"{name}ao", hidden, hidden)


def _pool(graph: _Graph, states: str) -> None:
    """The mean of the token states, at unit length. The sum's length does not matter, so nothing is divided twice."""
    masked = graph.op("Mul", states, graph.op("Unsqueeze", "mask", graph.ints(2)))
    total = graph.op("ReduceSum", masked, graph.ints(1), keepdims=0)
    graph.nodes.append(helper.make_node("LpNormalization", [total], ["vectors"], axis=-1, p=2))
