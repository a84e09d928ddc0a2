"""The API gateway and the web console: who may ask, how much, and what is remembered.

The gateway stands between people and the predictor. It never decodes a photo: the bytes go to the predictor
as they came, so that its answers are the predictor's.
"""
