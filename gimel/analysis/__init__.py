"""Pure functions over counts: statistics, verdicts, sample sizes. Standard library only."""
