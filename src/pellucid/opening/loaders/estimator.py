"""Opens scikit-learn estimators: `FILE.skops`, and pickles behind trust."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import xxhash

from pellucid.extras import extra
from pellucid.opening.facts import Facts
from pellucid.opening.found import Found, NoModel
from pellucid.opening.loaders._guests import hosting
from pellucid.opening.loaders.wrapped import wrapped

LARGEST = 2 * 2**30  # bytes that a skops file may unpack to


def load(reference: str, told: Facts) -> Found:
    """The estimator of a skops file; only types that skops trusts are made.

    Raises:
        NoModel: there is no such file, it is no skops file, or it holds other types.
    """
    with extra("sklearn", "A skops file"):
        import skops.io
    refused = partial(_unreadable, reference, "skops.io.dump(estimator, path)")
    _check_size(reference)
    with hosting(refused) as heard:
        strange = skops.io.get_untrusted_types(file=reference)
        if strange:
            raise NoModel(
                f"{reference} holds types that skops does not trust ({', '.join(strange)}), so it "
                "was not loaded: save the estimator without them, or, if you know where it comes "
                "from, save it with joblib and open that with --trust (trust=True)."
            )
        estimator = skops.io.load(reference)
    return _found(reference, estimator, told, heard)


def unpickle(reference: str, told: Facts) -> Found:
    """The estimator of a joblib file or a pickle, which runs whatever code the file holds.

    Raises:
        NoModel: the file cannot be unpickled.
    """
    with extra("sklearn", "A pickled estimator"):
        import joblib
        import sklearn  # what the pickle names, most likely
    with hosting(partial(_unreadable, reference, "joblib.dump(estimator, path)")) as heard:
        estimator = joblib.load(reference)
    heard.insert(0, f"Opening ran what {reference} holds, under scikit-learn {sklearn.__version__}")
    return _found(reference, estimator, told, heard)


def _found(reference: str, estimator: object, told: Facts, heard: list[str]) -> Found:
    digest = xxhash.xxh3_128_hexdigest(Path(reference).read_bytes())
    found = wrapped(estimator, emits=told.emits, digest=digest)
    return replace(found, notes=(*(f"{line}." for line in heard), *found.notes))


def _check_size(path: str) -> None:
    if not Path(path).is_file():
        raise NoModel(f"There is no file at {path}: check the path.")
    try:
        with ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (BadZipFile, OSError) as error:
        raise _unreadable(path, "skops.io.dump(estimator, path)", str(error)) from error
    if size > LARGEST:
        raise NoModel(
            f"{path} unpacks to {size / 2**30:.1f} GiB, and at most {LARGEST / 2**30:.0f} GiB are "
            "read: save a smaller estimator."
        )


def _unreadable(path: str, saving: str, how: str) -> NoModel:
    return NoModel(f"{path} cannot be read as an estimator ({how}): save it again with {saving}.")
