"""The cases of test_operators: values, attributes and operator sets."""

import itertools

import numpy as np
from onnx import TensorProto
from tests.onnx.operator_graphs import Case

I64 = np.int64


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def positive(*shape, seed=0):
    return np.abs(normal(*shape, seed=seed)) + np.float32(0.1)


def whole(*numbers):
    return np.array(numbers, dtype=I64)


def case(operator, x, *others, opsets=(21,), first=0, read=0, outputs=1, **attributes):
    return Case(
        operator=operator,
        x=x,
        others=others,
        attributes=attributes,
        opsets=opsets,
        first=first,
        read=read,
        outputs=outputs,
    )


X = normal(2, 3, 4)
IMAGE = normal(2, 3, 7, 6)
BITS = np.array([[True, False], [True, True]])
MORE = np.array([[True, True], [False, False]])
ALL = (8, 9, 11, 13, 18, 21)

UNARY = [
    *(case(name, X, opsets=(8, 13)) for name in ("Abs", "Ceil", "Exp", "Floor", "Neg", "Tanh")),
    *(case(name, X, opsets=(8, 21)) for name in ("Cos", "Identity", "Sin", "Tan", "Relu")),
    *(case(name, X, opsets=(9, 13)) for name in ("Cosh", "Sinh", "Sign", "Erf")),
    *(case(name, positive(2, 3), opsets=(8, 13)) for name in ("Log", "Sqrt", "Reciprocal")),
    *(case(name, np.tanh(X)) for name in ("Acos", "Asin", "Atan")),
    *(case(name, X, opsets=(8, 14)) for name in ("Sigmoid", "Softplus", "Softsign")),
    case("Round", np.array([-1.5, -0.5, 0.5, 1.5, 2.4], dtype=np.float32), opsets=(11,)),
    case("Softplus", np.array([-30, 0, 19, 21, 90], dtype=np.float32)),
    case("IsNaN", np.array([0, np.nan, np.inf], dtype=np.float32), opsets=(9, 20)),
    case("IsInf", np.array([0, -np.inf, np.inf], dtype=np.float32), opsets=(10, 20)),
    case("IsInf", np.array([0, -np.inf, np.inf], dtype=np.float32), detect_negative=0),
    case("Dropout", X, opsets=(8, 10, 12, 13)),
    case("Dropout", X, ratio=0.3, opsets=(8, 10)),
    case("Not", BITS),
]

BINARY = [
    *(case(n, X, normal(3, 1, seed=1), opsets=(8, 14)) for n in ("Add", "Sub", "Mul", "Div")),
    *(case(n, X, normal(3, 1, seed=1), first=1) for n in ("Sub", "Div")),
    case("Div", whole(-7, 7, -8), whole(2, -2, 3)),
    case("Mod", whole(-7, 7, -8), whole(2, -2, 3), opsets=(10, 13)),
    case("Mod", X, normal(1, seed=1), fmod=1),
    case("Pow", positive(2, 3), np.float32(1.7), opsets=(8, 12, 15)),
    case("Pow", X, whole(2), opsets=(12, 15)),
    case("Pow", np.float32([0.5, 2.0]), np.float32([2.0, 3.0]), first=1),
    *(case(n, np.round(X), np.round(X[:, :, ::-1]), opsets=(11, 13)) for n in ("Equal", "Less")),
    *(case(n, np.round(X), np.round(X[:1]), opsets=(9, 13)) for n in ("Greater",)),
    *(case(n, np.round(X), np.round(X[:1]), opsets=(12, 16)) for n in ("LessOrEqual",)),
    *(case(n, np.round(X), np.round(X[:1]), opsets=(12, 16)) for n in ("GreaterOrEqual",)),
    *(case(n, BITS, MORE) for n in ("And", "Or", "Xor")),
    case("Where", BITS, normal(2, 2), normal(1, seed=1), opsets=(9, 16)),
    case("Where", normal(2, 2), BITS, normal(1, seed=1), first=1),
    *(case(n, X, normal(3, 1), normal(4), opsets=(8, 13)) for n in ("Max", "Min", "Mean", "Sum")),
    case("Max", X),
    case("Clip", X, min=-0.5, max=0.5, opsets=(8, 9)),
    case("Clip", X, min=-0.5, opsets=(9,)),
    case("Clip", X, np.float32(-0.5), np.float32(0.5), opsets=(11, 13)),
    case("Clip", X, None, np.float32(0.5)),
    case("Clip", X, np.float32(0.5), np.float32(-0.5)),
    case("Clip", X),
    case("Clip", np.float32(-0.2), normal(2, 3), None, first=1),
    case("Clip", np.float32(0.2), normal(2, 3), np.float32(-0.5), first=2),
]

