"""Imports: readers, rules, candidates with their provenance."""
