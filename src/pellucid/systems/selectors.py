"""Rules that pick a few items of a stream, each at once and for good."""

from pellucid.systems.row import Row

SELECTORS = (
    Row(
        slug="online-attack",
        kind="selector",
        where="attack.online.virtual_plus:VirtualPlus",
        source="mladenovic2022online",
        title="Virtual+",
        modality="streams",
        claim="claims.online_attack:CLAIM",
    ),
    Row(
        slug="virtual",
        kind="selector",
        where="attack.online.virtual:Virtual",
        source="babaioff2007knapsack",
        title="Virtual",
        modality="streams",
        sort="baseline",
    ),
    Row(
        slug="optimistic",
        kind="selector",
        where="attack.online.optimistic:Optimistic",
        source="babaioff2007knapsack",
        title="Optimistic",
        modality="streams",
        sort="baseline",
    ),
    Row(
        slug="single-ref",
        kind="selector",
        where="attack.online.single_ref:SingleRef",
        source="albers2019new",
        title="Single-Ref",
        modality="streams",
        sort="baseline",
    ),
)
