"""Writes the pages of docs/ that come from the code: ``python -m scripts.generate_docs``.

tests/docs/test_generated.py fails when a page is not current.
"""