ACTIVATIONS = [
    *(case(n, X, opsets=(8, 13)) for n in ("Elu", "Selu", "LeakyRelu", "HardSigmoid")),
    *(case(n, X, alpha=0.3) for n in ("Elu", "Selu", "LeakyRelu", "HardSigmoid", "Celu")),
    case("Selu", X, gamma=2.0),
    case("HardSigmoid", 4 * X, alpha=0.3, beta=0.4),
    case("ThresholdedRelu", X, opsets=(10,)),
    case("ThresholdedRelu", X, alpha=0.3, opsets=(10,)),
    case("Celu", X, opsets=(12,)),
    case("HardSwish", 4 * X, opsets=(14,)),
    case("Mish", X, opsets=(18,)),
    case("PRelu", X, normal(3, 1), opsets=(8, 9, 16)),
    case("PRelu", X, normal(1)),
    case("Gelu", X, opsets=(20,)),
    case("Gelu", X, approximate="tanh", opsets=(20,)),
    *(case(n, X, opsets=(8, 11, 12, 13)) for n in ("Softmax", "LogSoftmax")),
    *(
        case(n, X, axis=axis, opsets=(11, 13))
        for n in ("Softmax", "LogSoftmax")
        for axis in (-2, -1, 0, 1, 2)
    ),
    case("Softmax", IMAGE, axis=2, opsets=(8, 13)),
]

LINEAR = [
    case("Gemm", normal(2, 3), normal(3, 4), normal(4, seed=1), opsets=(8, 9, 11, 13)),
    case("Gemm", normal(2, 3), normal(4, 3), normal(1, 4, seed=1), transB=1),
    case("Gemm", normal(3, 2), normal(4, 3), normal(2, 1), transA=1, transB=1, alpha=0.3, beta=2.0),
    case("Gemm", normal(2, 3), normal(3, 4), np.float32(0.5)),
    case("Gemm", normal(2, 3), normal(3, 4), opsets=(11,), alpha=0.5),
    case("MatMul", normal(2, 3), normal(3, 4), opsets=(8, 13)),
    case("MatMul", normal(5, 2, 3), normal(3, 4)),
    case("MatMul", normal(5, 2, 3), normal(5, 3, 4)),
    case("MatMul", normal(3), normal(3, 4)),
    case("MatMul", normal(5, 2, 3), normal(3)),
    case("MatMul", normal(3, 4), normal(2, 3), first=1),
    case("Einsum", normal(2, 3, 4), normal(2, 5, 4), equation="bid, bjd -> bij", opsets=(12,)),
    case("Einsum", normal(2, 3, 4), equation="...ij->...ji"),
]

