"""Handpicked: the web app, the worker and the command line."""
