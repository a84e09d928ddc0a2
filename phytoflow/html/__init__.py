"""What every HTML page shares: one palette, one style sheet, one template environment, charts."""