KERNEL = normal(4, 3, 3, 2, seed=1)
BACK = normal(3, 4, 3, 2, seed=1)
CONVOLUTIONS = [
    case("Conv", IMAGE, KERNEL, opsets=(8, 11)),
    case("Conv", IMAGE, KERNEL, normal(4), pads=[1, 0, 2, 1], strides=[2, 1]),
    case("Conv", IMAGE, KERNEL, pads=[1, 1, 1, 1], dilations=[2, 1], kernel_shape=[3, 2]),
    case("Conv", IMAGE, normal(6, 1, 3, 2), group=3),
    case("Conv", normal(2, 3, 9), normal(4, 3, 3), pads=[2, 1]),
    case("Conv", normal(2, 3, 5, 4, 3), normal(4, 3, 2, 2, 2), normal(4), strides=[2, 1, 1]),
    *(
        case("Conv", IMAGE, KERNEL, auto_pad=auto, strides=strides)
        for auto in ("SAME_UPPER", "SAME_LOWER", "VALID")
        for strides in ([1, 1], [2, 3])
    ),
    case("ConvTranspose", IMAGE, BACK, normal(4), opsets=(8, 11)),
    case("ConvTranspose", IMAGE, BACK, strides=[2, 3], pads=[1, 0, 1, 0]),
    case("ConvTranspose", IMAGE, BACK, strides=[2, 3], pads=[1, 0, 2, 1], output_padding=[1, 2]),
    case("ConvTranspose", IMAGE, BACK, strides=[2, 2], dilations=[2, 1]),
    case("ConvTranspose", IMAGE, normal(3, 2, 3, 2), group=3),
    case("ConvTranspose", IMAGE, BACK, strides=[3, 2], output_shape=[20, 12]),
    case(
        "ConvTranspose", IMAGE, BACK, strides=[3, 2], output_shape=[20, 11], auto_pad="SAME_UPPER"
    ),
    case("ConvTranspose", IMAGE, BACK, strides=[2, 2], auto_pad="SAME_UPPER"),
    case("ConvTranspose", IMAGE, BACK, strides=[1, 2], auto_pad="SAME_LOWER"),
    case("ConvTranspose", normal(2, 3, 5), normal(3, 2, 3), strides=[2]),
]

POOLS = [
    *(
        case(name, IMAGE, kernel_shape=kernel, pads=pads, strides=strides, ceil_mode=ceil)
        for name, kernel, pads, strides, ceil in itertools.product(
            ("MaxPool", "AveragePool"),
            ([3, 2], [2, 4]),
            ([0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 1, 0]),
            ([1, 1], [2, 3]),
            (0, 1),
        )
    ),
    *(
        case(name, IMAGE, kernel_shape=[3, 2], auto_pad=auto, strides=[2, 1])
        for name in ("MaxPool", "AveragePool")
        for auto in ("SAME_UPPER", "SAME_LOWER", "VALID")
    ),
    *(
        case(
            "AveragePool",
            IMAGE,
            kernel_shape=[3, 2],
            pads=pads,
            strides=[2, 2],
            count_include_pad=1,
            ceil_mode=ceil,
        )
        for pads in ([1, 1, 1, 1], [0, 1, 1, 0])
        for ceil in (0, 1)
    ),
    *(case(n, IMAGE, kernel_shape=[2, 2], opsets=(8, 10, 11)) for n in ("MaxPool", "AveragePool")),
    *(case(n, IMAGE, opsets=(8,)) for n in ("GlobalAveragePool", "GlobalMaxPool")),
    *(case(n, normal(2, 3, 4, 3, 2)) for n in ("GlobalAveragePool", "GlobalMaxPool")),
    case("MaxPool", IMAGE, kernel_shape=[3, 2], dilations=[2, 3]),
    case("MaxPool", IMAGE, kernel_shape=[3, 2], dilations=[2, 1], pads=[2, 1, 2, 1], ceil_mode=1),
    case("MaxPool", IMAGE, kernel_shape=[2, 2], pads=[1, 0, 1, 1], strides=[2, 2], outputs=2),
    case("MaxPool", normal(2, 3, 9), kernel_shape=[3], strides=[2], ceil_mode=1),
    case("MaxPool", normal(2, 3, 4, 4, 4), kernel_shape=[2, 2, 2]),
    case("AveragePool", normal(2, 3, 9), kernel_shape=[3], strides=[2], pads=[1, 1]),
    case("AveragePool", normal(2, 3, 4, 4, 4), kernel_shape=[2, 2, 2]),
    case("AveragePool", IMAGE, kernel_shape=[3, 2], dilations=[2, 1], opsets=(19,)),
    case(
        "AveragePool",
        IMAGE,
        kernel_shape=[3, 2],
        dilations=[2, 1],
        pads=[1, 1, 1, 1],
        count_include_pad=1,
        opsets=(19,),
    ),
]

