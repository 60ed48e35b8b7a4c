"""Quick instances of the methods in the table, for contracts to run."""

from pellucid.methods import Configuration, with_fields
from pellucid.systems import Row

# by slug, the fields of each instance that contracts run; a slug that is not here runs as it is
FIELDS: dict[str, tuple[dict[str, str], ...]] = {
    "fgsm": (
        {"ball.radius": "0.3"},
        {"ball.norm": "l2", "ball.radius": "1"},
    ),
    "pgd": (
        {"steps": "6", "step": "0.3"},
        {"steps": "6", "step": "0.3", "ball.norm": "l2", "ball.radius": "1"},
        {"steps": "6", "step": "0.9", "loss": "probability-margin", "falling": "cosine"},
    ),
    "mi-fgsm": (
        {"ball.radius": "0.3"},
        {"steps": "4", "ball.norm": "l2", "ball.radius": "1"},
    ),
    "apgd-ce": (
        {"steps": "12", "ball.radius": "0.3"},
        {"steps": "12", "ball.norm": "l2", "ball.radius": "1", "loss": "dlr"},
        {"steps": "6", "ball.radius": "0.2", "random": "false"},
    ),
    "apgd-t": (
        {"steps": "12", "ball.radius": "0.3"},
        {"steps": "12", "ball.norm": "l2", "ball.radius": "1"},
    ),
    "pma": (
        {"steps": "8", "ball.radius": "0.3"},
        {"steps": "7", "ball.norm": "l2", "ball.radius": "1", "space": "logits"},
    ),
    "pma-plus": (
        {"steps": "6", "ball.radius": "0.2"},
        {"steps": "6", "ball.norm": "l2", "ball.radius": "1", "fab": "true"},
    ),
    "autoattack": (
        {"steps": "6", "queries": "40", "ball.radius": "0.2"},
        {"steps": "6", "queries": "40", "ball.norm": "l2", "ball.radius": "1"},
    ),
    "cw": (
        {"searches": "6", "steps": "24", "rate": "0.2"},
        {"searches": "2", "steps": "30", "rate": "0.2", "first": "1", "ball.radius": "1"},
    ),
    "cw-topk": ({"steps": "30", "rate": "0.03"}, {"rate": "0.05", "ball.radius": "1"}),
    "quadattack": (
        {"steps": "30", "rate": "0.03"},
        {"steps": "20", "searches": "3", "rate": "0.05", "ball.radius": "1"},
    ),
    "level-set-traversal": ({"steps": "30", "eta": "0.05"},),
    "fab": (
        {"steps": "12"},
        {"steps": "12", "ball.norm": "linf"},
        {"steps": "12", "ball.radius": "1"},
    ),
    "fab-t": ({"steps": "12"}, {"steps": "12", "ball.norm": "linf", "ball.radius": "0.3"}),
    "fmn": (
        {"steps": "20"},
        {"steps": "20", "ball.norm": "linf"},
        {"steps": "20", "ball.radius": "1"},
    ),
    "hopskipjump": (
        {"steps": "2", "probes": "12", "draw": "8"},
        {"steps": "2", "probes": "12", "ball.norm": "linf"},
    ),
    "integrated-gradients": (
        {"steps": "12"},
        {"steps": "7", "rule": "midpoint", "baseline": "0.25"},
    ),
    "smoothgrad": ({"samples": "13"},),
    "grad-cam": ({}, {"layer": "*convolution"}),
    "square": (
        {"steps": "60", "ball.radius": "0.3"},
        {"steps": "60", "ball.norm": "l2", "ball.radius": "1"},
    ),
    "boundary": ({"steps": "40", "every": "3", "looks": "2", "tries": "3"},),
    "occlusion": ({}, {"window": "0.6", "stride": "0.4", "baseline": "0.5"}),
    "lime": ({"samples": "60"}, {"samples": "61", "superpixels.about": "3", "baseline": "0.5"}),
    "kernelshap": ({"samples": "12"}, {"samples": "9", "baseline": "none"}),
    "permutation-importance": ({}, {"repeats": "3", "superpixels.about": "3"}),
    "shapley": ({}, {"superpixels.about": "3", "baseline": "none"}),
    "geoda": (
        {"steps": "2", "probes": "12", "draw": "8"},
        {"steps": "2", "probes": "12", "ball.norm": "linf"},
    ),
    "cgba": (
        {"steps": "3", "probes": "12", "draw": "8"},
        {"steps": "3", "probes": "12", "curved": "true"},
    ),
    "simba": (
        {"steps": "40"},
        {"steps": "40", "waves": "2"},
        {"steps": "40", "ball.norm": "linf", "ball.radius": "0.3"},
    ),
    "clip-masterprints": ({"steps": "20"}, {"steps": "20", "rate": "0.03", "loss": "ce"}),
    "masterprints-pgd": (
        {"steps": "20", "ball.radius": "0.3"},
        {"steps": "20", "ball.radius": "none", "levels": "15"},
    ),
    "masterprints-lve": ({"generations": "6"}, {"generations": "6", "population": "4"}),
    "one-pixel": (
        {"population": "10", "generations": "4"},
        {"population": "10", "generations": "4", "pixels": "3", "together": "4"},
    ),
    "mi-fgsm-ensemble": (
        {"steps": "4", "ball.radius": "0.5"},
        {"steps": "4", "ball.norm": "l2", "ball.radius": "2", "fuse": "probabilities"},
        {"steps": "4", "step": "0.25", "ball.radius": "0.5", "fuse": "losses", "back": "0.1"},
        {
            "steps": "4",
            "step": "0.4",
            "ball.radius": "0.9",
            "noise": "0.01",
            "transforms.diversity.probability": "0.7",
            "transforms.smoothing.width": "3",
            "transforms.scales": "2",
        },
    ),
    "adaea": (
        {"steps": "4", "ball.radius": "0.5"},
        {"steps": "4", "ball.norm": "l2", "ball.radius": "2", "official_rows": "true"},
        {"steps": "4", "ball.radius": "0.5", "window": "3", "modulated": "false"},
        {"steps": "4", "ball.radius": "0.5", "transforms.diversity.probability": "0.7"},
    ),
    "svre": (
        {"steps": "3", "draws": "4", "ball.radius": "0.5"},
        {"steps": "3", "draws": "4", "step": "0.4", "ball.norm": "l2", "ball.radius": "2"},
    ),
    "cwa": (
        {"steps": "4", "ball.radius": "0.5"},
        {"steps": "4", "ball.norm": "l2", "ball.radius": "2"},
        {"steps": "4", "ball.radius": "0.5", "back": "0", "inner": "0.5"},
        {"steps": "4", "ball.radius": "0.5", "transforms.smoothing.width": "3"},
    ),
    "feature-guided-mcts": (
        {"pixels": "2", "simulations": "8"},
        {"pixels": "1", "saliency": "uniform", "second": "nature", "ball.radius": "2"},
    ),
    "quscore": (
        {"generations": "40", "steps": "3", "ball.radius": "0.3"},
        {"generations": "40", "ball.radius": "0.2", "transfer": "false", "mutation": "0.1"},
    ),
    "bayesian-surrogate": (
        {"steps": "8", "ball.radius": "2"},
        {"steps": "6", "ball.norm": "linf", "ball.radius": "0.5", "decay": "0.9"},
        {"steps": "6", "ball.radius": "2", "together": "none", "transforms.scales": "2"},
    ),
}


def specimens(row: Row) -> list[Configuration]:
    """The instances of a row that contracts run."""
    return [with_fields(row.load(), texts) for texts in FIELDS.get(row.slug, ({},))]
