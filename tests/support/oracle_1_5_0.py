"""Runs the functions of Gimel 1.5.0 and Lamed 0.4.3, in an environment that has them.

tests/support/oracle.py starts it. Its arguments are the host and port of Redis. Each line of
standard input is a JSON list of calls `[package, function, event]`, each line of standard output
the JSON list of their results. It imports nothing of this repository.
"""

import importlib
import json
import sys

import redis

pool = redis.ConnectionPool(host=sys.argv[1], port=int(sys.argv[2]), decode_responses=True)
modules = {}
for package in ("gimel", "lamed"):
    modules[package] = importlib.import_module(f"{package}.{package}")
    # Each call passes config["redis"] to redis.Redis(): a pool saves 10,000 connections.
    modules[package].config["redis"] = {"connection_pool": pool}

for line in sys.stdin:
    results = [
        getattr(modules[package], function)(event, None)
        for package, function, event in json.loads(line)
    ]
    sys.stdout.write(json.dumps(results) + "\n")
    sys.stdout.flush()
