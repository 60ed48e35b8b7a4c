"""Models whose answers are known, and rows, for the checks of the clean stage."""

import torch
from tests.subjects import Counting, Formula, vector_box

from pellucid.audit.check import Ground
from pellucid.audit.checks.accuracy import Accuracy
from pellucid.audit.severity import Limits
from pellucid.box.torch_box import TorchBox
from pellucid.box.views import VIEWS, Direct
from pellucid.data import Dataset
from pellucid.spec import Image, OneClass, Spec

LIMITS = Limits()


def dataset(x, y, names=None, columns=(), low=0.0, high=1.0):
    names = names or tuple(f"class {c}" for c in range(int(y.max()) + 1))
    return Dataset(
        name="made",
        split=None,
        x=x,
        y=y,
        low=low,
        high=high,
        class_names=names,
        columns=columns,
    )


def image_box(function, shape, classes, low=0.0, high=1.0, rows_per_call=1000):
    spec = Spec(
        input=Image(shape=shape, low=low, high=high),
        answer=OneClass(size=classes),
        rows_per_call=rows_per_call,
    )
    return TorchBox(module=Counting(Formula(function)), spec=spec, pad=1)


def number_box(function, d=1, classes=2, **facts):
    return vector_box(Counting(Formula(function)), d=d, classes=classes, pad=1, **facts)


def scored(scores, y, **facts):
    """A model that answers row i with scores[i]; its rows are their own numbers."""
    box = number_box(lambda x: scores[x[:, 0].long()], classes=scores.shape[1])
    return box, dataset(torch.arange(len(y)).float()[:, None], y, **facts)


def saying(said, y, classes, **facts):
    """A model that says said[i] of row i."""
    return scored(torch.nn.functional.one_hot(said, classes).float(), y, **facts)


def only(box, kind):
    """The box as its users are shown it who were granted less."""
    return VIEWS[kind](Direct(box))


def ground(box, data, **facts):
    return Ground(box=box, data=data, limits=facts.pop("limits", LIMITS), **facts)


def after_accuracy(box, data, **facts):
    """The ground once the first check is done, with the count of the model set back."""
    before = ground(box, data, **facts)
    found = Accuracy()(before, 10**6)
    box.module.rows = box.module.passes = 0
    return ground(box, data, earlier={"clean.accuracy": found}, **facts)


def images(n, shape, seed=0):
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed))
