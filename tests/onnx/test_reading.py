"""Reading ONNX files: what is whole opens, and what is broken or hostile ends in one sentence."""

import os
import resource
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from pellucid.onnx import tensors
from pellucid.onnx.ports import BadGraph
from pellucid.onnx.reading import fingerprint, read

WEIGHT = np.arange(15, dtype=np.float32).reshape(5, 3)
X = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 5])
Y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 3])
MATMUL = helper.make_node("MatMul", ["x", "w"], ["y"], name="product")


def make(nodes=(MATMUL,), weights=None, opset=13, inputs=(X,), outputs=(Y,), **more):
    weights = [numpy_helper.from_array(WEIGHT, "w")] if weights is None else weights
    graph = helper.make_graph(list(nodes), "g", list(inputs), list(outputs), weights)
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, **more)


def claim(dims, raw=b"\0\0\0\0", data_type=TensorProto.FLOAT, name="w"):
    """A tensor that holds these bytes, whatever it says of itself."""
    return TensorProto(name=name, dims=dims, data_type=data_type, raw_data=raw)


def outside(location, name="w", **entries):
    """A weight whose 60 bytes lie in another file."""
    tensor = TensorProto(name=name, dims=WEIGHT.shape, data_type=TensorProto.FLOAT)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def kibibytes():
    """The most memory that this process has ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def constant(values, name):
    return numpy_helper.from_array(np.array(values), name)


@pytest.fixture
def refused(tmp_path):
    """The sentence with which a model, or bytes, are refused: one, quickly, in little memory."""

    def ask(content):
        path = tmp_path / "model.onnx"
        data = content if isinstance(content, bytes) else content.SerializeToString()
        path.write_bytes(data)
        before, started = kibibytes(), time.perf_counter()
        with pytest.raises(BadGraph) as caught:
            read(path)
        sentence = str(caught.value)
        assert time.perf_counter() - started < 1
        assert kibibytes() - before < 2**16
        assert caught.value.exit_code == 2
        assert sentence.startswith(f"{path}: ")
        assert sentence.endswith(".")
        assert "\n" not in sentence
        return sentence

    return ask


@pytest.fixture
def opened(tmp_path):
    def ask(model):
        path = tmp_path / "model.onnx"
        path.write_bytes(model.SerializeToString())
        return read(path)

    return ask


def test_a_whole_model_is_read_as_it_is(opened):
    assert opened(make()) == make()
    assert fingerprint(opened(make())) == fingerprint(make())
    assert fingerprint(make()) != fingerprint(make(opset=14))


def test_the_alias_of_the_domain_is_written_in_one_way(opened):
    model = make()
    model.opset_import[0].domain = model.graph.node[0].domain = "ai.onnx"
    model = opened(model)
    assert [entry.domain for entry in model.opset_import] == [""]
    assert [node.domain for node in model.graph.node] == [""]


def test_training_graphs_are_left_out(opened):
    model = make()
    model.training_info.add().algorithm.name = "sgd"
    assert opened(model) == make()


def test_no_file(tmp_path):
    with pytest.raises(BadGraph, match=r"none\.onnx: This path holds no file; give the path"):
        read(tmp_path / "none.onnx")
    with pytest.raises(BadGraph, match="This path is a folder; give the path of an ONNX file"):
        read(tmp_path)


def test_a_fifo_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(BadGraph, match="This path holds no file"):
        read(tmp_path / "pipe.onnx")


def test_a_file_above_the_cap_is_not_read(tmp_path):
    with (tmp_path / "vast.onnx").open("wb") as stream:
        stream.truncate(2**31 + 5)  # sparse: takes no disk
    with pytest.raises(BadGraph, match="has 2147483653 bytes, above the 2147483647"):
        read(tmp_path / "vast.onnx")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"PK\x03\x04 is not ONNX", "not an ONNX model, or is cut short"),
        (b"\x80\x04\x95pickle", "not an ONNX model, or is cut short"),
        (b"\n" * 40, "not an ONNX model, or is cut short"),
        (make().SerializeToString()[:-7], "not an ONNX model, or is cut short"),
        (b"\x08\x08", "holds no graph of nodes"),
        (make(nodes=[]).SerializeToString(), "holds no graph of nodes"),
        (make().SerializeToString().replace(b"product", b"pr\xff\xfeuct"), "not an ONNX model"),
    ],
)
def test_not_a_model(refused, content, words):
    assert words in refused(content)


def test_few_bytes_that_claim_many_messages_are_not_parsed(refused, monkeypatch):
    monkeypatch.setattr("pellucid.onnx.reading.FIELDS", 10_000)
    nodes = b"\x0a\x00" * 2**20  # empty nodes: 2 MiB here, above 150 once they are parsed
    length = bytes([0x80, 0x80, 0x80, 0x01])  # 2**21 as a varint
    assert "holds more than 10000 fields" in refused(b"\x3a" + length + nodes)


@pytest.mark.parametrize("opset", [1, 7, 22, 99])
def test_an_opset_that_is_not_read(refused, opset):
    sentence = refused(make(opset=opset))
    assert f"written in opset {opset} of ONNX, and Pellucid reads 8 to 21" in sentence


@pytest.mark.parametrize("opset", [8, 21])
def test_the_opsets_at_the_ends(opened, opset):
    assert opened(make(opset=opset)).opset_import[0].version == opset


def test_no_opset_or_several(refused):
    model = make()
    del model.opset_import[:]
    assert "opset none of ONNX" in refused(model)
    model.opset_import.extend([helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx", 14)])
    assert "opset 13 and 14 of ONNX" in refused(model)


def test_functions_of_its_own(refused):
    model = make()
    model.functions.add(name="Block", domain="mine")
    assert "defines the function 'Block' of its own" in refused(model)


def test_no_input(refused):
    model = make(nodes=[helper.make_node("Relu", ["w"], ["y"])], inputs=[])
    assert "takes no input" in refused(model)


def test_a_cycle(refused):
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"], name="first"),
        helper.make_node("Add", ["a", "c"], ["b"], name="second"),
        helper.make_node("Relu", ["b"], ["c"], name="third"),
        helper.make_node("Relu", ["c"], ["y"], name="last"),
    ]
    sentence = refused(make(nodes))
    assert "The graph is cyclic" in sentence
    assert "second" in sentence or "third" in sentence


def test_nodes_out_of_order(refused):
    nodes = [
        helper.make_node("Relu", ["a"], ["y"]),
        helper.make_node("MatMul", ["x", "w"], ["a"]),
    ]
    sentence = refused(make(nodes))
    assert "The node 'making y' (Relu) reads 'a' before it is made: sort the nodes" in sentence


def test_names_that_nothing_makes(refused):
    sentence = refused(make([helper.make_node("MatMul", ["x", "v"], ["y"], name="product")]))
    assert "The node 'product' (MatMul) reads 'v', which nothing makes" in sentence
    sentence = refused(make([helper.make_node("MatMul", ["x", "w"], ["z"])]))
    assert "Nothing makes the graph's output 'y'" in sentence


def test_names_that_are_made_twice(refused):
    sentence = refused(make([MATMUL, helper.make_node("Relu", ["x"], ["y"], name="again")]))
    assert "'y' is made twice (by node 'product' (MatMul) and node 'again' (Relu))" in sentence
    weights = [numpy_helper.from_array(WEIGHT, "w")] * 2
    assert "'w' is made twice: the file is broken" in refused(make(weights=weights))


def test_a_name_is_cut_short_and_cannot_command_a_terminal(refused):
    node = helper.make_node("MatMul", ["x", "v"], ["y"], name="\x1b[2J" + "n" * 5000)
    sentence = refused(make([node]))
    assert "\x1b" not in sentence
    assert len(sentence) < 400


@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (claim([2**40]), "'w' claims 4398046511104 bytes, above the 2147483647"),
        (claim([2**62, 2**62, 2**62]), "above the 2147483647 that Pellucid reads"),
        (claim([2**29]), "'w' claims 2147483648 bytes, above the 2147483647"),
        (claim([2**28]), "'w' claims 1073741824 bytes but holds 4: the file is broken"),
        (claim([5, 3], b"\0" * 59), "'w' claims 60 bytes but holds 59"),
        (claim([5, 3], b"\0" * 61), "'w' claims 60 bytes but holds 61"),
        (claim([-5, -3], b"\0" * 60), "'w' claims the negative size -5"),
        (claim([1] * 65), "'w' claims 65 axes"),
        (claim([1], data_type=0), "'w' is of the unknown type 0"),
        (claim([1], data_type=77), "'w' is of the unknown type 77"),
        (TensorProto(name="w", dims=[5, 3], data_type=1, float_data=[0] * 14), "15 numbers but"),
        (TensorProto(name="w", dims=[2**40], data_type=8, string_data=[b"a"]), "above the"),
        (TensorProto(name="w", dims=[5, 3], data_type=8, string_data=[b"a"]), "but holds 1"),
        (claim([1], b"\0" * 16, data_type=8), "holds text as bytes"),
        (TensorProto(name="w", dims=[8], data_type=22, int32_data=[0] * 5), "4 numbers but holds"),
        (TensorProto(name="w", dims=[3], data_type=14, float_data=[0] * 3), "6 numbers but holds"),
    ],
)
def test_a_tensor_that_does_not_hold_what_it_claims(refused, tensor, words):
    assert words in refused(make(weights=[tensor]))


def test_a_tensor_in_an_attribute_is_looked_at_too(refused):
    bomb = helper.make_node("Constant", [], ["w"], value=claim([2**40], name="inner"))
    assert "'inner' claims 4398046511104 bytes" in refused(make([bomb, MATMUL], weights=[]))


def test_a_tensor_in_a_branch_is_looked_at_too(refused):
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    read_w = helper.make_node("Identity", ["inner"], ["out"])
    branch = helper.make_graph([read_w], "branch", [], [out], [claim([2**40], name="inner")])
    node = helper.make_node("If", ["flag"], ["y"], then_branch=branch, else_branch=branch)
    flag = numpy_helper.from_array(np.array(True), "flag")
    assert "'inner' claims 4398046511104 bytes" in refused(make([node], weights=[flag]))


def test_a_segment(refused):
    tensor = claim([1])
    tensor.segment.begin, tensor.segment.end = 0, 1
    assert "'w' is a segment of another" in refused(make(weights=[tensor]))


def test_sparse_tensors(refused):
    sparse = onnx.SparseTensorProto(dims=[2**40], values=claim([1]))
    model = make()
    model.graph.sparse_initializer.append(sparse)
    assert "sparse initialisers" in refused(model)
    node = helper.make_node("Constant", [], ["w"], name="thin", sparse_value=sparse)
    assert "attribute 'sparse_value' of node 'thin' is sparse" in refused(make([node, MATMUL], []))


def test_data_beside_the_model_is_brought_inside(opened, tmp_path):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "all.bin").write_bytes(b"xy" + WEIGHT.tobytes() + b"z")
    (tmp_path / "link.bin").symlink_to(tmp_path / "weights" / "all.bin")
    for location in ("weights/all.bin", "./weights/../weights/all.bin", "link.bin"):
        model = opened(make(weights=[outside(location, offset=2, length=60)]))
        (weight,) = model.graph.initializer
        assert weight.data_location == TensorProto.DEFAULT
        assert not weight.external_data
        np.testing.assert_array_equal(numpy_helper.to_array(weight), WEIGHT)


def test_data_that_onnx_itself_saved_outside(tmp_path):
    path = tmp_path / "model.onnx"
    onnx.save(make(), path, save_as_external_data=True, size_threshold=0, location="model.data")
    assert numpy_helper.to_array(read(path).graph.initializer[0]).tolist() == WEIGHT.tolist()


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("/etc/passwd", "outside the model's folder"),
        ("../secret.bin", "outside the model's folder"),
        ("sub/../../secret.bin", "outside the model's folder"),
        ("link.bin", "outside the model's folder"),
        ("folder/secret.bin", "outside the model's folder"),
        ("none.bin", "holds no such file"),
        ("", "holds no such file"),
        (".", "holds no such file"),
        ("loop.bin", "is no path|holds no such file"),
        ("a\0b", "is no path"),
        ("n" * 5000, "is no path"),
    ],
)
def test_data_that_lies_elsewhere(tmp_path, location, words):
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "secret.bin").write_bytes(WEIGHT.tobytes())
    (home / "link.bin").symlink_to(tmp_path / "secret.bin")
    (home / "folder").symlink_to(tmp_path)
    (home / "loop.bin").symlink_to(home / "loop.bin")
    path = home / "model.onnx"
    path.write_bytes(make(weights=[outside(location)]).SerializeToString())
    with pytest.raises(BadGraph, match=words) as caught:
        read(path)
    assert "The tensor 'w'" in str(caught.value)


def test_data_at_an_absolute_path_is_refused_even_inside(tmp_path):
    (tmp_path / "w.bin").write_bytes(WEIGHT.tobytes())
    path = tmp_path / "model.onnx"
    path.write_bytes(make(weights=[outside(str(tmp_path / "w.bin"))]).SerializeToString())
    with pytest.raises(BadGraph, match="outside the model's folder"):
        read(path)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({}, "takes 60 bytes, but the file names 100 from byte 0"),
        ({"length": 59}, "takes 60 bytes, but the file names 59"),
        ({"offset": 41, "length": 60}, "60 from byte 41 of 'w.bin', which has 100"),
        ({"offset": 2**60, "length": 60}, "from byte 1152921504606846976 of"),
        ({"offset": 2**60}, "lies at '-1152921504606846876' of its data file"),
        ({"offset": -1, "length": 60}, "lies at '-1' of its data file"),
        ({"offset": "nine"}, "lies at 'nine' of its data file"),
        ({"length": "9" * 30}, "lies at '999999999999999999999999999999' of"),
    ],
)
def test_data_that_is_not_in_its_file(refused, tmp_path, entries, words):
    (tmp_path / "w.bin").write_bytes(bytes(100))
    assert words in refused(make(weights=[outside("w.bin", **entries)]))


def test_one_data_file_that_is_claimed_over_and_over(refused, tmp_path, monkeypatch):
    monkeypatch.setattr("pellucid.onnx.reading.LARGEST", 1000)
    (tmp_path / "w.bin").write_bytes(WEIGHT.tobytes())
    weights = [outside("w.bin", name=f"w{number}") for number in range(17)]
    sentence = refused(make([helper.make_node("MatMul", ["x", "w0"], ["y"])], weights))
    assert "The tensors of the model take 1020 bytes, above the 1000" in sentence


BOMBS = {
    "Expand": ([helper.make_node("Expand", ["w", "n"], ["b"])], [2**27, 5, 3]),
    "Tile": ([helper.make_node("Tile", ["w", "n"], ["b"])], [2**15, 2**15]),
    "ConstantOfShape": ([helper.make_node("ConstantOfShape", ["n"], ["b"])], [2**40]),
    "outer product": (
        [
            helper.make_node("Reshape", ["x", "n"], ["column"]),
            helper.make_node("ConstantOfShape", ["m"], ["row"]),
            helper.make_node("ConstantOfShape", ["k"], ["tall"]),
            helper.make_node("MatMul", ["tall", "row"], ["b"]),
        ],
        [-1, 1],
    ),
    "Pad": ([helper.make_node("Pad", ["w", "n"], ["b"])], [0, 0, 2**31, 2**31]),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_value_that_grows_beyond_all_bounds(refused, bomb):
    nodes, numbers = BOMBS[bomb]
    weights = [
        numpy_helper.from_array(WEIGHT, "w"),
        constant(numbers, "n"),
        constant([1, 2**15], "m"),
        constant([2**15, 1], "k"),
    ]
    lie = helper.make_tensor_value_info("b", TensorProto.FLOAT, [1])
    model = make([*nodes, MATMUL], weights)
    model.graph.value_info.append(lie)  # what a file says of its values is not believed
    sentence = refused(model)
    assert "The value 'b' takes" in sentence
    assert "bytes for a single row, above the 2147483647" in sentence


def test_an_output_that_declares_less_than_it_is(refused):
    node = helper.make_node("Expand", ["x", "n"], ["y"])
    model = make([node], [constant([2**30, 5], "n")])
    assert "The value 'y' takes 21474836480 bytes" in refused(model)


def test_a_long_vector_of_integers_is_not_written_out(refused):
    nodes = [
        helper.make_node("Range", ["zero", "n", "one"], ["long"]),  # onnx would, to propagate it
        helper.make_node("Cast", ["long"], ["b"], to=TensorProto.FLOAT),
    ]
    weights = [constant(0, "zero"), constant(2**40, "n"), constant(1, "one")]
    sentence = refused(make([*nodes, MATMUL], [*weights, numpy_helper.from_array(WEIGHT, "w")]))
    assert "The value 'long' takes 8796093022208 bytes" in sentence


def test_values_that_are_too_large_together(refused):
    wide = constant([1, 2**27], "n")
    nodes = [helper.make_node("ConstantOfShape", ["n"], [f"v{number}"]) for number in range(20)]
    sentence = refused(make([*nodes, MATMUL], [numpy_helper.from_array(WEIGHT, "w"), wide]))
    assert "take more than 8589934592 bytes for a single row" in sentence


def test_what_only_onnx_knows_to_be_wrong(refused):
    node = helper.make_node("MatMul", ["x"], ["y"])
    assert "not a valid ONNX model: Node" in refused(make([node]))
    assert "not a valid ONNX model: No Op registered for Foo" in refused(
        make([helper.make_node("Foo", ["x"], ["y"])])
    )


def test_an_output_need_not_declare_a_shape(opened):
    model = make(outputs=[helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    assert opened(model) == model


def test_operators_of_other_domains_are_read(opened):
    node = helper.make_node("Own", ["x"], ["y"], domain="elsewhere")
    model = make([node])
    model.opset_import.append(helper.make_opsetid("elsewhere", 1))
    assert opened(model) == model


def test_every_type_of_weight_that_onnx_writes_is_read(opened):
    for elem_type in tensors.BITS:
        if elem_type == TensorProto.STRING:
            tensor = helper.make_tensor("t", elem_type, [3], ["a", "b", "c"])
        else:
            tensor = helper.make_tensor("t", elem_type, [3], [0, 1, 0])
            raw = numpy_helper.from_array(numpy_helper.to_array(tensor), "r")
            opened(make(weights=[numpy_helper.from_array(WEIGHT, "w"), raw], opset=21))
        opened(make(weights=[numpy_helper.from_array(WEIGHT, "w"), tensor], opset=21))


WHOLE = make(
    [
        helper.make_node("Reshape", ["x", "shape"], ["flat"], name="reshape"),
        helper.make_node("MatMul", ["flat", "w"], ["product"], name="product"),
        helper.make_node("Clip", ["product", "low"], ["clipped"], name="clip"),
        helper.make_node("Softmax", ["clipped"], ["y"], name="softmax", axis=-1),
    ],
    [
        numpy_helper.from_array(WEIGHT, "w"),
        constant([-1, 5], "shape"),
        helper.make_tensor("low", TensorProto.FLOAT, [], [0.0]),
    ],
).SerializeToString()


def opens_or_is_refused(data, folder):
    path = folder / "model.onnx"
    path.write_bytes(data)
    with suppress(BadGraph):
        assert read(path).graph.node


def test_every_truncation_is_refused(tmp_path):
    path = tmp_path / "model.onnx"
    for end in range(len(WHOLE)):
        path.write_bytes(WHOLE[:end])
        with pytest.raises(BadGraph):
            read(path)


flips = st.lists(
    st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=4
)


@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(changes=flips)
def test_changed_bytes_open_or_end_in_a_sentence(changes, tmp_path):
    data = bytearray(WHOLE)
    for place, byte in changes:
        data[place] = byte
    opens_or_is_refused(bytes(data), tmp_path)


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.binary(max_size=200))
def test_any_bytes_end_in_a_sentence(data, tmp_path):
    opens_or_is_refused(data, tmp_path)


@pytest.mark.skipif("PELLUCID_DATA" not in os.environ, reason="PELLUCID_DATA is not set")
def test_the_networks_of_vnncomp_are_read():
    paths = sorted(Path(os.environ["PELLUCID_DATA"], "vnncomp2021").rglob("*.onnx"))
    assert len(paths) >= 48
    for path in paths:
        assert read(path).graph.node
