"""Deploying to AWS, in stages. Each stage hands values to the next one.

1. `desired`: configuration and wiring become `Desired`, what should exist.
2. `resources`: each of them observes what exists. Together that is `Observed`.
3. `plan`: `Desired` and `Observed` become a tuple of steps. The order of resources is a list there.
4. `apply`: the loop that performs the steps.
5. `outputs`: the ids that AWS chose become URLs; `cost` says what using them costs.
6. `checks`: `preflight` and `permissions` before, `smoke` after.

State lives in AWS itself, in names, tags, versions and the role's policy (`record`). `aws` alone
imports boto3; everything up to `apply` decides with values.
"""
