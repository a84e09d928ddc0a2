"""How soon rollouts decide, and what they cost the users."""