STATISTICS = (normal(3), normal(3, seed=1), normal(3, seed=2), positive(3))
NORMALISATIONS = [
    case("BatchNormalization", IMAGE, *STATISTICS, opsets=(8, 9, 14, 15)),
    case("BatchNormalization", normal(2, 3), *STATISTICS, epsilon=0.1),
    case("InstanceNormalization", IMAGE, *STATISTICS[:2], opsets=(8, 21)),
    case("InstanceNormalization", normal(2, 3, 5), *STATISTICS[:2], epsilon=0.1),
    case("LayerNormalization", X, normal(4), normal(4, seed=1), opsets=(17,)),
    case("LayerNormalization", X, normal(3, 4), axis=1, epsilon=0.1, opsets=(17,)),
    case("LayerNormalization", X, normal(4), normal(3, 4), axis=-2, opsets=(17,)),
    case(
        "GroupNormalization",
        normal(2, 6, 4),
        normal(3),
        normal(3, seed=1),
        num_groups=3,
        opsets=(18,),
    ),
    case("GroupNormalization", normal(2, 6, 4), normal(6), normal(6, seed=1), num_groups=3),
    *(case("LRN", normal(2, 7, 3, 3), size=size, opsets=(8, 13)) for size in (1, 3)),
    case("LRN", normal(2, 7, 3, 3), size=5, alpha=0.5, beta=0.6, bias=2.0),
]

LAYOUTS = [
    case("Reshape", X, whole(0, -1), opsets=(8, 14)),
    case("Reshape", X, whole(4, 6)),
    case("Reshape", X, whole(1, 2, -1, 3)),
    case("Reshape", X, whole(2, 3, 4), allowzero=1, opsets=(14,)),
    *(case("Flatten", X, axis=axis, opsets=(9, 13)) for axis in (0, 1, 2, 3)),
    *(case("Flatten", X, axis=axis, opsets=(11,)) for axis in (-1, -3)),
    case("Flatten", X),
    case("Transpose", X),
    case("Transpose", X, perm=[1, 2, 0], opsets=(8, 13)),
    case("Squeeze", normal(2, 1, 3, 1), opsets=(8, 13)),
    case("Squeeze", normal(2, 1, 3, 1), axes=[3], opsets=(8, 11)),
    case("Squeeze", normal(2, 1, 3, 1), whole(-1, 1), opsets=(13,)),
    case("Unsqueeze", normal(2, 3), axes=[0, 3], opsets=(8, 11)),
    case("Unsqueeze", normal(2, 3), axes=[-1, 1], opsets=(11,)),
    case("Unsqueeze", normal(2, 3), whole(-1, 1), opsets=(13,)),
    case("Expand", normal(2, 1, 4), whole(5, 2, 3, 1), opsets=(8, 13)),
    case("Tile", normal(2, 3), whole(2, 3), opsets=(8, 13)),
    case("Shape", X, opsets=(8, 13)),
    case("Shape", X, start=-2, opsets=(15,)),
    case("Shape", X, start=0, end=-1, opsets=(15,)),
    case("Size", X),
    case("DepthToSpace", normal(2, 8, 3, 2), blocksize=2, opsets=(8, 11)),
    case("DepthToSpace", normal(2, 8, 3, 2), blocksize=2, mode="CRD"),
    case("SpaceToDepth", normal(2, 3, 4, 6), blocksize=2),
]

