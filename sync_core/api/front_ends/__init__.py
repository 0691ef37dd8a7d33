"""The addresses that front ends of other systems call, each in its own words."""
