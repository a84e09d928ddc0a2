"""Who asks: tokens, API keys, console sessions."""