PLACES = np.array([[0, 2], [-1, 1]], dtype=I64)
PARTS = [
    case("Concat", X, normal(2, 2, 4), axis=1, opsets=(8, 13)),
    case("Concat", X, normal(2, 3, 1), axis=-1, first=1),
    *(case("Split", X, axis=2, outputs=2, read=r, opsets=(8, 11, 13)) for r in (0, 1)),
    case("Split", X, axis=2, split=[1, 3], outputs=2, read=1, opsets=(8, 11)),
    case("Split", X, whole(1, 3), axis=-1, outputs=2, read=1, opsets=(13,)),
    *(case("Split", IMAGE, axis=2, num_outputs=3, outputs=3, read=r, opsets=(18,)) for r in (0, 2)),
    case("Slice", X, starts=[0, 1], ends=[1, 9], opsets=(8, 9)),
    case("Slice", X, starts=[-2], ends=[-1], axes=[2], opsets=(9,)),
    case("Slice", X, whole(1), whole(2**63 - 1), whole(-1), opsets=(10, 11, 13)),
    case("Slice", X, whole(0, -1), whole(2, -9), whole(1, 2), whole(1, -2)),
    case("Slice", X, whole(9), whole(-(2**63)), whole(1), whole(-1)),
    case("Slice", X, whole(0), whole(4), whole(2), whole(3)),
    *(case("Gather", X, PLACES, axis=axis, opsets=(11, 13)) for axis in (1, 2, -1)),
    case("Gather", X, np.array(1), axis=1, opsets=(8, 13)),
    case("Gather", X, np.array([0, 1], dtype=np.int32)),
    case("Gather", np.array([[0, 2], [1, 1]]), normal(3, 4), first=1),
    case("GatherElements", normal(2, 3), PLACES, axis=1, opsets=(11, 13)),
    *(case("Trilu", normal(2, 4, 4), np.array(k), upper=u) for k in (-1, 1) for u in (0, 1)),
    case("Trilu", normal(4, 4), opsets=(14,)),
]

REDUCTIONS = [
    *(
        case(f"Reduce{name}", positive(2, 3, 4), axes=axes, keepdims=keep, opsets=opsets)
        for name in ("Mean", "Sum", "Max", "Min", "Prod", "L1", "L2")
        for axes, keep, opsets in (([1], 1, (8, 11)), ([0, 2], 0, (8,)), ([-1], 0, (11,)))
    ),
    *(
        case(f"Reduce{name}", positive(2, 3, 4), axes=[1], opsets=(11, 13))
        for name in ("SumSquare", "LogSum", "LogSumExp")
    ),
    *(
        case(f"Reduce{name}", X, whole(*axes), keepdims=keep, opsets=(18,))
        for name in ("Mean", "Sum", "Max", "Min", "Prod", "L2", "SumSquare", "LogSumExp")
        for axes, keep in (([1], 1), ([-1, 0], 0))
    ),
    case("ReduceSum", X, whole(1), opsets=(13,)),
    case("ReduceSum", X, opsets=(13,)),
    case("ReduceSum", X, noop_with_empty_axes=1, opsets=(13,)),
    *(case(n, X, opsets=(8, 11, 13)) for n in ("ArgMax", "ArgMin", "ReduceMean")),
    *(case(n, X, axis=-1, keepdims=0, opsets=(11, 13)) for n in ("ArgMax", "ArgMin")),
    *(
        case(n, np.ones((2, 3), dtype=np.float32), axis=1, select_last_index=last, opsets=(12,))
        for n in ("ArgMax", "ArgMin")
        for last in (0, 1)
    ),
    *(case("TopK", X, whole(2), axis=1, outputs=2, read=r, opsets=(10, 11)) for r in (0, 1)),
    case("TopK", X, whole(2), largest=0, outputs=2, read=1),
    case("TopK", X, k=2, outputs=2, opsets=(8,)),
    *(
        case("CumSum", X, np.array(1), exclusive=exclusive, reverse=reverse, opsets=(11, 14))
        for exclusive in (0, 1)
        for reverse in (0, 1)
    ),
]

