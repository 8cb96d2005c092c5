"""Agents: a policy that answers, sees what the public tests say, and answers again."""
