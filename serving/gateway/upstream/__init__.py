"""The predictors behind the gateway."""
