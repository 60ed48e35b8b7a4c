"""The operators of ONNX, each a readable function of tensors."""
