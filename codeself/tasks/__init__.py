"""What is to be solved: task sets, their formats, splits and audits."""
