"""Where a report says that a model is: relative, quoted, and without secrets."""

from pathlib import Path

import pytest

from pellucid.audit.location import location

BASE = Path("/home/ann/project")


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("net.onnx", "net.onnx"),
        ("./nets/net.onnx", "nets/net.onnx"),
        ("/home/ann/project/nets/net.onnx", "nets/net.onnx"),
        ("/secret/place/net.onnx", "net.onnx"),
        ("pkg.nets:build@/secret/place/net.safetensors", "pkg.nets%3Abuild%40net.safetensors"),
        ("hf:/home/ann/project/vit", "hf%3Avit"),
        ("builtin:digits-cnn", "builtin%3Adigits-cnn"),
        ("my net <1>.onnx", "my%20net%20%3C1%3E.onnx"),
        ("http://127.0.0.1:8080/v2/models/signs", "127.0.0.1%3A8080/v2/models/signs"),
        ("https://ann:word@host/v2/models/signs?key=1#2", "host/v2/models/signs"),
        ("", "model"),
    ],
)
def test_a_model_is_shown_relative_and_without_secrets(reference, shown):
    assert location(reference, BASE) == shown
