"""Networks: backbones and heads, pretrained weights, and the trained model on disk."""
