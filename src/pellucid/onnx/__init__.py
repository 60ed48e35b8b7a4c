"""ONNX graphs: read safely, run by onnxruntime, and rebuilt as differentiable torch modules."""
