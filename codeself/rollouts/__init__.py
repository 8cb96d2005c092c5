"""Task set and policy in, rollouts and verdicts out."""
