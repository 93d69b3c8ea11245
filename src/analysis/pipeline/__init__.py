"""Stages, fingerprints and the runner around Papermill."""
