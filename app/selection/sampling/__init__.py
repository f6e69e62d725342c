"""Sampling plans: looked at, carried out, put back."""
