"""Tensors as bytes, beside Triton's own client: what it sends we send, what it reads we read."""

import json
import subprocess

import numpy as np
import pytest
from tests.remote.server import binary, tensor
from tests.remote.test_messages import extremes
from tests.services.conftest import HERE

from benchmarks.environments import cache, environment
from pellucid.remote.binary import HEADER
from pellucid.remote.line import Reply
from pellucid.remote.messages import DATATYPES, TYPES, answer, question

pytestmark = pytest.mark.services

THEIRS = """
import json, sys
from pathlib import Path
import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput

folder, sizes, datatypes = Path(sys.argv[1]), {}, json.loads(sys.argv[2])
for name, datatype in datatypes.items():
    x = np.load(folder / f"{name}.npy")
    given = InferInput("x", x.shape, datatype)
    given.set_data_from_numpy(x, binary_data=True)
    wanted = [InferRequestedOutput("scores", binary_data=True)]
    body, size = InferenceServerClient.generate_request_body([given], outputs=wanted)
    (folder / f"{name}.sent").write_bytes(body)
    said = (folder / f"{name}.answer").read_bytes()
    length = int((folder / f"{name}.length").read_text())
    read = InferenceServerClient.parse_response_body(said, header_length=length)
    np.save(folder / f"{name}.read.npy", read.as_numpy("scores"))
    sizes[name] = size
print(json.dumps(sizes))
"""


def test_our_bytes_are_tritons(tmp_path):
    programs = environment(HERE / "requirements-mlserver.txt", cache() / "services")
    numbers = {name: extremes(kind) for name, kind in TYPES.items()}
    for name, x in numbers.items():
        np.save(tmp_path / f"{name}.npy", x)
        body, headers = binary(tensor(x, datatype=DATATYPES[x.dtype]), x.tobytes())
        (tmp_path / f"{name}.answer").write_bytes(body)
        (tmp_path / f"{name}.length").write_text(dict(headers)[HEADER])
    called = [programs / "python", "-c", THEIRS, tmp_path, json.dumps({n: n for n in numbers})]
    done = subprocess.run(called, check=True, capture_output=True, text=True, timeout=60)
    sizes = json.loads(done.stdout)
    for name, x in numbers.items():
        theirs, ours = (
            (tmp_path / f"{name}.sent").read_bytes(),
            question(x, name="x", output="scores", raw=True),
        )
        size = int(ours.headers[HEADER])
        assert ours.content[size:] == theirs[sizes[name] :] == x.tobytes()
        assert json.loads(ours.content[:size]) == json.loads(theirs[: sizes[name]])
        said = Reply(
            body=(tmp_path / f"{name}.answer").read_bytes(),
            headers={HEADER: (tmp_path / f"{name}.length").read_text()},
        )
        read = answer(said, rows=2, output="scores", url="http://host")
        np.testing.assert_array_equal(read, np.load(tmp_path / f"{name}.read.npy"))
