"""Time to a quality: this project's two stages against end-to-end fine-tuning."""
