"""Ways to train a classifier."""

from pellucid.systems.row import Row

TRAINERS = (
    Row(
        slug="standard",
        kind="trainer",
        where="train.standard:Standard",
        source="kingma2015adam",
        title="Standard",
        modality="images, vectors",
        sort="baseline",
    ),
    Row(
        slug="pgd-training",
        kind="trainer",
        where="train.pgd_training:PGDTraining",
        source="madry2018towards",
        title="PGD training",
        modality="images, vectors",
        sort="baseline",
    ),
    Row(
        slug="fast-training",
        kind="trainer",
        where="train.fast_training:FastTraining",
        source="wong2020fast",
        title="Fast training",
        modality="images, vectors",
        sort="baseline",
    ),
    Row(
        slug="trades",
        kind="trainer",
        where="train.trades:TRADES",
        source="zhang2019theoretically",
        title="TRADES",
        modality="images, vectors",
        sort="baseline",
    ),
    Row(
        slug="intriguing-properties",
        kind="trainer",
        where="train.entropy_penalty:EntropyPenalty",
        source="cubuk2018intriguing",
        title="Entropy penalty",
        modality="images, vectors",
        claim="claims.intriguing_properties:CLAIM",
    ),
    Row(
        slug="cyclical-sgld",
        kind="trainer",
        where="train.cyclical_sgld:CyclicalSGLD",
        source="zhang2020cyclical",
        title="Cyclical SGLD",
        modality="images, vectors",
        sort="baseline",  # a part of bayesian-surrogate
    ),
    Row(
        slug="contrastive",
        kind="trainer",
        where="train.contrastive:Contrastive",
        source="radford2021learning",
        title="Contrastive training",
        modality="images beside captions",
        sort="baseline",
    ),
)
