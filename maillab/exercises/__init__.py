"""Exercises: a fault is put into a lab, a student repairs it, and the lab decides by effects whether it is repaired."""
