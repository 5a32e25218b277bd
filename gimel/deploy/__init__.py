"""Putting the backend on AWS: what should be there, what is there, the steps from one to the other, and performing them.

`desired`, `plan`, `policies`, `cost` and `outputs` decide with values and know no client; `aws` alone imports boto3; `observe`,
`apply`, `check` and `preflight` act.
"""
