"""Alerts: what has changed in an experiment, sent once, and the handler of the daily run.

It ships to AWS Lambda with the snapshot's function, so it imports the standard library alone, the
runtime and the analysis. `conditions` and `state` decide, `messages` words, `webhook` and `topic`
send, and `handler` connects them.
"""
