"""Opens the networks that come with the package."""

from pellucid.models.builtin import builtin
from pellucid.opening.facts import Facts
from pellucid.opening.found import Found


def load(reference: str, _told: Facts) -> Found:
    """The network of `builtin:NAME`."""
    module, facts = builtin(reference.removeprefix("builtin:"))
    return Found(
        model=module,
        by="the network's entry in the package",
        facts=Facts(emits="logits", shape=facts.shape, bounds=(facts.low, facts.high)),
        outputs=facts.classes,
    )
