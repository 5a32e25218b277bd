"""Checks before and after a deploy. Each ends in findings and changes nothing of the deployment."""
