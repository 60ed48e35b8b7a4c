"""Write docs/transfer.json: which share of images passes from which surrogates to which victims.

Networks that are not in the cache are trained first: those of the claims of adaea and cwa, seed 0.
"""

import json
from pathlib import Path

import torch

from pellucid import data
from pellucid.attack.evade.adaea import AdaEA
from pellucid.attack.evade.cwa import CWA
from pellucid.attack.evade.ensemble_mi_fgsm import EnsembleMIFGSM
from pellucid.attack.transfer import transfer_matrix
from pellucid.ball import Ball
from pellucid.claims._transfer_networks import (
    DATA,
    hardened_surrogates,
    hardened_victims,
    opened,
    surrogates,
    victims,
)
from pellucid.claims._transfers import rightly
from pellucid.goals import misled

TARGET = Path(__file__).parents[1] / "docs" / "transfer.json"
ROWS, SEED, VICTIM = 150, 0, 50
BALL = Ball("linf", 8 / 255)
METHODS = {
    "mi-fgsm-ensemble": EnsembleMIFGSM(ball=BALL),
    "adaea": AdaEA(ball=BALL, steps=10),
    "cwa": CWA(ball=BALL),
}


def main() -> None:
    """Each surrogate alone by MI-FGSM, then all together by each method, on one thread."""
    torch.set_num_threads(1)
    plain, hardened = opened(surrogates(SEED)), opened(hardened_surrogates(SEED))
    targets = opened(victims(VICTIM)) | opened(hardened_victims(VICTIM))
    x, y = rightly(targets, data.load(DATA, "test"), ROWS)
    both = {**plain, **hardened}
    alone = {name: [box] for name, box in both.items()}
    groups = {"all plain": [*plain.values()], "all": [*both.values()]}
    lines = []
    for slug, method in METHODS.items():
        sources = {**alone, **groups} if slug == "mi-fgsm-ensemble" else groups
        found = transfer_matrix(method, sources, targets, x, goal=misled(y), seed=SEED)
        for name, rates in zip(found.surrogates, found.rates.tolist(), strict=True):
            lines.append({"method": slug, "surrogates": name, "rates": rates})
            print(slug, name, [f"{rate:.0%}" for rate in rates], flush=True)
    told = {
        "data": DATA,
        "radius": BALL.radius,
        "rows": len(x),
        "victims": [*targets],
        "lines": lines,
    }
    TARGET.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
