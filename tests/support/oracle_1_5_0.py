"""Runs the functions of Gimel 1.5.0 and Lamed 0.4.3. Started by tests/oracle.py, in the environment that has them.

Arguments: the host and port of Redis. Each line of standard input is a JSON list of calls `[package, function, event]`, each
line of standard output the JSON list of their results. Nothing of this repository is imported here.
"""

import importlib
import json
import sys

import redis

pool = redis.ConnectionPool(host=sys.argv[1], port=int(sys.argv[2]), decode_responses=True)
modules = {}
for package in ("gimel", "lamed"):
    modules[package] = importlib.import_module(f"{package}.{package}")
    # Their config's "redis" goes to redis.Redis() at every call: a pool saves 10,000 connections.
    modules[package].config["redis"] = {"connection_pool": pool}

for line in sys.stdin:
    results = [
        getattr(modules[package], function)(event, None)
        for package, function, event in json.loads(line)
    ]
    sys.stdout.write(json.dumps(results) + "\n")
    sys.stdout.flush()
