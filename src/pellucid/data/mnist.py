"""MNIST and Fashion-MNIST: 70,000 grey images of 28x28 pixels each, from their original files."""

from dataclasses import dataclass

import torch

from pellucid.data import idx
from pellucid.data.dataset import Dataset, Split
from pellucid.data.files import Published, digest_of
from pellucid.data.source import About

STEMS: dict[Split, str] = {"train": "train", "test": "t10k"}
ROWS = {"train": 60_000, "test": 10_000}


@dataclass(frozen=True, kw_only=True)
class IdxImages:
    """Grey images published as four gzipped IDX files; pixels are scaled to [0, 1]."""

    name: str
    folder: str  # below the data folder
    mirror: str  # ends with a slash
    sha256: dict[str, str]  # by file name without its common ending
    class_names: tuple[str, ...]
    provenance: str

    def load(self, split: Split) -> Dataset:
        """The rows of one split in their published order; x is (n, 1, 28, 28)."""
        images = idx.parse(self._file(f"{STEMS[split]}-images-idx3").fetch())
        labels = idx.parse(self._file(f"{STEMS[split]}-labels-idx1").fetch())
        return Dataset(
            name=self.name,
            split=split,
            x=torch.tensor(images).to(torch.float32).unsqueeze(1) / 255,
            y=torch.tensor(labels).to(torch.int64),
            low=0.0,
            high=1.0,
            class_names=self.class_names,
            provenance=self.provenance,
        )

    def digest(self) -> str:
        """One checksum over those of the four files; needs no file."""
        return digest_of(self._files())

    def about(self) -> About:
        """What can be said of it without reading it."""
        return About(
            name=self.name,
            rows=ROWS,
            shape=(1, 28, 28),
            classes=len(self.class_names),
            provenance=self.provenance,
            here=all(file.here() for file in self._files()),
        )

    def _files(self) -> list[Published]:
        return [self._file(stem) for stem in self.sha256]

    def _file(self, stem: str) -> Published:
        name = f"{stem}-ubyte.gz"
        return Published(
            path=f"{self.folder}/raw/{name}", url=self.mirror + name, sha256=self.sha256[stem]
        )


MNIST = IdxImages(
    name="mnist",
    folder="MNIST",
    mirror="https://ossci-datasets.s3.amazonaws.com/mnist/",
    sha256={
        "train-images-idx3": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
    class_names=tuple("0123456789"),
    provenance=(
        "The four original files of LeCun, Bottou, Bengio & Haffner, Proceedings of the IEEE 1998; "
        "no licence is stated."
    ),
)

FASHION_MNIST = IdxImages(
    name="fashion-mnist",
    folder="FashionMNIST",
    mirror="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    sha256={
        "train-images-idx3": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
    class_names=(
        "T-shirt/top",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
    provenance=(
        "The four original files of Xiao, Rasul & Vollgraf, arXiv:1708.07747, 2017; licence MIT."
    ),
)
