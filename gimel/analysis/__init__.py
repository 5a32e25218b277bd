"""Counts in, statistics and verdicts out: pure functions and frozen dataclasses.

    counts -> experiment (what the design expected) -> stats, split, posterior -> verdict

Uses the standard library alone and imports nothing of Gimel but `gimel.errors`. It does not know
where counts come from or how results are shown.
"""
