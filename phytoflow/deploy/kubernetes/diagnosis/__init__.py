"""Why a deployment does not come up, in words with a remedy."""
