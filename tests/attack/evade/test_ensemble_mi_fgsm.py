"""MI-FGSM on an ensemble against the recursion written out, and against MI-FGSM itself."""

import pytest
import torch
from tests.attack.evade.surrogate_nets import boxes, nets, of_size_one, rows, streams
from torch.nn import functional

import pellucid
from pellucid.attack.evade.ensemble_mi_fgsm import EnsembleMIFGSM
from pellucid.attack.evade.mi_fgsm import MIFGSM
from pellucid.attack.input_transforms import Diversity, InputTransforms, Smoothing
from pellucid.ball import Ball
from pellucid.errors import UserError
from pellucid.runs import Status

LOSSES = {
    "logits": lambda outs, y: functional.cross_entropy(sum(outs) / len(outs), y),
    "probabilities": lambda outs, y: functional.nll_loss(
        (sum(out.softmax(-1) for out in outs) / len(outs)).log(), y
    ),
    "losses": lambda outs, y: sum(functional.cross_entropy(out, y) for out in outs) / len(outs),
}


def ends(method, surrogates, x, goal, seed=0):
    box = surrogates[0]
    parts = method(box=box, goal=goal, x=x, surrogates=surrogates, rng=streams(x, seed))
    return [z.clone() for z in parts]


@pytest.mark.parametrize("back", [0.0, 0.3])
@pytest.mark.parametrize("fuse", LOSSES)
def test_the_recursion_row_by_row(fuse, back):
    modules = nets(3)
    x, y = rows(modules)
    method = EnsembleMIFGSM(
        ball=Ball("linf", 0.5), steps=6, step=0.2, decay=0.8, fuse=fuse, back=back
    )
    found = ends(method, boxes(modules), x, pellucid.misled(y))
    assert len(found) == 6

    def slope(z, own):
        z = z.detach().requires_grad_()
        LOSSES[fuse]([net(z) for net in modules], own).backward()
        return z.grad

    for row in range(len(x)):
        z, v, own = x[row : row + 1], 0.0, y[row : row + 1]
        for iterate in found:
            at = z - 0.5 * back * slope(z, own).sign() if back else z
            v = 0.8 * v + of_size_one(slope(at, own))
            z = z.detach() + 0.1 * v.sign()
            z = x[row] + (z - x[row]).clamp(-0.5, 0.5)
            torch.testing.assert_close(iterate[row], z[0], rtol=0, atol=1e-12)


def test_on_one_surrogate_it_is_mi_fgsm():
    modules = nets(1)
    x, y = rows(modules)
    ours = EnsembleMIFGSM(ball=Ball("linf", 0.4), steps=5, step=0.2, decay=0.9)
    theirs = MIFGSM(ball=Ball("linf", 0.4), steps=5, decay=0.9)
    box = boxes(modules)
    alone = [z.clone() for z in theirs(box=box[0], goal=pellucid.misled(y), x=x)]
    for a, b in zip(ends(ours, box, x, pellucid.misled(y)), alone, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_scaled_copies_and_a_blurred_gradient_written_out():
    modules = nets(2)
    x, y = rows(modules)
    transforms = InputTransforms(smoothing=Smoothing(width=3), scales=2)
    method = EnsembleMIFGSM(ball=Ball("linf", 0.5), steps=1, transforms=transforms)
    (found,) = ends(method, boxes(modules), x, pellucid.misled(y))
    z = x.clone().requires_grad_()
    total = sum(
        functional.cross_entropy(sum(net(z * scale) for net in modules) / 2, y, reduction="sum")
        for scale in (1, 0.5)
    )
    (gradient,) = torch.autograd.grad(total, z)
    due = x + 0.05 * Smoothing(width=3)(gradient).sign()
    torch.testing.assert_close(found, due, rtol=0, atol=1e-12)


def test_surrogates_pay_and_the_victim_is_asked_by_the_judge_alone():
    modules = nets(3)
    x, y = rows(modules)
    victim, *surrogates = boxes(modules)
    method = EnsembleMIFGSM(
        ball=Ball("linf", 0.01), steps=4, transforms=InputTransforms(scales=2), back=0.1
    )
    found = pellucid.run(
        method, victim, x, goal=pellucid.misled(y), budget=0, surrogates=surrogates
    )
    assert set(found.status) == {Status.DONE}
    assert found.queries.tolist() == [0] * len(x)
    assert found.judged.tolist() == [2] * len(x)
    assert found.surrogate_queries.tolist() == [[16] * len(x)] * 2
    assert found.surrogate_gradients.tolist() == [[16] * len(x)] * 2


def test_diverse_views_depend_on_the_seed():
    modules = nets(2, shape=(1, 8, 8))
    x, y = rows(modules, shape=(1, 8, 8))
    transforms = InputTransforms(diversity=Diversity(probability=1.0, rate=0.5))
    method = EnsembleMIFGSM(ball=Ball("linf", 0.5), steps=3, transforms=transforms)
    box = boxes(modules, shape=(1, 8, 8))
    first, again, other = (ends(method, box, x, pellucid.misled(y), s)[-1] for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_surrogates_are_needed():
    modules = nets(1)
    x, y = rows(modules)
    with pytest.raises(UserError, match=r"needs surrogates: pass surrogates=\[box"):
        pellucid.run(EnsembleMIFGSM(), boxes(modules)[0], x, goal=pellucid.misled(y))


def test_a_ball_without_radius_is_refused():
    with pytest.raises(UserError, match="give the ball a radius"):
        EnsembleMIFGSM(ball=Ball("l2"))
