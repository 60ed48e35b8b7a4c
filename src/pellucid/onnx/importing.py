"""A graph with gradients where every operator is known and agrees, else a session without."""

from onnx import ModelProto

from pellucid.onnx.agreement import agree, distance, questions, tolerance
from pellucid.onnx.graph import Graph, UnknownOperator
from pellucid.onnx.ports import BadGraph
from pellucid.onnx.session import Session

ALONE = (
    "The graph does not answer rows asked together as it answers each alone, so that each row is "
    "run alone, which is slower."
)


def load(
    model: ModelProto,
    output: str | None = None,
    *,
    shape: tuple[int, ...] | None = None,
    bounds: tuple[float, float] | None = None,
) -> tuple[Graph | Session, tuple[str, ...]]:
    """A model that `reading.read` has passed, checked against onnxruntime, and what to know of it.

    `output` is the name of the output that is read, `shape` that of a row where the file leaves
    sizes open, `bounds` where its numbers lie, in the model's own units.

    Raises:
        BadGraph: the model cannot be run.
        Disagreement: a node answers otherwise than onnxruntime says it should.
    """
    session = Session(model, output)
    # onnxruntime first: what it may hold is bounded, and some sizes show only as a graph runs
    session.alone()(questions(session.ports, shape, bounds)[:1])
    try:
        graph = Graph.of(model, output)
    except UnknownOperator as error:
        settled, notes = _settle(model, session, shape, bounds)
        return settled, (str(error), *notes)
    agreed = agree(model, graph, session, shape=shape, bounds=bounds)
    return agreed, () if agreed is graph else (ALONE,)


def _settle(
    model: ModelProto,
    session: Session,
    shape: tuple[int, ...] | None,
    bounds: tuple[float, float] | None,
) -> tuple[Session, tuple[str, ...]]:
    """The session as it is, or row by row if the graph mixes the rows that it is asked together."""
    x, alone = questions(session.ports, shape, bounds), session.alone()
    want = alone(x)
    try:
        mixed = distance(session(x), want) > tolerance(model)
    except BadGraph:
        mixed = True
    return (alone, (ALONE,)) if mixed else (session, ())
