"""A corpus of bad and odd files, made by code, each with the outcome that it must have.

``python -m tests.corpus`` reads all of them and prints how many of each format end how.
"""
