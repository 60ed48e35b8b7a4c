"""Feature-guided search: fewer pixels than random search, the fewest in a game small enough.

On 50 images of MNIST at 2000 queries each, with random draws of two seeds; on 20 binary pictures of
4 x 4 pixels, where all inputs can be tried; and on regions of digits for the guarantee. The rival
changes pixels anywhere and puts back in the same way. No white-box attack on few pixels is here to
be compared with.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from pellucid import data, opening
from pellucid.attack.evade.feature_guided_mcts import FeatureGuidedMCTS
from pellucid.claims._proven_regions import network, regions
from pellucid.claims._random_pixels import RandomPixels
from pellucid.claims.claim import Claim, Measurement, Pair
from pellucid.claims.comparisons import EverySeed, ItemDifference, MedianRatio, Share, SignTest
from pellucid.claims.relation import Hypothesis, at_least, at_most, below
from pellucid.claims.subjects import recipe
from pellucid.goals import misled
from pellucid.needs import Attack
from pellucid.runner import run
from pellucid.runs import Run
from pellucid.shapes import Counts

SEEDS = 2
POOL, ROWS, FEWER = 100, 50, 10  # test images looked through, and attacked; the latter if quick
BUDGET = 2000  # queries an image, and a picture of the small game
# longer roll-outs than in the paper's code, for ours and theirs (pilot seed 1000)
OURS = FeatureGuidedMCTS(slack=3.0)
RANDOM = RandomPixels(slack=3.0)
SMALL = FeatureGuidedMCTS(saliency="pixels", pixels=1, sets=1, simulations=2000)
PICTURES, SIDE = 20, 4


def measure(seed: int, quick: bool) -> Measurement:
    """The network of MNIST is the same for all seeds, which decide what is drawn."""
    safe = regions(seed)
    return {
        **on_mnist(FEWER if quick else ROWS, seed),
        "small game": Pair(ours=as_few_as_can_be(seed)),
        "proven regions": Pair(ours=int(safe.proven.sum())),
        "proven and broken": Pair(ours=int((safe.proven & safe.broken).sum())),
        "broken regions": Pair(ours=int(safe.broken.sum())),
    }


def on_mnist(rows: int, seed: int) -> dict[str, Pair]:
    """How few pixels each search leaves changed, and when it first meets the goal."""
    test = data.load("mnist", "test")
    box = opening.open(
        recipe("mnist-cnn").build(), access="score", shape=(1, 28, 28), emits="logits"
    )
    x, y = test.x[:POOL], test.y[:POOL]
    right = (recipe("mnist-cnn").build()(x).argmax(1) == y).nonzero()[:rows, 0]
    x, y = x[right], y[right]

    def found(method: Attack) -> Run:
        return run(method, box, x, goal=misled(y), budget=BUDGET, seed=seed, progress=False)

    ours, theirs = found(OURS), found(RANDOM)
    anywhere = found(replace(OURS, saliency="uniform"))
    return {
        "success": Pair(ours=ours.success.tolist()),
        "pixels": Pair(ours=changed(ours), theirs=changed(theirs)),
        "pixels, sign": Pair(ours=changed(ours), theirs=changed(theirs)),
        "keypoints, pixels": Pair(ours=changed(ours), theirs=changed(anywhere)),
        "keypoints, first": Pair(ours=first(ours).tolist(), theirs=first(anywhere).tolist()),
    }


def changed(found: Run) -> list[int]:
    """Pixels that differ in what was found; all of them where nothing was."""
    count = (found.adversarial != found.x).flatten(1).sum(1)
    return torch.where(found.success, count, found.x[0].numel()).tolist()


def first(found: Run) -> Counts:
    """The query at which each row first met the goal; one more than the budget where none did."""
    none = torch.full((len(found),), BUDGET + 1)
    return none.scatter_reduce(0, found.found_row, found.found_query, "amin")


def as_few_as_can_be(seed: int) -> int:
    """Of 20 binary pictures, how many are given as few changed pixels as brute force finds."""
    pixels = SIDE * SIDE
    module = _drawn_network(pixels, seed)
    codes = torch.arange(2**pixels)
    every = (codes[:, None] >> torch.arange(pixels)) & 1
    with torch.no_grad():
        labels = module(every.float().reshape(-1, 1, SIDE, SIDE)).argmax(1)
    chosen = torch.randperm(2**pixels, generator=torch.Generator().manual_seed(seed))[:PICTURES]
    x, y = every[chosen].float().reshape(-1, 1, SIDE, SIDE), labels[chosen]
    box = opening.open(module, access="score", shape=(1, SIDE, SIDE), emits="logits")
    found = run(SMALL, box, x, goal=misled(y), budget=BUDGET, seed=seed, progress=False)
    count = (found.adversarial != x).flatten(1).sum(1)
    fewest = torch.stack([_fewest(every, labels, row) for row in chosen])
    return int((found.success & (count == fewest)).sum())


def _fewest(every: Tensor, labels: Tensor, row: Tensor) -> Tensor:
    """The distance from a picture to the nearest of another class."""
    return (every != every[row]).sum(1)[labels != labels[row]].min()


def _drawn_network(pixels: int, seed: int) -> nn.Module:
    """A network that was never trained: two layers of random weights, three classes."""
    rng = torch.Generator().manual_seed(seed)
    first, second = nn.Linear(pixels, 24), nn.Linear(24, 3)
    with torch.no_grad():
        for layer in (first, second):
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=rng))
            layer.bias.zero_()
    return nn.Sequential(nn.Flatten(), first, nn.Tanh(), second).eval()


CLAIM = Claim(
    slug="feature-guided-mcts",
    title="Feature-guided search changes fewer pixels than random search",
    seeds=SEEDS,
    measure=measure,
    data=("mnist", "digits"),
    subjects=(recipe("mnist-cnn"), *(network(seed) for seed in range(SEEDS))),
    hypotheses=(
        Hypothesis(
            name="small game",
            meaning="of 20 pictures of 4 x 4, those with no more changed pixels than need be",
            statistic=EverySeed(),
            threshold=at_least(0),
            against=PICTURES,
        ),
        Hypothesis(
            name="success",
            meaning="share of images on which the goal is met",
            statistic=ItemDifference(),
            threshold=at_least(0.95),
            against=0,
        ),
        Hypothesis(
            name="pixels",
            meaning="median changed pixels over those of random search",
            statistic=MedianRatio(),
            threshold=at_most(0.8),
        ),
        Hypothesis(
            name="pixels, sign",
            meaning="p-value of the sign test that random search changes no more pixels",
            statistic=SignTest(smaller=True),
            threshold=below(0.01),
        ),
        Hypothesis(
            name="keypoints, first",
            meaning="share of images on which SIFT's keypoints meet the goal in fewer queries than "
            "pixels anywhere, in the same search",
            statistic=Share(of=below(0)),
            threshold=at_least(0.6),
        ),
        Hypothesis(
            name="keypoints, pixels",
            meaning="median changed pixels over those of the same search of pixels anywhere",
            statistic=MedianRatio(),
            threshold=at_most(1),
            required=False,
        ),
        Hypothesis(
            name="proven regions",
            meaning="regions that the grid proves safe, of 40",
            statistic=EverySeed(),
            threshold=at_least(5),
            against=0,
        ),
        Hypothesis(
            name="proven and broken",
            meaning="regions proven safe in which one of 1000 climbs leaves the class",
            statistic=EverySeed(),
            threshold=at_most(0),
            against=0,
        ),
        Hypothesis(
            name="broken regions",
            meaning="regions in which a climb leaves the class, none of which may be proven",
            statistic=EverySeed(),
            threshold=at_least(1),
            against=0,
            required=False,
        ),
    ),
)
