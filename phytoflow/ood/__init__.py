"""Out-of-distribution detection: statistics of known photos, and scores of how far others lie from them."""
