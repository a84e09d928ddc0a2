"""TorchScript and ONNX, and the parity check between them and the trained model."""
