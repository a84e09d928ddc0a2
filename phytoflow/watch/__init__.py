"""Trains and deploys by itself: on a schedule, for new photos, corrections, alarms, a new champion."""
