"""Monte-Carlo tree search on games that can be solved by hand."""

from itertools import chain, cycle, product
from math import log, sqrt

import pytest

from pellucid.attack.mcts import Tree
from pellucid.errors import UserError

# rewards of two moves, each answered by one of two
ROUND = {(0, 0): 0.9, (0, 1): 0.1, (1, 0): 0.5, (1, 1): 0.4}


class Pair:
    """Two moves each; the second player as asked."""

    def __init__(self, second):
        self.second = second

    def moves(self, line):
        return (0, 1) if len(line) < 2 else ()

    def player(self, line):
        return self.second if line else "maximiser"


class Deep(Pair):
    """The same, but the second player's last move leaves the game open for ever."""

    def moves(self, _line):
        return (0, 1)

    def player(self, line):
        return self.second if len(line) % 2 else "maximiser"


def played(game, rewards, rounds):
    tree = Tree(game, cycle([0.1, 0.6]))
    for _ in range(rounds):
        line = tree.descend()
        tree.learn(line, rewards(line))
    return tree


def test_a_finite_game_is_searched_whole_and_once():
    tree, lines = Tree(Pair("maximiser"), iter(())), []
    while (line := tree.descend()) is not None:
        lines.append(line)
        tree.learn(line, 0.5)
    short = [(0,), (1,)]
    assert sorted(lines) == sorted(chain(short, product((0, 1), repeat=2)))
    assert tree.descend() is None


@pytest.mark.parametrize(("second", "best"), [("maximiser", 0), ("minimiser", 1)])
def test_it_prefers_what_is_best_against_the_second_player(second, best):
    tree = played(Deep(second), lambda line: ROUND.get(line[:2], 0.5), 3000)
    assert tree.favourite() == best
    reply = 0 if second == "maximiser" else 1
    assert tree.favourite((best,)) == reply
    assert tree.mean((best, reply)) == pytest.approx(ROUND[best, reply], abs=0.02)


def test_against_nature_it_prefers_the_better_average():
    tree = played(Deep("nature"), lambda line: ROUND.get(line[:2], 0.5), 3000)
    assert tree.favourite() == 0
    assert tree.mean((0,)) == pytest.approx(0.5, abs=0.05)
    assert tree.mean((1,)) == pytest.approx(0.45, abs=0.05)


def test_choices_follow_ucb1():
    """Moves of known reward, each without end: counted beside a bandit by definition."""

    class Bandit(Pair):
        def moves(self, line):
            return (0, 1, 2) if not line else (0,)

        def player(self, _line):
            return "maximiser"

    rewards, visits = [0.2, 0.5, 0.45], [0, 0, 0]
    for turn in range(200):
        if 0 in visits:
            arm = visits.index(0)
        else:
            arm = max(range(3), key=lambda a: rewards[a] + sqrt(2 * log(turn) / visits[a]))
        visits[arm] += 1
    tree = Tree(Bandit("maximiser"), iter(()))
    counts = [0, 0, 0]
    for _ in range(200):
        line = tree.descend()
        counts[line[0]] += 1
        tree.learn(line, rewards[line[0]])
    assert counts == visits


def test_a_move_that_drops_out_is_left():
    class Shrinking(Pair):
        def moves(self, line):
            return (0, 1, 2)[: self.left] if not line else ()

    game = Shrinking("maximiser")
    game.left = 3
    tree = Tree(game, iter(()))
    assert tree.descend() == (0,)
    tree.learn((0,), 1.0)
    game.left = 1
    assert tree.descend() is None
    assert tree.favourite() == 0
    assert tree.favourite((0,)) is None
    assert tree.mean() == 1


def test_a_negative_weight_is_refused():
    with pytest.raises(UserError, match="0 or more"):
        Tree(Pair("maximiser"), iter(()), explore=-1.0)
