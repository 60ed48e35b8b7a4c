"""Counting the fields of a message before it is parsed."""

import pytest
from onnx import GraphProto, ModelProto, NodeProto

from pellucid.onnx.wire import Malformed, count

NODE = NodeProto(name="n", input=["a", "b"], output=["c"])  # 4 fields
MODEL = ModelProto(ir_version=300, graph=GraphProto(name="g", node=[NODE, NODE]))


def test_fields_are_counted_those_of_inner_messages_too():
    assert count(NODE.SerializeToString(), NodeProto, 100) == 4
    assert count(MODEL.SerializeToString(), ModelProto, 100) == 2 + 1 + 2 * (1 + 4)
    assert count(b"", ModelProto, 100) == 0


def test_counting_stops_above_the_limit():
    assert count(MODEL.SerializeToString(), ModelProto, 5) == 6
    assert count(b"\x0a\x00" * 1000 + b"\xff", NodeProto, 10) == 11


def test_fields_of_every_wire_type_are_passed_over():
    varint, fixed64, fixed32 = b"\x08\x96\x01", b"\x09" + bytes(8), b"\x0d" + bytes(4)
    unknown = b"\xfa\x7f\x03abc"  # field 2047, which no message has
    assert count(varint + fixed64 + fixed32 + unknown, ModelProto, 100) == 4


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a",  # no length
        b"\x0a\x05ab",  # fewer bytes than the length says
        b"\x08",  # no number
        b"\x08\xff\xff",  # a number that does not end
        b"\x09\0\0\0",  # fewer than eight bytes
        b"\x0b",  # a group, which has no end
        b"\x1a\x02\xff\xfe",  # a name that is no text
        b"\x0a" + b"\xff" * 12,  # a length above all numbers
    ],
)
def test_what_is_cut_short_or_no_text_is_malformed(data):
    with pytest.raises(Malformed):
        count(data, NodeProto, 100)


def test_an_inner_message_ends_where_the_outer_says():
    with pytest.raises(Malformed):
        count(b"\x3a\x02\x0a\x05abcde", ModelProto, 100)  # the node claims more than its graph
