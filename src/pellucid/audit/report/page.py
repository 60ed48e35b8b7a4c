"""The report as one page that holds all it needs."""

from collections.abc import Mapping, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from pellucid.audit.report import accuracies, costs, damage, gallery, proofs, robustness
from pellucid.audit.report.bundle import bundle
from pellucid.audit.report.entries import entries
from pellucid.audit.report.examples import examples
from pellucid.audit.report.provenance import provenance
from pellucid.audit.report.reading import audit_of
from pellucid.audit.report.subjects import Arrays, Classes, Inputs, Subjects
from pellucid.audit.report.tiles import tiles
from pellucid.audit.report.verdict import counts, verdict
from pellucid.audit.report.words import discreet, number, title


def render(
    document: Mapping[str, object],
    arrays: Arrays,
    x: Inputs,
    y: Classes,
    class_names: Sequence[str],
) -> str:
    """The page, which loads nothing and runs no script but its own.

    Equal input makes an equal page. Credentials in URLs are left out.

    Args:
        document: what audit.json holds.
        arrays: what the checks kept, by check and by name.
        x: the rows, (n, *shape); none for an audit without labels.
        y: their classes, (n,).
        class_names: what the classes are called.
    """
    audit = audit_of(document)
    found = audit.findings
    names = [discreet(name) for name in class_names]
    subjects = Subjects(arrays=arrays, x=x, y=y, class_names=names)
    return _template().render(
        audit=audit,
        bundle=bundle(),
        verdict=verdict(audit),
        tiles=tiles(audit),
        counts=counts(found),
        robustness=robustness.charts(found),
        not_drawn=robustness.left_out(found),
        accuracies=accuracies.charts(found),
        damaged=damage.damaged(found, subjects),
        examples=examples(found, subjects),
        gallery=gallery.gallery(found, subjects),
        faithful=gallery.scores(found),
        curves=gallery.charts(found, subjects),
        proofs=proofs.charts(found),
        costs=costs.chart(audit),
        entries=entries(audit),
        provenance=provenance(audit),
        pictured=subjects.pictured,
    )


def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("pellucid.audit.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"check_title": title, "number": number}
    return environment.get_template("page.html.j2")
