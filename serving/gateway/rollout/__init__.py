"""Rollouts in the gateway: copies of traffic, a share of users, decisions that all replicas share."""
