"""Figures and pages made from metrics."""
