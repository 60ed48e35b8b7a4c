"""A check by attack: how many rows stay right when they are moved so far."""

from dataclasses import dataclass, field

from pellucid import systems
from pellucid.audit.check import Ground
from pellucid.audit.checks._raiding import Raiding
from pellucid.errors import UserError
from pellucid.methods import from_plain
from pellucid.needs import Attack, needs


@dataclass(frozen=True, kw_only=True)
class Falsify(Raiding):
    """Attacks every row by the system that a plan names."""

    system: str  # slug of an attack
    settings: dict[str, object] = field(default_factory=dict)  # fields of the method, but its ball

    def __post_init__(self) -> None:
        """Refuse what can be seen to be wrong before a model is there."""
        row = systems.find(self.system)
        if row.kind != "attack":
            raise UserError(
                f"A plan falsifies by attacks, but {self.system} is of kind {row.kind}."
            )
        super().__post_init__()
        self.method(1.0)

    @property
    def called(self) -> str:
        """The slug."""
        return self.system

    @property
    def access(self) -> type:
        """What the method's signature names."""
        return needs(self.method(1.0)).box

    def refusal(self, ground: Ground, /) -> str | None:
        """It brings no surrogates along."""
        if needs(self.method(1.0)).surrogates is not None:
            return "it starts from surrogates, which `pellucid attack --surrogate` takes"
        return super().refusal(ground)

    def method(self, radius: float | None) -> Attack:
        """The attack in its ball."""
        ball = {"norm": self.norm, "radius": radius}
        return from_plain(systems.find(self.system).load(), {**self.settings, "ball": ball})

    def stays(self, _ground: Ground, /) -> bool:
        """Whether the method's own ball has a radius."""
        kind = systems.find(self.system).load()
        return from_plain(kind, self.settings).ball.radius is not None

    def attack(self, _ground: Ground, radius: float | None, _budget: int, /) -> Attack:
        """The method in its ball."""
        return self.method(radius)
