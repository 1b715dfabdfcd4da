"""Tests of the command line, without Docker."""
