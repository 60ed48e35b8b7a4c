"""ONNX files, read so that a broken or hostile one ends in a sentence and nothing else."""

from pathlib import Path

import xxhash
from google.protobuf.message import DecodeError
from onnx import ModelProto, TensorProto

from pellucid.onnx import sizes, structure
from pellucid.onnx.ports import BadGraph
from pellucid.onnx.tensors import LARGEST, check, load_external, stored
from pellucid.onnx.wire import Malformed, count

FIELDS = 2**23  # protocol-buffer fields in a file: parsed, they take a gigabyte at most


def read(path: Path) -> ModelProto:
    """The model in an ONNX file, complete: what lay in files beside it is brought inside.

    Its nodes stand in an order in which they can run; every name is made once; every tensor holds
    what it claims. No value of a single row is above the caps, as far as the file alone can tell.
    Training graphs are left out. Nothing is run.

    Raises:
        BadGraph: the file is missing, too large, cut short, of an opset that is not read, or
            anything in it is not as it must be.
    """
    try:
        model = _parse(_bytes(path))
        model.ClearField("training_info")
        structure.check(model)
        structure.unalias(model)
        _fill(model, path.parent)
        sizes.check(model)
    except BadGraph as error:
        raise BadGraph(f"{path}: {error}") from error
    return model


def fingerprint(model: ModelProto) -> str:
    """A hash of all that a model is."""
    return xxhash.xxh3_128_hexdigest(model.SerializeToString(deterministic=True))


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "holds no file"
        raise BadGraph(f"This path {what}; give the path of an ONNX file.")
    try:
        held = path.stat().st_size
        if held > LARGEST:
            raise BadGraph(
                f"The file has {held} bytes, above the {LARGEST} that Pellucid reads: save its "
                "weights in a file of their own (external data), if they are small enough."
            )
        data = path.read_bytes()
    except OSError as error:
        raise BadGraph(f"The file cannot be read ({error.strerror}).") from error
    if not data:
        raise BadGraph("The file is empty; give an ONNX model.")
    return data


def _parse(data: bytes) -> ModelProto:
    try:
        if count(data, ModelProto, FIELDS) > FIELDS:
            raise BadGraph(
                f"The file holds more than {FIELDS} fields, more than Pellucid reads: it is "
                "hostile, or the model too large."
            )
        return ModelProto.FromString(data)
    except (DecodeError, Malformed) as error:
        raise BadGraph(
            "The file is not an ONNX model, or is cut short: copy or export it again."
        ) from error


def _fill(model: ModelProto, folder: Path) -> None:
    """Check every stored tensor and bring what lies in other files inside, once all fit."""
    tensors = [(tensor, check(tensor)) for tensor in stored(model.graph)]
    total = sum(claimed for _, claimed in tensors)
    if total > LARGEST:
        raise BadGraph(
            f"The tensors of the model take {total} bytes, above the {LARGEST} that Pellucid "
            "reads: the file is hostile, or the model too large."
        )
    for tensor, claimed in tensors:
        if tensor.data_location == TensorProto.EXTERNAL:
            load_external(tensor, claimed, folder)
