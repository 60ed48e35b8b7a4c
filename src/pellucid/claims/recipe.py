"""How a subject is made: all that decides its weights, and the cache of those made before."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import load_file, save_file
from torch import Generator, nn

from pellucid import data, fit
from pellucid.claims.following import digest, reached
from pellucid.data.files import cache_folder
from pellucid.train.trainer import Trainer

WEIGHTS, RECORD = "weights.safetensors", "record.json"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network, and how it is trained on the train split of which data."""

    name: str
    architecture: partial[nn.Module]  # called without arguments it makes the untrained network
    data: str  # the name of a data set
    trainer: Trainer
    rows: int | None = None  # train on the first so many rows only
    seed: int = 0  # decides the first weights, the order of rows and the trainer's draws

    def hash(self) -> str:
        """A digest of the fields, the data's bytes, and the source of the code that trains."""
        makers = (Recipe, type(self.trainer), self.architecture.func, fit.fit)
        files: dict[str, Path] = {}
        for maker in makers:
            files |= reached(maker.__module__)
        content = {
            "recipe": self.described(),
            "data": data.digest(self.data),
            "sources": {name: digest(path) for name, path in files.items()},
        }
        return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def described(self) -> dict[str, str | int | float | None]:
        """The fields in words and numbers, for the hash and the record."""
        make = self.architecture
        return {
            "name": self.name,
            "architecture": f"{make.func.__module__}:{make.func.__qualname__}",
            "arguments": repr((make.args, sorted(make.keywords.items()))),
            "data": self.data,
            "rows": self.rows,
            "trainer": repr(self.trainer),
            "seed": self.seed,
        }

    def build(self) -> nn.Module:
        """The trained network in eval mode: from the cache, or trained now and kept there.

        Raises:
            MissingExtra: it must be trained and Lightning Fabric is not installed.
            MissingFile: it must be trained and the data set cannot be had.
        """
        place = self.folder()
        if not place.is_dir():
            self._make(place)
        module = self._untrained()
        module.load_state_dict(load_file(place / WEIGHTS))
        return module.eval()

    def folder(self) -> Path:
        """Where the weights and their record are kept, once made."""
        return cache_folder() / "subjects" / self.hash()

    def train(self, each: Callable[[fit.Stats], None] = lambda _: None) -> nn.Module:
        """The network trained afresh, in eval mode, without the cache; `each` hears the epochs."""
        module, train = self._untrained(), data.load(self.data, "train")
        rows, rng = (train.x[: self.rows], train.y[: self.rows]), Generator().manual_seed(self.seed)
        with _one_thread():
            for item in self.trainer(module, rows, rng):
                if isinstance(item, fit.Stats):
                    each(item)
        return module

    def _untrained(self) -> nn.Module:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            torch.manual_seed(self.seed)
            return self.architecture()

    def _make(self, place: Path) -> None:
        began = time.perf_counter()
        module = self.train()
        test = data.load(self.data, "test")
        record = self.described() | {
            "accuracy": fit.accuracy(module, test.x, test.y),
            "seconds": time.perf_counter() - began,
            "torch": torch.__version__,
            "cpu": torch.backends.cpu.get_cpu_capability(),
        }
        place.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=place.parent) as scratch:
            made = Path(scratch, "made")
            made.mkdir()
            save_file(module.state_dict(), made / WEIGHTS)
            (made / RECORD).write_text(json.dumps(record, indent=2), encoding="utf-8")
            try:
                made.rename(place)
            except OSError:  # another process was first; its weights serve as well
                if not place.is_dir():
                    raise


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums split over threads round differently: on one, the number of cores decides no bit.

    Networks this small also train fastest so, above all where other work shares the cores.
    """
    found = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(found)
