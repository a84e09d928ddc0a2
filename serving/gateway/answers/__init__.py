"""The answers of the API, as schemas and from predictions."""
