"""Write docs/subjects.json: what each subject came to, seed 0, in accuracy and in seconds.

Subjects that are not in the cache are trained first. Attacks run on the first test rows alone.
"""

import json
from pathlib import Path

import torch

from pellucid import data, fit, opening
from pellucid.attack.evade.apgd import APGD
from pellucid.attack.evade.pgd import PGD
from pellucid.ball import Ball
from pellucid.claims.recipe import RECORD, Recipe
from pellucid.claims.subjects import RADII, RECIPES
from pellucid.goals import misled
from pellucid.runner import run

TARGET = Path(__file__).parents[1] / "docs" / "subjects.json"
ROWS = 500  # attacked


def main() -> None:
    """Measure one subject after the other, on one thread."""
    torch.set_num_threads(1)
    figures = [measured(recipe) for recipe in RECIPES]
    TARGET.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def measured(recipe: Recipe) -> dict[str, object]:
    """The recipe in words, and the figures of what it makes."""
    module, test = recipe.build(), data.load(recipe.data, "test")
    ball = Ball("linf", RADII[recipe.data])
    box = opening.open(module, access="grad", shape=test.shape)
    x, goal = test.x[:ROWS], misled(test.y[:ROWS])
    under = {
        name: (~run(method, box, x, goal=goal, seed=0).success).double().mean().item()
        for name, method in (
            ("pgd", PGD(ball=ball, steps=20, step=2.5 / 20)),
            ("apgd", APGD(ball=ball, steps=50)),
        )
    }
    record = json.loads((recipe.folder() / RECORD).read_text(encoding="utf-8"))
    found = {
        "weights": sum(weight.numel() for weight in module.parameters()),
        "accuracy": fit.accuracy(module, test.x, test.y),
        "radius": ball.radius,
        "attacked": ROWS,
    }
    print(recipe.name, found["accuracy"], under, flush=True)
    made = {name: record[name] for name in ("seconds", "torch", "cpu")}
    return recipe.described() | found | under | made


if __name__ == "__main__":
    main()
