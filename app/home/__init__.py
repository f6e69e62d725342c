"""The dashboard and what stands around every page."""
