"""Write src/pellucid/data/digits.npz from scikit-learn's copy of the UCI handwritten digits."""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

TARGET = Path(__file__).parents[1] / "src/pellucid/data/digits.npz"
TEST_ROWS = 500


def main() -> None:
    """Split once, stratified by class, so that loading needs neither scikit-learn nor a seed."""
    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        x.reshape(-1, 8, 8).astype(np.uint8),
        y.astype(np.uint8),
        test_size=TEST_ROWS,
        stratify=y,
        random_state=0,
    )
    np.savez_compressed(TARGET, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


if __name__ == "__main__":
    main()
