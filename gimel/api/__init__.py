"""The HTTP API seen from outside: its client, its parsed answers, simulated traffic."""
