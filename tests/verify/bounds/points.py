"""Points of boxes to hold bounds against: random ones, corners, and where gradients lead."""

import torch


def points(graph, low, high, count=1000, seed=0):
    """Points (count, n, *shape) of the boxes low <= x <= high."""
    generator = torch.Generator().manual_seed(seed)
    share = torch.rand(count, *low.shape, generator=generator).to(low)
    share[1::2] = share[1::2].round()  # corners
    share[2::10] = share[2::10].sub(0.5).mul(1e3).clamp(0, 1)  # edges
    x = (low + (high - low) * share).clamp(low, high)
    return torch.cat([x, *climbed(graph, low, high)])


def climbed(graph, low, high, steps=3):
    """Where signed gradients of each output lead, up and down."""
    middle = (low + high) / 2
    outputs = min(graph(middle).shape[1], 2)
    for output in range(outputs):
        for sign in (1, -1):
            x = middle
            for step in range(steps):
                x = x.clone().requires_grad_()
                found = graph(x)[:, output].sum()
                if not found.requires_grad:  # as of the shape of x
                    return
                way = torch.autograd.grad(found, x)[0].nan_to_num().sign()
                x = x.detach() + sign * way * (high - low) / 2 ** (1 + step // 2)
                x = x.clamp(low, high)
            yield x[None]


def answers(graph, x):
    """The outputs (count, n, outputs) at points (count, n, *shape)."""
    with torch.no_grad():
        return graph(x.flatten(0, 1)).unflatten(0, x.shape[:2])


def assert_within(bounds, outputs):
    """No output, where there is one, is outside the bounds by the last digit."""
    real = outputs.isfinite()
    assert not bool((real & (outputs < bounds.low)).any())
    assert not bool((real & (outputs > bounds.high)).any())
