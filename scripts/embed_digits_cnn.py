"""Write src/pellucid/models/weights/digits-cnn.safetensors by the recipe digits-cnn, seed 0."""

import json

import torch
from safetensors.torch import save_file

from pellucid import data, fit
from pellucid.claims.subjects import recipe
from pellucid.models.builtin import WEIGHTS


def main() -> None:
    """Train afresh, and record the accuracy on the test split beside the weights."""
    subject = recipe("digits-cnn", seed=0)
    module = subject.train(print)
    test = data.load(subject.data, "test")
    facts = {
        "accuracy": str(fit.accuracy(module, test.x, test.y)),
        "recipe": json.dumps(subject.described()),
        "torch": torch.__version__,
        "cpu": torch.backends.cpu.get_cpu_capability(),
    }
    WEIGHTS.mkdir(exist_ok=True)
    target = WEIGHTS / "digits-cnn.safetensors"
    save_file(module.state_dict(), target, metadata=facts)
    target.chmod(0o644)  # safetensors writes for its owner alone
    print(facts["accuracy"])


if __name__ == "__main__":
    main()