PADS = whole(0, 1, 2, 2, 0, 1)
CREATIONS = [
    case("Pad", X, pads=[0, 1, 2, 2, 0, 1], opsets=(8,)),
    case("Pad", X, pads=[0, 1, 2, 2, 0, 1], value=1.5, opsets=(8,)),
    case("Pad", X, pads=[0, 1, 2, 0, 0, 1], mode="reflect", opsets=(8,)),
    case("Pad", X, pads=[0, 1, 2, 0, 0, 1], mode="edge", opsets=(8,)),
    case("Pad", X, PADS, opsets=(11, 13)),
    case("Pad", X, PADS, np.float32(1.5)),
    case("Pad", X, PADS, mode="edge"),
    case("Pad", X, whole(0, 2, 3, 1, 1, 2), mode="reflect"),
    case("Pad", X, whole(0, 1, 2, 0, 1, 1), mode="wrap", opsets=(19,)),
    case("Pad", X, whole(0, -1, 2, 0, 0, -1)),
    case("Pad", X, whole(1, 2), None, whole(-1), opsets=(18,)),
    case("Pad", X, whole(0, 0, 0, 0, 0, 0)),
    case("Cast", 3 * X, to=TensorProto.INT64, opsets=(9, 13)),
    case("Cast", np.round(X), to=TensorProto.BOOL, opsets=(9, 13)),
    case("Cast", whole(1, 2), to=TensorProto.FLOAT),
    case("Cast", X, to=TensorProto.DOUBLE),
    case("CastLike", 3 * X, whole(1), opsets=(15,)),
]

SCALES = np.array([1, 1, 2, 1.5], dtype=np.float32)
SMALLER = np.array([1, 1, 0.6, 0.5], dtype=np.float32)
NO_ROI = np.array([], dtype=np.float32)
RESIZES = [
    *(case("Upsample", IMAGE, mode=m, scales=[1, 1, 2, 1.5], opsets=(8,)) for m in ("nearest",)),
    *(case("Upsample", IMAGE, SCALES, mode=mode, opsets=(9,)) for mode in ("nearest", "linear")),
    *(case("Resize", IMAGE, SCALES, mode=mode, opsets=(10,)) for mode in ("nearest", "linear")),
    *(case("Resize", IMAGE, SMALLER, mode=mode, opsets=(10,)) for mode in ("nearest", "linear")),
    *(
        case(
            "Resize",
            IMAGE,
            NO_ROI,
            scales,
            mode=mode,
            coordinate_transformation_mode=coordinates,
            opsets=(11, 13),
        )
        for scales in (SCALES, SMALLER)
        for mode in ("nearest", "linear")
        for coordinates in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
    ),
    *(
        case(
            "Resize",
            IMAGE,
            None,
            SCALES,
            nearest_mode=rounding,
            coordinate_transformation_mode=coordinates,
            opsets=(13, 18),
        )
        for rounding in ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")
        for coordinates in ("asymmetric", "half_pixel")
    ),
    *(case("Resize", IMAGE, None, None, whole(2, 3, 14, 9), mode=m) for m in ("nearest", "linear")),
    case("Resize", IMAGE, None, None, whole(14, 9), axes=[2, 3], mode="linear", opsets=(18,)),
    case("Resize", IMAGE, None, None, whole(2, 3, 1, 1), mode="linear", opsets=(13,)),
    case("Resize", normal(2, 3, 5), None, np.float32([1, 1, 1.7]), mode="linear", opsets=(13,)),
    case(
        "Resize",
        IMAGE,
        None,
        SCALES * np.float32([1, 1, 1, 0.9]),
        mode="linear",
        coordinate_transformation_mode="half_pixel_symmetric",
        opsets=(19,),
    ),
    case(
        "Resize",
        IMAGE,
        NO_ROI,
        SCALES,
        coordinate_transformation_mode="tf_half_pixel_for_nn",
        opsets=(11,),
    ),
]

CASES = [
    *UNARY,
    *BINARY,
    *ACTIVATIONS,
    *LINEAR,
    *CONVOLUTIONS,
    *POOLS,
    *NORMALISATIONS,
    *LAYOUTS,
    *PARTS,
    *REDUCTIONS,
    *CREATIONS,
    *RESIZES,
]
