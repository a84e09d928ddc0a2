"""Export: TorchScript and ONNX files that give the trained model's answers, and the bundle around them."""
