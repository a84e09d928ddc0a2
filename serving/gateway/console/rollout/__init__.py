"""The rollout on the Model page."""
