"""Monte-Carlo tree search: which line of moves to look into next, by upper confidence bounds."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf, log, sqrt
from typing import Generic, Literal, Protocol, TypeVar, runtime_checkable

from pellucid.errors import UserError

Move = TypeVar("Move", bound=Hashable)
Player = Literal["maximiser", "minimiser", "nature"]


@runtime_checkable
class Game(Protocol[Move]):
    """What may be played, and by whom; a line is all moves from the start."""

    def moves(self, line: tuple[Move, ...]) -> Sequence[Move]:
        """What may follow the line, in the order to try it; nothing where the game is over.

        A move may drop out while the search goes on, but none may come in.
        """
        ...

    def player(self, line: tuple[Move, ...]) -> Player:
        """Who moves after the line."""
        ...


@dataclass(eq=False)
class _Node(Generic[Move]):
    visits: int = 0
    total: float = 0.0  # of rewards
    done: bool = False  # all below it has been looked into
    children: "dict[Move, _Node[Move]]" = field(default_factory=dict)

    @property
    def mean(self) -> float:
        return self.total / self.visits if self.visits else 0.0


class Tree(Generic[Move]):
    """A search that is asked for a line and told what it was worth.

    UCT of Kocsis and Szepesvari, ECML 2006, without roll-outs, which are the caller's: so that
    many searches can share one question to a model. A part of the game that has been looked into to
    its end is not entered again; a finite game is thus searched whole in the end.
    """

    def __init__(
        self, game: Game[Move], dice: Iterator[float], *, explore: float = sqrt(2)
    ) -> None:
        """Nothing has been played yet.

        Args:
            game: what may be played.
            dice: numbers uniform in [0, 1), for nature.
            explore: weight of the bound on what is not known; rewards lie between 0 and 1.

        Raises:
            UserError: a negative weight.
        """
        if not explore >= 0:
            raise UserError(f"The weight of exploration is 0 or more, not {explore}.")
        self._game, self._dice, self._explore = game, dice, explore
        self._root: _Node[Move] = _Node()
        self._choose: dict[Player, Callable[[_Node[Move], Sequence[Move]], Move]] = {
            "maximiser": self._most,
            "minimiser": self._least,
            "nature": self._any,
        }

    def descend(self) -> tuple[Move, ...] | None:
        """The line to look into, one move longer than what is known; None when nothing is left."""
        while not self._root.done:
            line = self._down()
            if line is not None:
                return line
        return None

    def learn(self, line: tuple[Move, ...], reward: float) -> None:
        """Tell what the line was worth, between 0 and 1: to it, and to all that lead to it."""
        for node in self._along(line):
            node.visits += 1
            node.total += reward

    def favourite(self, line: tuple[Move, ...] = ()) -> Move | None:
        """The move after the line that was looked into most; None where there was none."""
        *_, node = self._along(line)
        return max(node.children, key=lambda move: node.children[move].visits, default=None)

    def mean(self, line: tuple[Move, ...] = ()) -> float:
        """The mean reward after the line."""
        *_, node = self._along(line)
        return node.mean

    def _along(self, line: tuple[Move, ...]) -> "Iterator[_Node[Move]]":
        node = self._root
        yield node
        for move in line:
            node = node.children[move]
            yield node

    def _down(self) -> tuple[Move, ...] | None:
        """To the first move that has not been tried; None where a part turns out to be done."""
        node, line = self._root, ()
        while True:
            moves = [m for m in self._game.moves(line) if not self._done(node, m)]
            if not moves:
                node.done = True
                return None
            for move in moves:
                if move not in node.children:
                    node.children[move] = _Node()
                    return (*line, move)
            move = self._choose[self._game.player(line)](node, moves)
            node, line = node.children[move], (*line, move)

    def _done(self, node: "_Node[Move]", move: Move) -> bool:
        return move in node.children and node.children[move].done

    def _most(self, node: "_Node[Move]", moves: Sequence[Move]) -> Move:
        return max(moves, key=lambda m: node.children[m].mean + self._doubt(node, m))

    def _least(self, node: "_Node[Move]", moves: Sequence[Move]) -> Move:
        return min(moves, key=lambda m: node.children[m].mean - self._doubt(node, m))

    def _any(self, _node: "_Node[Move]", moves: Sequence[Move]) -> Move:
        return moves[int(next(self._dice) * len(moves))]

    def _doubt(self, node: "_Node[Move]", move: Move) -> float:
        """How far the mean may be off: UCB1 of Auer et al., Machine Learning 2002."""
        visits = node.children[move].visits
        return self._explore * sqrt(log(max(node.visits, 1)) / visits) if visits else inf
