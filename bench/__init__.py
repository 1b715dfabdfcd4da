"""`make bench`: what the lab costs, as medians and ratios of one run."""
