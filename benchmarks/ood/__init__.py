"""How well strangers are told from known photos, and what it costs."""
