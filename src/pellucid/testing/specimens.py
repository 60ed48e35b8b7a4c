"""Quick instances of the methods in the table, for contracts to run."""

from pellucid.methods import with_fields
from pellucid.needs import Attack
from pellucid.systems import Row

# by slug, the fields of each instance that contracts run; a slug that is not here runs as it is
FIELDS: dict[str, tuple[dict[str, str], ...]] = {
    "pgd": (
        {"steps": "6", "step": "0.3"},
        {"steps": "6", "step": "0.3", "ball.norm": "l2", "ball.radius": "1"},
    ),
    "hopskipjump": (
        {"steps": "2", "probes": "12", "draw": "8"},
        {"steps": "2", "probes": "12", "ball.norm": "linf"},
    ),
}


def specimens(row: Row) -> list[Attack]:
    """The instances of a row that contracts run."""
    return [with_fields(row.load(), texts) for texts in FIELDS.get(row.slug, ({},))]
