"""The encoder: tokens, the graph that runs on ONNX Runtime, and the same thing in torch."""
