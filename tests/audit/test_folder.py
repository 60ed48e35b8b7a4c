"""Folders for results."""

import numpy as np
import pytest

from pellucid.audit.folder import BadFolder, NotKept, keeping, usable, write_arrays


def test_a_folder_is_made_and_nothing_is_left_in_it(tmp_path):
    folder = usable(tmp_path / "a" / "b")
    assert folder.is_dir()
    assert not list(folder.iterdir())


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "taken").write_text("")
    for path in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(BadFolder, match="choose another folder"):
            usable(path)


def test_equal_arrays_make_equal_files(tmp_path):
    arrays = {"x": np.arange(6.0), "y": np.array([True])}
    for name in ("a.npz", "b.npz"):
        write_arrays(tmp_path / name, arrays)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz") as read:
        assert read["x"].tolist() == arrays["x"].tolist()


def test_what_cannot_be_kept_is_said_with_exit_code_3(tmp_path):
    with pytest.raises(NotKept, match="make room") as caught, keeping(tmp_path):
        write_arrays(tmp_path / "none" / ("n" * 300), {})
    assert caught.value.exit_code == 3
