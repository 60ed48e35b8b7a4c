"""Claims: the headline of a paper as a command, with its subjects, its statistics, its results."""
